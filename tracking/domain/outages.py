"""A database that is away, in trouble or full: whoever comes again later finds it back."""

import socket
import sqlite3

from django.db import InterfaceError, OperationalError, connection

OUTAGES = (OperationalError, InterfaceError)
RETRY_AFTER_S = 2  # a database that is busy or restarting
POSTGRES_PORT = 5432
REFUSED_WITHIN_S = 1.0
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


def is_refused() -> bool:
    """Whether nobody listens where PostgreSQL should. Not libpq's ping: while that waits for a
    server that hangs, no other thread goes on.
    """
    if connection.vendor != "postgresql":
        return False
    params = connection.get_connection_params()
    host, port = str(params.get("host", "")), str(params.get("port") or POSTGRES_PORT)
    if not host or host.startswith("/") or "," in host + port:  # a socket of this machine; several
        return False
    try:
        socket.create_connection((host, int(port)), timeout=REFUSED_WITHIN_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:  # the pool is to find out
        return False
    return False
