"""One at a time, of all server processes: PostgreSQL's advisory locks, by a name.

On SQLite there is one process, and nothing to do. A lock ends with the process that holds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

KEY = "hashtextextended(%s, 0)"
PREFIX = "runyard:"  # others may use the same database


def is_shared() -> bool:
    return connection.vendor == "postgresql"


def _ask(function: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({KEY})", [PREFIX + name])
        return bool(cursor.fetchone()[0])


def hold(name: str) -> None:
    """Wait for the name; it is held until the transaction ends."""
    if is_shared():
        _ask("pg_advisory_xact_lock", name)


def try_hold(name: str) -> bool:
    """As `hold`, without waiting: False if another process holds it."""
    return not is_shared() or _ask("pg_try_advisory_xact_lock", name)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """As `hold`, for work that makes transactions of its own.

    The lock belongs to a connection of its own, in a transaction that does nothing else, so that
    it also holds where a pooler stands before the database.
    """
    if not is_shared():
        yield
        return
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock({KEY})", [PREFIX + name])
        yield
    finally:
        holder.rollback()
        holder.set_autocommit(True)
        holder.close()


@contextmanager
def counting(name: str) -> Iterator[None]:
    """As `hold`, for a count that need not survive a power cut: nobody waits for the disk."""
    if not is_shared():
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        hold(name)
        yield
