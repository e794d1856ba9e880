# ruff: noqa: N999 -- the command has a hyphen, and Django finds it by the name of its file
"""`manage.py move-artifacts`: copy the files of runs from the disk into the bucket, or back."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import BaseCommand, CommandError

from tracking.domain.copying.moving import move_files
from tracking.errors import StoreAway
from tracking.management.progress import ProgressLine
from tracking.storage import DurableFileStorage


class Command(BaseCommand):
    help = (
        "Copy the files of runs from the data directory into the bucket of RUNYARD_S3_BUCKET, and"
        " compare them with what was uploaded. Run it again to go on after a break."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--back", action="store_true", help="from the bucket to the disk")
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, back: bool, **options: Any) -> None:
        if isinstance(default_storage, FileSystemStorage):
            raise CommandError("RUNYARD_S3_BUCKET names no bucket to copy files to or from.")
        ends = DurableFileStorage(settings.MEDIA_ROOT), default_storage
        source, target = reversed(ends) if back else ends
        line = ProgressLine()
        try:
            files, faults = move_files(source, target, line.tell)
        except StoreAway as error:
            raise CommandError(f"{error} Run this again to go on.") from None
        finally:
            line.end()
        for fault in faults:
            self.stdout.write(f"FAULT  {fault}")
        self.stdout.write(f"{files.count:,} files, {files.size_bytes / 1e6:,.1f} MB are there.")
        if faults:
            sys.exit(1)
