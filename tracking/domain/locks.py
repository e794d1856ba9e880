"""One at a time, of all server processes: PostgreSQL's advisory locks, by a name.

On SQLite there is one process, and nothing to do. A lock ends with the process that holds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

KEY = "hashtextextended(%s, 0)"
PREFIX = "runyard:"  # others may use the same database


def is_shared() -> bool:
    return connection.vendor == "postgresql"


def _ask(function: str, name: str, where: BaseDatabaseWrapper = connection) -> bool:
    """Whether it was got. What waits answers with nothing, that is with success."""
    with where.cursor() as cursor:
        cursor.execute(f"SELECT {function}({KEY})", [PREFIX + name])
        return cursor.fetchone()[0] is not False


def hold(name: str) -> None:
    """Wait for the name; it is held until the transaction ends."""
    if is_shared():
        _ask("pg_advisory_xact_lock", name)


def try_hold(name: str) -> bool:
    """As `hold`, without waiting: False if another process holds it."""
    return not is_shared() or _ask("pg_try_advisory_xact_lock", name)


@contextmanager
def alone(name: str, *, wait: bool = True) -> Iterator[bool]:
    """As `hold` or `try_hold`, for work that makes transactions of its own: whether it is held.

    The lock belongs to a connection of its own, in a transaction that does nothing else, so that
    it also holds where a pooler stands before the database.
    """
    if not is_shared():
        yield True
        return
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        yield _ask("pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock", name, holder)
    finally:
        with suppress(Error):  # one that broke has let go of it
            holder.rollback()  # the lock ends with the transaction
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
