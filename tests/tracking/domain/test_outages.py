import sqlite3

import pytest
from django.db import InterfaceError, OperationalError

from tracking.domain.outages import tell_outage

AWAY = "The database is away; try again."
FULL = "The disk of the database is full; try again when there is room."


class Refused(Exception):
    def __init__(self, **facts: object) -> None:
        self.__dict__.update(facts)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (None, AWAY),
        (Refused(sqlstate="57P01"), AWAY),
        (Refused(sqlstate="53100"), FULL),
        (Refused(sqlite_errorcode=sqlite3.SQLITE_IOERR), AWAY),
        (Refused(sqlite_errorcode=sqlite3.SQLITE_FULL), FULL),
    ],
)
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_full_disk_is_told_from_an_absent_database(kind, cause, told):
    error = kind("secret details")
    error.__cause__ = cause

    assert tell_outage(error) == told
