"""Redis that is away. What works with it: tests/services/test_redis.py."""

import logging
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.backends import find_caches, find_redis
from tracking.domain import redis_link
from tracking.domain.redis_link import LenientCache, Outage, ask
from tracking.domain.turns import one_count
from tracking.domain.wire import ME, Wire, read_hints, write_hints

NOBODY = "redis://:secret@127.0.0.1:1/0"  # a port where nothing listens


@pytest.fixture
def _away(settings, monkeypatch):
    settings.REDIS_URL = NOBODY
    monkeypatch.setattr(redis_link, "outage", Outage())
    redis_link.connect.cache_clear()
    yield
    redis_link.connect.cache_clear()


def ping() -> str:
    return ask(lambda: str(redis_link.connect().ping()), "away")


@pytest.mark.usefixtures("_away")
def test_outage_is_told_of_once_and_without_a_secret(caplog):
    with caplog.at_level(logging.WARNING):
        assert [ping() for _ in range(3)] == ["away"] * 3
        redis_link.outage.end()
        redis_link.outage.end()

    assert [record.message for record in caplog.records] == [
        "Redis is away (ConnectionError); the server goes on without it.",
        "Redis answers again.",
    ]


@pytest.mark.usefixtures("_away")
def test_redis_that_is_away_is_asked_once_a_second(monkeypatch):
    asked = []
    monkeypatch.setattr(redis_link, "AGAIN_S", 0.2)

    def work() -> None:
        asked.append(1)
        redis_link.connect().ping()

    for _ in range(5):
        ask(work, None)
    assert len(asked) == 1

    time.sleep(0.25)
    for _ in range(5):
        ask(work, None)
    assert len(asked) == 2


@pytest.mark.usefixtures("_away")
def test_cache_knows_nothing_while_redis_is_away():
    cache = LenientCache(NOBODY, {})

    cache.set("key", 1)

    assert (cache.get("key"), cache.get("key", 5)) == (None, 5)


@pytest.mark.usefixtures("_away")
def test_count_goes_on_without_its_lock():
    with one_count("somebody"):
        counted = True

    assert counted


@pytest.mark.usefixtures("_away")
def test_hint_is_never_waited_for():
    one = Wire()
    began = time.monotonic()

    for revision in range(1_000):
        one.tell(1, revision)

    assert time.monotonic() - began < 1


def test_hints_of_others_are_read_and_ones_own_are_not():
    mine = write_hints({1: 5, 2: 2**63 - 1})
    theirs = mine.replace(ME, b"other")

    assert (read_hints(mine), read_hints(theirs)) == ([], [(1, 5), (2, 2**63 - 1)])


@pytest.mark.parametrize(
    "data", [b"", b"other", b"other 1", b"other 1:", b"other x:1 -1:2", b"\xff"]
)
def test_what_is_no_hint_is_passed_over(data):
    assert read_hints(data) == []


@pytest.mark.parametrize("url", ["localhost:6379", "http://:secret@host", "secret"])
def test_address_that_is_none_is_refused_without_its_secret(url):
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must look like") as caught:
        find_redis(url)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("redis_url", "database_url", "backend"),
    [
        ("", "", "django.core.cache.backends.locmem.LocMemCache"),
        ("", "postgres://host/name", "django.core.cache.backends.db.DatabaseCache"),
        ("redis://host", "postgres://host/name", "tracking.domain.redis_link.LenientCache"),
        ("redis://host", "", "tracking.domain.redis_link.LenientCache"),
    ],
)
def test_requests_are_counted_where_all_processes_see_it(redis_url, database_url, backend):
    assert find_caches(redis_url, database_url)["default"]["BACKEND"] == backend
