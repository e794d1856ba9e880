"""Moving house: to a real PostgreSQL and back, with a death on the way."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from tests.e2e.live import ROOT, server_env
from tests.factories import log_points, make_run
from tests.services.postgres import Postgres, database, postgres
from tracking.domain.artifacts import store_artifact
from tracking.domain.copying.backups import make_backup
from tracking.domain.copying.stores import STATE

COMMAND_S = 120
POINTS = 200_000  # of a run: a portion has two of them


def test_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no database at"):
        call_command("migrate-store", place=str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="It must be a data directory"):
        call_command("migrate-store", place="mysql://secret@host/name")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


@pytest.fixture
def home(transactional_db: None, tmp_path: Path) -> Path:
    """A data directory with a few portions of points."""
    values = np.linspace(0, 1, POINTS).tolist()
    for number in range(8):
        log_points(make_run(f"run-{number}", config={"x": 1e5}), {"loss": values})
    store_artifact(make_run("last"), ContentFile(b"weights"), name="model.bin")
    make_backup(tmp_path / "home", lambda progress: None)
    return tmp_path / "home"


def command(data_dir: Path, url: str, *words: str) -> "subprocess.Popen[str]":
    environment = server_env(data_dir) | {"DATABASE_URL": url}
    return subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_command(data_dir: Path, url: str, *words: str) -> tuple[int, str]:
    process = command(data_dir, url, *words)
    said, _ = process.communicate(timeout=COMMAND_S)
    return process.returncode, said


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with closing(psycopg.connect(url, autocommit=True)) as opened:
        cursor = opened.execute(query)
        return cursor.fetchall() if cursor.description else []


def count_points(url: str) -> int:
    try:
        return int(str(ask(url, "SELECT count(*) FROM tracking_metricpoint")[0][0]))
    except psycopg.Error:  # not migrated yet
        return 0


@pytest.mark.full
def test_killed_migration_goes_on_and_names_what_differs(
    server: Postgres, home: Path, tmp_path: Path
) -> None:
    with database(server, "moved") as url:
        place = tmp_path / "new"
        words = ("migrate-store", "--from", str(home))
        first = command(place, url, *words)
        end = time.monotonic() + COMMAND_S
        while not count_points(url):
            assert time.monotonic() < end
            assert first.poll() is None, first.communicate()[0]
            time.sleep(0.01)
        first.kill()
        first.communicate()
        copied = count_points(url)
        ask(url, "UPDATE tracking_run SET notes = 'better' WHERE key = 'run-3'")
        [(changed,)] = ask(url, "SELECT id FROM tracking_run WHERE key = 'run-3'")

        code, said = run_command(place, url, *words)
        assert code == 1, said
        assert f"DIFFERS  tracking_run {changed} differs in notes\n" in said
        assert 0 < copied <= count_points(url) == 8
        ask(url, "UPDATE tracking_run SET notes = ''")
        code, said = run_command(place, url, *words)
        assert code == 0, said
        assert "1 files, 0.0 MB." in said
        assert ask(url, f"SELECT to_regclass('{STATE}')") == [(None,)]
        [(key,)] = ask(url, "SELECT storage_key FROM tracking_artifact")
        assert (place / "artifacts" / str(key)).read_bytes() == b"weights"
        ask(
            url,
            "INSERT INTO tracking_folder (project_id, path) SELECT id, 'f' FROM tracking_project",
        )


@pytest.mark.full
def test_postgres_is_backed_up_and_moves_back_to_sqlite(
    server: Postgres, home: Path, tmp_path: Path
) -> None:
    with database(server, "there") as url:
        place, back = tmp_path / "new", tmp_path / "back"
        moved = run_command(place, url, "restore", str(home))
        saved = run_command(place, url, "backup", str(tmp_path / "saved"))
        restored = run_command(tmp_path / "from-saved", "", "restore", str(tmp_path / "saved"))
        returned = run_command(
            back, "", "migrate-store", "--from", url, "--artifacts", str(place / "artifacts")
        )

        for code, said in (moved, saved, restored, returned):
            assert code == 0, said
        for folder in (tmp_path / "from-saved", back):
            code, said = run_command(folder, "", "checkstore")
            assert (code, said) == (0, "0 faults, 0 mended, 0 left.\n")
            assert sum(len(names) for _, _, names in os.walk(folder / "artifacts")) == 1
