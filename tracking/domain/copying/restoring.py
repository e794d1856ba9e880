"""An installation out of a backup."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import F

from tracking.domain.copying import stores
from tracking.domain.copying.backups import (
    COPY,
    FILES,
    FORMAT,
    MANIFEST,
    hash_file,
    sum_store,
    sync,
)
from tracking.domain.copying.files import Files, copy_files, count_files
from tracking.domain.copying.transfer import ROW_WORTH, Meter, Tell, copy_store
from tracking.errors import StoreNotFit
from tracking.models import Run

# Watchers know revisions from after the backup: all that comes from now on is newer than those.
REVISIONS_AHEAD = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Restored:
    made_at: str
    row_count: int
    files: Files
    faults: list[str]


def restore_backup(path: Path, tell: Tell) -> Restored:
    """Fill this installation, which must be empty, from a backup. What is wrong with it is named.

    Nothing is in place before all rows are known to be as they were. Raises: StoreNotFit.
    """
    manifest = read_manifest(path)
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with _alone():
        _require_room()
        stage = settings.DATA_DIR / f"{stores.DATABASE_FILE}.restoring"
        _remove(stage)
        try:
            shutil.copyfile(path / stores.DATABASE_FILE, stage)
            stores.open_store(COPY, stores.describe_sqlite(stage))
            _check(stage, manifest, tell)
            call_command("migrate", database=COPY, verbosity=0, interactive=False)
            files = _restore_files(path, manifest, tell)
            _put_in_place(stage, tell)
        finally:
            stores.close_store(COPY)
            _remove(stage)
    return Restored(
        made_at=manifest["made_at"],
        row_count=sum(table["rows"] for table in manifest["tables"].values()),
        files=files,
        faults=[
            *(f"tracking_artifact {pk}: its file is not in the backup" for pk in files.missing),
            *(f"tracking_artifact {pk}: its file has other bytes" for pk in files.wrong),
        ],
    )


def _remove(stage: Path) -> None:
    """With its journal, by which SQLite would undo in the next copy what was begun in this one."""
    for end in ("", "-journal", "-wal", "-shm"):
        stage.with_name(stage.name + end).unlink(missing_ok=True)


def read_manifest(path: Path) -> dict[str, Any]:
    """Raises: StoreNotFit."""
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text())
        form, version, needed = (manifest[name] for name in ("format", "version", "migrations"))
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreNotFit(f"{path} is not a backup: it has no {MANIFEST} to read.") from None
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if form != FORMAT or not known >= set(needed):
        raise StoreNotFit(
            f"{path} was made by a newer version ({version}) than this ({settings.VERSION})."
        )
    return manifest


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    if connections["default"].vendor != "sqlite":
        with stores.copying_alone():
            yield
        return
    with stores.lock_data_dir(settings.DATA_DIR):
        yield


def _require_room() -> None:
    """A new database, or one in which nobody has done anything. Raises: StoreNotFit."""
    database = connections["default"]
    if database.vendor == "sqlite" and not Path(database.settings_dict["NAME"]).exists():
        return
    call_command("migrate", verbosity=0, interactive=False)
    if not stores.is_half_copied("default"):
        stores.require_empty("default")


def _check(stage: Path, manifest: dict[str, Any], tell: Tell) -> None:
    """Whether it is the same file, or at least the same rows. Raises: StoreNotFit, naming tables."""
    if hash_file(stage) == manifest["database"]["sha256"]:
        return
    try:
        is_readable = not stores.find_waiting_migrations(COPY)
        found = sum_store(COPY, tell) if is_readable else {}
    except (DatabaseError, ValueError) as error:
        raise StoreNotFit(f"The backup is damaged: {error}.") from None
    if wrong := [name for name, one in manifest["tables"].items() if found.get(name) != one]:
        raise StoreNotFit(f"The backup is damaged: {', '.join(wrong)} differ from its manifest.")


def _restore_files(path: Path, manifest: dict[str, Any], tell: Tell) -> Files:
    if not manifest["files"]["included"]:
        return Files()
    count, size = count_files(COPY)
    meter = Meter("files", count * ROW_WORTH + size, tell)
    return copy_files(COPY, FileSystemStorage(path / FILES), default_storage, meter)


def _put_in_place(stage: Path, tell: Tell) -> None:
    Run.everything.using(COPY).update(revision=F("revision") + REVISIONS_AHEAD)
    database = connections["default"]
    if database.vendor != "sqlite":
        if differences := copy_store(COPY, "default", tell):
            raise StoreNotFit(f"What was restored is not as the backup: {differences[0]}.")
        return
    stores.close_store(COPY)
    database.close()
    place = Path(database.settings_dict["NAME"])
    for end in ("-wal", "-shm"):  # of the empty one that gives way
        place.with_name(place.name + end).unlink(missing_ok=True)
    stage.replace(place)
    sync(place)
    sync(place.parent)
