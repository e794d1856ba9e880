"""What commands say when the database does not do its work: a line, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, server_env


def manage(data_dir: Path, *words: str) -> tuple[int, str]:
    """The exit status, and what was said last."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=server_env(data_dir) | {"DATABASE_URL": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["checkstore"], "The database: no such table: tracking_run."),
        (["migrate-store", "--from", "junk"], "The database: file is not a database."),
    ],
)
def test_database_that_cannot_be_used_is_told_in_a_line(
    tmp_path: Path, words: list[str], text: str
) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(os.urandom(5_000))

    status, said = manage(
        tmp_path / "data", *[str(junk) if word == "junk" else word for word in words]
    )

    assert (status, said) == (1, f"{text} `manage.py check --tag services` may say more.")


def test_traceback_is_to_be_had(tmp_path: Path) -> None:
    status, said = manage(tmp_path / "data", "checkstore", "--traceback")

    assert (status, said) == (1, "django.db.utils.OperationalError: no such table: tracking_run")
