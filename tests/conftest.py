"""Fixtures that all tests share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


@pytest.fixture(autouse=True)
def _plain_static_files(settings: object) -> None:
    """Pages name static files without hashes: no test but the one about them collects files."""
    storages = dict(settings.STORAGES)  # type: ignore[attr-defined]
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _fresh_memory() -> Iterator[None]:
    """What a process remembers of its database does not outlive a test's database."""
    from tracking.consumers.newsroom import newsroom
    from tracking.consumers.socket_frames import socket_newsroom
    from tracking.domain.access import local_user
    from tracking.domain.callers import forget_callers
    from tracking.domain.metrics import forget_metric_ids
    from tracking.domain.producers import forget_producers

    yield
    local_user.cache_clear()
    forget_callers()
    forget_metric_ids()
    forget_producers()
    newsroom.forget()
    socket_newsroom.forget()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """PostgreSQL empties only tables that Django knows: Knox makes one that our tokens replace.

    It drops no database that somebody uses: the writer's thread lives as long as the process.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS knox_authtoken")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def count_queries(client: Client) -> Callable[[str], int]:
    """How many queries a page takes."""

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    return count
