"""A backup: a directory with a SQLite database, the files of artifacts, and what there should be.

The database is of one moment, whatever is written meanwhile. Files come after it: one that the
database names was there before, and one that was deleted since is told.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from tracking.domain.copying import stores
from tracking.domain.copying.comparing import sum_table
from tracking.domain.copying.files import Files, copy_files, count_files
from tracking.domain.copying.transfer import ROW_WORTH, Meter, Progress, Tell, copy_store
from tracking.errors import StoreNotFit
from tracking.models import Artifact

COPY = "copy"  # the alias of a backup's database
FORMAT = 1
MANIFEST = "manifest.json"
FILES = "artifacts"
STEP_PAGES = 1_000  # 4 MB at once
STEP_PAUSE_S = 0.005  # in which the disk is the writers'


@dataclass(frozen=True, slots=True)
class Backup:
    """What was backed up. `gone` were deleted meanwhile; `faults` are for people to look at."""

    row_count: int
    size_bytes: int
    files: Files
    gone: list[int]
    faults: list[str]


def make_backup(
    path: Path, tell: Tell, *, with_files: bool = True, former: Path | None = None
) -> Backup:
    """Write a backup to `path`, which appears when it is complete. Servers may go on meanwhile.

    `former`: an earlier backup, whose files are taken over by hard links. Raises: StoreNotFit.
    """
    if path.exists():
        raise StoreNotFit(f"{path} is there already.")
    if former and not (former / MANIFEST).is_file():
        raise StoreNotFit(f"{former} is not a backup: it has no {MANIFEST}.")
    _require_store()
    with _drafting(path) as draft:
        backup = _fill(draft, tell, with_files=with_files, former=former)
        sync_tree(draft)
        draft.rename(path)
    sync(path.parent)
    return backup


@contextlib.contextmanager
def _drafting(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, which nobody else uses; it is gone after a failure.

    Raises: StoreNotFit.
    """
    draft = path.with_name(f"{path.name}.part")
    draft.mkdir(parents=True, exist_ok=True)
    held = os.open(draft, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreNotFit(f"Another backup is being written to {path}.") from None
        try:
            _empty(draft)
            yield draft
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)  # the disk may be full of it
            raise
        finally:
            stores.close_store(COPY)
    finally:
        os.close(held)


def _empty(folder: Path) -> None:
    """Of what a backup left that was killed."""
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _require_store() -> None:
    """SQLite would make what is not there. Raises: StoreNotFit."""
    settings_dict = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite" and not Path(settings_dict["NAME"]).exists():
        raise StoreNotFit(f"There is no database at {settings_dict['NAME']}.")
    stores.require_current("default")
    if stores.is_half_copied("default"):
        raise StoreNotFit(
            "This installation has not been copied to its end: migrate-store goes on."
        )


