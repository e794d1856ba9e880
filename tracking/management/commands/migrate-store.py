# ruff: noqa: N999 -- the command has a hyphen, and Django finds it by the name of its file
"""`manage.py migrate-store`: move everything into the database that the settings name."""

import contextlib
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection

from tracking.domain.copying import stores
from tracking.domain.copying.moving import move_files
from tracking.domain.copying.transfer import copy_store
from tracking.errors import RunyardError, StoreNotFit
from tracking.management.progress import ProgressLine

SOURCE = "source"


class Command(BaseCommand):
    help = (
        "Copy another installation's store into the empty database of this one (DATABASE_URL, or"
        " SQLite in the data directory), and compare them. Run it again to go on after a break."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from",
            dest="place",
            required=True,
            metavar="STORE",
            help="a data directory, sqlite:///path or postgres://user@host/name"
            " (PGPASSWORD holds a password)",
        )
        parser.add_argument(
            "--artifacts",
            type=Path,
            metavar="DIR",
            help="where the files of the source lie; default: beside its SQLite database,"
            " else they stay where they are",
        )
        parser.add_argument("--data-dir", help="of this installation; default ./var")

    def handle(self, *args: Any, place: str, artifacts: Path | None, **options: Any) -> None:
        try:
            differences = self._migrate(place, artifacts)
        except RunyardError as error:
            raise CommandError(str(error)) from None
        finally:
            stores.close_store(SOURCE)
        for difference in differences:
            self.stdout.write(f"DIFFERS  {difference}")
        if differences:
            self.stdout.write(f"{len(differences)} differences. Do not use this copy.")
            sys.exit(1)

    def _migrate(self, place: str, artifacts: Path | None) -> list[str]:
        database = stores.find_store(place)
        stores.open_store(SOURCE, database)
        if stores.name_store(SOURCE) == stores.name_store("default"):
            raise StoreNotFit("That is the store of this installation itself.")
        source_dir = Path(database["NAME"]).parent if "sqlite" in database["ENGINE"] else None
        with contextlib.ExitStack() as locks:
            if source_dir:
                locks.enter_context(stores.lock_data_dir(source_dir))
            if connection.vendor == "sqlite":
                settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
                locks.enter_context(stores.lock_data_dir(settings.DATA_DIR))
            locks.enter_context(stores.copying_alone())
            call_command("migrate", verbosity=0, interactive=False)
            differences = self._copy_rows()
            files = artifacts or (source_dir / "artifacts" if source_dir else None)
            return differences or (self._copy_files(files) if files else [])

    def _copy_rows(self) -> list[str]:
        line, begun_at = ProgressLine(), time.monotonic()
        differences = copy_store(SOURCE, "default", line.tell)
        line.end()
        sizes = [table.measure("default") for table in stores.tables()]
        rows, size = (sum(column) for column in zip(*sizes, strict=True))
        self.stdout.write(
            f"{rows:,} rows with {size / 1e6:,.1f} MB of points copied and compared"
            f" in {time.monotonic() - begun_at:.1f} s."
        )
        return differences

    def _copy_files(self, folder: Path) -> list[str]:
        """Those that do not lie where this installation looks for them."""
        if _is_same_place(default_storage, folder):
            return []
        line = ProgressLine()
        files, faults = move_files(FileSystemStorage(folder), default_storage, line.tell)
        line.end()
        self.stdout.write(f"{files.count:,} files, {files.size_bytes / 1e6:,.1f} MB.")
        return faults


def _is_same_place(storage: Storage, folder: Path) -> bool:
    try:
        return Path(storage.path("")).resolve() == folder.resolve()
    except NotImplementedError:  # it is not on a disk
        return False
