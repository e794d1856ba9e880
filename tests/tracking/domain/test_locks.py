"""Locks of all server processes, as another one sees them; on SQLite there is nothing to see."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tracking.domain import locks

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(work: Callable[[], Any]) -> Any:
    """What it says on a connection of its own, as another process would."""
    said: list[Any] = []

    def run() -> None:
        try:
            with transaction.atomic():
                said.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    return said[0]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="there they are held")
def test_one_process_is_always_alone():
    with locks.alone("work", wait=False) as is_mine, locks.alone("work", wait=False) as is_too:
        assert (is_mine, is_too) == (True, True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others have one process")
def test_lock_is_held_until_the_work_is_done():
    with locks.alone("work") as is_mine, transaction.atomic():
        assert is_mine
        assert not elsewhere(lambda: locks.try_hold("work"))
        assert elsewhere(lambda: locks.try_hold("other work"))

    assert elsewhere(lambda: locks.try_hold("work"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others have one process")
def test_lock_ends_with_work_that_fails():
    with pytest.raises(ValueError, match="failed"), locks.alone("work"):
        raise ValueError("failed")

    assert elsewhere(lambda: locks.try_hold("work"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others have one process")
def test_lock_that_ends_leaves_the_pool_nothing_to_mend(caplog):
    with locks.alone("work"):
        pass

    said = [line.getMessage() for line in caplog.records if line.name == "psycopg.pool"]
    assert said == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others have one process")
def test_count_is_held_until_it_is_written():
    with locks.counting("somebody"):
        assert not elsewhere(lambda: locks.try_hold("somebody"))

    assert elsewhere(lambda: locks.try_hold("somebody"))