def _fill(folder: Path, tell: Tell, *, with_files: bool, former: Path | None) -> Backup:
    database = folder / stores.DATABASE_FILE
    if connections["default"].vendor == "sqlite":
        _copy_sqlite(Path(connections["default"].settings_dict["NAME"]), database, tell)
        stores.open_store(COPY, stores.describe_sqlite(database))
    else:
        stores.open_store(COPY, stores.describe_sqlite(database))
        _copy_rows(tell)
    _drop_sign_ins()
    files, gone = Files(), list[int]()
    if with_files:
        files = _copy_files(folder / FILES, tell, former)
        gone = _give_up_gone(files.missing)
    sums = sum_store(COPY, tell)
    migrations = applied_migrations(COPY)
    stores.close_store(COPY)  # its last bytes are in the file now
    manifest = {
        "format": FORMAT,
        "version": settings.VERSION,
        "made_at": timezone.now().isoformat(),
        "database": {"size_bytes": database.stat().st_size, "sha256": hash_file(database)},
        "migrations": migrations,
        "tables": sums,
        "files": {"included": with_files, "count": files.count, "size_bytes": files.size_bytes},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return Backup(
        row_count=sum(one["rows"] for one in sums.values()),
        size_bytes=database.stat().st_size + files.size_bytes,
        files=files,
        gone=gone,
        faults=_find_faults(files, gone),
    )


def _copy_sqlite(source: Path, target: Path, tell: Tell) -> None:
    """SQLite's own copying. It would begin anew with each commit of a server, but for the snapshot."""
    with (
        contextlib.closing(sqlite3.connect(source, isolation_level=None)) as ours,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        ours.execute("BEGIN")
        page_bytes = ours.execute("PRAGMA page_size").fetchone()[0]
        ours.execute("SELECT count(*) FROM sqlite_master").fetchone()

        def pause(_status: int, left: int, total: int) -> None:
            done = (total - left) * page_bytes
            tell(Progress("copied", source.name, done, total * page_bytes, 0, done))
            time.sleep(STEP_PAUSE_S)

        ours.backup(copy, pages=STEP_PAGES, progress=pause)
        ours.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _copy_rows(tell: Tell) -> None:
    call_command("migrate", database=COPY, verbosity=0, interactive=False)
    if differences := copy_store("default", COPY, tell):
        raise StoreNotFit(f"The copy is not as its source: {differences[0]}.")


def _drop_sign_ins() -> None:
    """They are worth something to a thief, and nothing in a new place."""
    stores.execute(COPY, "PRAGMA secure_delete=ON")  # else they stay in the free pages of the file
    for label in stores.LEFT_OUT:
        for model in apps.get_app_config(label).get_models():
            model._base_manager.using(COPY).all().delete()  # noqa: SLF001 -- Django's documented name


def _copy_files(folder: Path, tell: Tell, former: Path | None) -> Files:
    count, size = count_files(COPY)
    meter = Meter("files", count * ROW_WORTH + size, tell)
    target = FileSystemStorage(folder)
    files = copy_files(
        COPY, default_storage, target, meter, former=former / FILES if former else None
    )
    for artifact in Artifact.objects.using(COPY).filter(pk__in=files.wrong):
        path = folder / artifact.storage_key
        path.rename(
            path.with_name(f"{path.name}.damaged")
        )  # else the next backup takes it for good
    return files


def _give_up_gone(missing: list[int]) -> list[int]:
    """Those whose file was deleted since the database was copied count as deleted in the copy."""
    still = Artifact.objects.filter(pk__in=missing, deleted_at=None)
    gone = sorted(set(missing) - set(still.values_list("pk", flat=True)))
    Artifact.objects.using(COPY).filter(pk__in=gone).update(deleted_at=timezone.now())
    return gone


def _find_faults(files: Files, gone: list[int]) -> list[str]:
    lost = [pk for pk in files.missing if pk not in gone]
    return [
        *(f"tracking_artifact {pk}: its file is not there" for pk in lost),
        *(
            f"tracking_artifact {pk}: its file has other bytes than were uploaded"
            for pk in files.wrong
        ),
    ]


# ── What a store holds, in a few words ───────────────────────────────────────


def sum_store(alias: str, tell: Tell) -> dict[str, dict[str, Any]]:
    sizes = [table.measure(alias) for table in stores.tables()]
    meter = Meter("summed", sum(rows * ROW_WORTH + size for rows, size in sizes), tell)
    return {table.name: asdict(sum_table(table, alias, meter)) for table in stores.tables()}


def applied_migrations(alias: str) -> list[str]:
    rows = stores.execute(alias, "SELECT app, name FROM django_migrations")
    return sorted(f"{app}.{name}" for app, name in rows)


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_tree(folder: Path) -> None:
    """Have the disk hold all of it, before its name says that it is complete."""
    for parent, _, names in os.walk(folder):
        for name in names:
            sync(Path(parent) / name)
        sync(Path(parent))


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
