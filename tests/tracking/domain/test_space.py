"""What a connection to SQLite may not do: wait for whoever is writing."""

import sqlite3
import time
from contextlib import closing

import pytest
from django.db import connection

from tests.engines import sqlite_only
from tracking.models import Project

pytestmark = [sqlite_only, pytest.mark.django_db(transaction=True)]


def test_new_file_hands_freed_pages_back():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA auto_vacuum")

        assert cursor.fetchone() == (2,)


def test_new_connection_waits_for_nobody():
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        connection.close()
        began = time.monotonic()

        assert Project.objects.count() == 0
        assert time.monotonic() - began < connection.settings_dict["OPTIONS"]["timeout"] / 2
        other.execute("ROLLBACK")
