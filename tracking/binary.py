"""PostgreSQL's own form of values: bytes as bytes, where Django's cursors write and read text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db import connection

if TYPE_CHECKING:
    from psycopg import Cursor


@contextmanager
def binary_cursor(statement: str, *, is_held: bool = False) -> "Iterator[Cursor[Any]]":
    """A cursor for `statement`; one that `is_held` keeps the answer on the server, and outlives a
    transaction. Errors are Django's, and so is the list of queries that it keeps where asked to.
    """
    from psycopg import Cursor, ServerCursor  # noqa: PLC0415 -- optional dependency

    connection.ensure_connection()
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": "0"})
    opened = (
        ServerCursor(connection.connection, f"rows_{uuid4().hex}", withhold=True)
        if is_held
        else Cursor(connection.connection)
    )
    with connection.wrap_database_errors, opened as cursor:
        yield cursor
