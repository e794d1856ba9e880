from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.backends import find_database

DATA_DIR = Path("somewhere")


def test_database_is_a_file_without_an_address():
    found = find_database("", DATA_DIR)

    assert found["ENGINE"] == "django.db.backends.sqlite3"
    assert found["NAME"] == DATA_DIR / "runyard.sqlite3"


def test_database_is_postgresql_by_its_address():
    found = find_database("postgres://ann:p%40ss@db.internal:5433/runs?sslmode=require", DATA_DIR)

    assert {
        name: found[name] for name in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")
    } == {
        "ENGINE": "django.db.backends.postgresql",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.internal",
        "PORT": 5433,
        "NAME": "runs",
    }
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] == 20
    assert found["CONN_HEALTH_CHECKS"]


def test_machine_that_vanishes_is_noticed_unless_the_address_says_when():
    options = find_database("postgres://db/runs?connect_timeout=9", DATA_DIR)["OPTIONS"]

    assert (options["connect_timeout"], options["tcp_user_timeout"]) == (9, 30_000)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:secret@host/name",
        "secret",
        "postgres://u:secret@h:port/n",
        "postgres://",
        "sqlite:///secret",
    ],
)
def test_other_address_is_refused_without_showing_it(url):
    with pytest.raises(ImproperlyConfigured) as refusal:
        find_database(url, DATA_DIR)

    assert "postgres://user:password@host:5432/name" in str(refusal.value)
    assert "secret" not in str(refusal.value)
