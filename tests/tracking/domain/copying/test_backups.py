import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection

from tests.e2e.live import ROOT, server_env
from tests.engines import sqlite_only
from tests.factories import log_points
from tracking.domain.artifacts import store_artifact, withdraw_artifact
from tracking.domain.copying import backups, restoring, stores
from tracking.domain.copying.backups import make_backup
from tracking.domain.copying.files import copy_files
from tracking.domain.copying.restoring import restore_backup
from tracking.domain.copying.transfer import Progress, Tell
from tracking.errors import StoreNotFit
from tracking.models import Artifact, Run
from tracking.storage import DurableFileStorage

pytestmark = pytest.mark.django_db(transaction=True)
COMMAND_S = 120


@pytest.fixture
def backup(run: Run, tmp_path: Path, told: Tell) -> Path:
    made = make_backup(tmp_path / "backup", told)
    assert (made.files.count, made.gone, made.faults) == (1, [], [])
    return tmp_path / "backup"


def restore(backup: Path, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: it replaces the database that settings name."""
    environment = server_env(data_dir)
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(backup)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )


class Silent:
    def add(self, what: str, row_count: int, byte_count: int) -> None: ...


def read(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as opened:
        return opened.execute(query).fetchall()


def test_backup_comes_back_whole(run: Run, backup: Path, tmp_path: Path) -> None:
    place = tmp_path / "new"

    done = restore(backup, place)

    assert done.returncode == 0, done.stderr
    database = place / stores.DATABASE_FILE
    points = "SELECT id, ordinal, count, hex(data) FROM tracking_metricpoint ORDER BY id"
    assert read(database, points) == read(backup / stores.DATABASE_FILE, points)
    [(key,)] = read(database, "SELECT storage_key FROM tracking_artifact")
    assert (place / "artifacts" / key).read_bytes() == b"weights"
    [(revision,)] = read(database, f"SELECT revision FROM tracking_run WHERE id = {run.pk}")
    run.refresh_from_db()
    assert revision == run.revision + restoring.REVISIONS_AHEAD, "watchers see what comes now"
    assert sorted(path.name for path in place.iterdir()) == [
        "artifacts",
        stores.DATABASE_FILE,
        "secret_key",
        "serve.lock",
    ]
    again = restore(backup, place)
    assert again.returncode == 1
    assert "is not empty" in again.stderr


def test_manifest_tells_what_there_is(backup: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())

    assert manifest["format"] == 1
    assert manifest["tables"]["tracking_run"]["rows"] == 3
    assert manifest["files"] == {"included": True, "count": 1, "size_bytes": 7}
    assert "tracking.0007_trash_and_retention" in manifest["migrations"]


def test_sign_ins_are_not_in_a_backup(run: Run, tmp_path: Path, told: Tell) -> None:
    session = SessionStore()
    session["secret"] = "of-a-browser"
    session.save()

    make_backup(tmp_path / "backup", told)

    content = (tmp_path / "backup" / stores.DATABASE_FILE).read_bytes()
    assert (session.session_key or "").encode() not in content


def test_later_backup_takes_the_files_of_an_earlier_one(
    run: Run, backup: Path, tmp_path: Path, told: Tell
) -> None:
    store_artifact(run, ContentFile(b"more"), name="more.bin")

    made = make_backup(tmp_path / "later", told, former=backup)

    assert made.files.count == 2
    links = sorted(
        path.stat().st_nlink for path in (tmp_path / "later/artifacts").rglob("*") if path.is_file()
    )
    assert links == [1, 2]


@sqlite_only
def test_file_deleted_meanwhile_is_left_out_and_told(run: Run, tmp_path: Path, told: Tell) -> None:
    artifact = Artifact.objects.get()

    def delete_it(progress: Progress) -> None:
        if progress.doing == "copied" and not Artifact.objects.get().deleted_at:
            withdraw_artifact(Artifact.objects.get())

    made = make_backup(tmp_path / "backup", delete_it)

    assert (made.gone, made.faults) == ([artifact.pk], [])
    database = tmp_path / "backup" / stores.DATABASE_FILE
    assert read(database, "SELECT deleted_at IS NULL FROM tracking_artifact") == [(0,)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "its file is not there"),
        (b"tampers", "its file has other bytes than were uploaded"),
    ],
)
def test_file_that_is_not_as_it_should_be_is_named(
    run: Run, tmp_path: Path, told: Tell, content: bytes | None, text: str
) -> None:
    artifact = Artifact.objects.get()
    path = Path(default_storage.path(artifact.storage_key))
    path.unlink() if content is None else path.write_bytes(content)

    made = make_backup(tmp_path / "backup", told)
    later = make_backup(tmp_path / "later", told, former=tmp_path / "backup")

    assert made.faults == [f"tracking_artifact {artifact.pk}: {text}"]
    assert later.faults == made.faults, "no copy of it counts for the file"


def test_damaged_file_is_kept_beside_its_place(run: Run, tmp_path: Path, told: Tell) -> None:
    key = Artifact.objects.get().storage_key
    Path(default_storage.path(key)).write_bytes(b"tampers")

    make_backup(tmp_path / "backup", told)

    assert (tmp_path / f"backup/artifacts/{key}.damaged").read_bytes() == b"tampers"


def test_damaged_file_of_a_backup_is_named_each_time(
    backup: Path, tmp_path: Path, told: Tell
) -> None:
    artifact = Artifact.objects.get()
    (backup / "artifacts" / artifact.storage_key).write_bytes(b"tampers")
    target = DurableFileStorage(tmp_path / "target")

    for _ in range(2):
        files = copy_files("default", FileSystemStorage(backup / "artifacts"), target, Silent())
        assert (files.count, files.wrong) == (0, [artifact.pk])

    assert not target.exists(artifact.storage_key)


def test_two_backups_do_not_write_to_one_place(run: Run, tmp_path: Path) -> None:
    refusals: list[str] = []

    def try_another(progress: Progress) -> None:
        if not refusals:
            with pytest.raises(StoreNotFit) as refused:
                make_backup(tmp_path / "backup", try_another)
            refusals.append(str(refused.value))

    made = make_backup(tmp_path / "backup", try_another)

    assert refusals == [f"Another backup is being written to {tmp_path / 'backup'}."]
    assert (made.files.count, made.faults) == (1, [])


def test_rest_of_a_killed_backup_is_no_part_of_the_next(
    run: Run, tmp_path: Path, told: Tell
) -> None:
    (tmp_path / "backup.part" / "artifacts").mkdir(parents=True)
    (tmp_path / "backup.part" / f"{stores.DATABASE_FILE}-journal").write_text("of another")

    make_backup(tmp_path / "backup", told, with_files=False)

    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "manifest.json",
        stores.DATABASE_FILE,
    ]


def test_since_takes_only_backups(run: Run, tmp_path: Path, told: Tell) -> None:
    with pytest.raises(StoreNotFit, match="is not a backup"):
        make_backup(tmp_path / "backup", told, former=tmp_path / "none")


def test_interrupted_backup_is_not_there(run: Run, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_backup(tmp_path / "backup", stop)

    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []


def test_backup_overwrites_nothing(backup: Path, told: Tell) -> None:
    with pytest.raises(StoreNotFit, match="is there already"):
        make_backup(backup, told)


def test_backup_without_files_says_so(run: Run, tmp_path: Path, told: Tell) -> None:
    made = make_backup(tmp_path / "backup", told, with_files=False)

    assert made.files.count == 0
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "manifest.json",
        stores.DATABASE_FILE,
    ]


@pytest.fixture
def _ingesting(run: Run) -> Iterator[None]:
    """Somebody writes all the time."""
    is_over = threading.Event()

    def ingest() -> None:
        while not is_over.wait(0.002):
            log_points(run, {"loss": [1.0]})
        connection.close()

    thread = threading.Thread(target=ingest)
    thread.start()
    yield
    is_over.set()
    thread.join()


@pytest.mark.usefixtures("_ingesting")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite copies")
def test_backup_is_of_one_moment_and_ends_while_others_write(
    tmp_path: Path, told: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "STEP_PAGES", 5)

    make_backup(tmp_path / "backup", told)

    database = tmp_path / "backup" / stores.DATABASE_FILE
    [(counted, stored)] = read(
        database,
        "SELECT m.count, sum(p.count) FROM tracking_metric m"
        " JOIN tracking_metricpoint p ON p.metric_id = m.id WHERE m.name = 'loss'",
    )
    assert counted == stored > 0
    assert read(database, "PRAGMA integrity_check") == [("ok",)]


def change_a_row(backup: Path) -> None:
    with closing(sqlite3.connect(backup / stores.DATABASE_FILE)) as opened:
        opened.execute("UPDATE tracking_project SET notes = 'better'")
        opened.commit()


def cut_the_database(backup: Path) -> None:
    os.truncate(backup / stores.DATABASE_FILE, 20_000)


def come_from_the_future(backup: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["migrations"].append("tracking.9999_flying_cars")
    (backup / "manifest.json").write_text(json.dumps(manifest))


def write_another_manifest(backup: Path) -> None:
    (backup / "manifest.json").write_text('{"format": 1}')


def lose_the_manifest(backup: Path) -> None:
    (backup / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (change_a_row, "tracking_project differ from its manifest"),
        (cut_the_database, "The backup is damaged"),
        (come_from_the_future, "made by a newer version"),
        (lose_the_manifest, "is not a backup"),
        (write_another_manifest, "is not a backup"),
    ],
)
def test_damaged_backup_is_not_restored(
    backup: Path, tmp_path: Path, damage: Callable[[Path], None], text: str
) -> None:
    damage(backup)

    done = restore(backup, tmp_path / "new")

    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new" / stores.DATABASE_FILE).exists()


def test_restore_that_fails_or_was_killed_leaves_nothing_to_the_next(
    backup: Path, tmp_path: Path
) -> None:
    place = tmp_path / "new"
    place.mkdir()
    stage = f"{stores.DATABASE_FILE}.restoring"
    (place / f"{stage}-journal").write_bytes(b"of another")
    (backup / stores.DATABASE_FILE).rename(tmp_path / "aside")

    done = restore(backup, place)

    assert done.returncode == 1
    assert sorted(path.name for path in place.iterdir()) == ["secret_key", "serve.lock"]


def test_lost_file_of_a_backup_is_named_and_the_rest_restored(backup: Path, tmp_path: Path) -> None:
    shutil.rmtree(backup / "artifacts")

    done = restore(backup, tmp_path / "new")

    assert done.returncode == 1
    assert "its file is not in the backup" in done.stdout
    assert read(tmp_path / "new" / stores.DATABASE_FILE, "SELECT count(*) FROM tracking_run")


def test_installation_in_use_is_not_restored_into(
    backup: Path, told: Tell, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path

    with pytest.raises(StoreNotFit, match="is not empty"):
        restore_backup(backup, told)
