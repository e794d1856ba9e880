"""A database that is away, in trouble or full: whoever comes again later finds it back."""

import sqlite3

from django.db import InterfaceError, OperationalError

OUTAGES = (OperationalError, InterfaceError)
RETRY_AFTER_S = 2  # a database that is busy or restarting
DISK_FULL = "53100"  # in PostgreSQL's words


def tell_outage(error: BaseException) -> str:
    """For the caller, who is to come again. Nothing has been stored that was not acknowledged."""
    cause = error.__cause__
    is_full = (
        getattr(cause, "sqlstate", None) == DISK_FULL
        or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )
    return (
        "The disk of the database is full; try again when there is room."
        if is_full
        else "The database is away; try again."
    )
