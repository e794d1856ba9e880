"""Giving disk space back: SQLite keeps freed pages in its file until it is told to let them go."""

import time
from typing import Any

from django.db import connection, connections

PIECE_PAGES = 2_500  # 10 MB, about 0.1 s; between two pieces others may write
TIME_S = 2.0  # what is left then is used again, or goes with the next deletion


def prepare_file(*, using: str, **_: Any) -> None:
    """Have SQLite hand freed pages back one by one, which a file with tables in it would not learn.

    Not with each connection: SQLite waits for whoever is writing before it takes the word.
    """
    database = connections[using]
    if database.vendor == "sqlite" and not database.introspection.table_names():
        with database.cursor() as cursor:
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
            cursor.execute("VACUUM")


def return_space() -> None:
    """Shrink the database file by its free pages. Other databases do that by themselves.

    Not from inside a transaction.
    """
    if connection.vendor != "sqlite":
        return
    deadline = time.monotonic() + TIME_S
    while _has_free_pages() and time.monotonic() < deadline:
        # A cursor's execute() would take one page and stop there; a script runs to its end.
        connection.connection.executescript(f"PRAGMA incremental_vacuum({PIECE_PAGES})")


def _has_free_pages() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA freelist_count")
        return bool(cursor.fetchone()[0])
