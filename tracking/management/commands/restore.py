"""`manage.py restore`: an empty installation becomes what a backup holds."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from tracking.domain.copying.restoring import restore_backup
from tracking.errors import RunyardError
from tracking.management.progress import ProgressLine


class Command(BaseCommand):
    help = "Fill an empty installation (SQLite or PostgreSQL) from a backup, and check it."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="what `manage.py backup` has written")
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        line, begun_at = ProgressLine(), time.monotonic()
        try:
            restored = restore_backup(path, line.tell)
        except (RunyardError, OSError) as error:
            raise CommandError(str(error)) from None
        finally:
            line.end()
        self.stdout.write(
            f"As of {restored.made_at}: {restored.row_count:,} rows and"
            f" {restored.files.count:,} files, in {time.monotonic() - begun_at:.1f} s."
            " Jobs that run send what came later by themselves; for those that have ended,"
            " run `runyard sync` where they ran."
        )
        for fault in restored.faults:
            self.stdout.write(f"FAULT  {fault}")
        if restored.faults:
            sys.exit(1)
