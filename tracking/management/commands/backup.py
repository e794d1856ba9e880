"""`manage.py backup`: all that is here, as it is at this moment, while the server goes on."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from tracking.domain.copying.backups import make_backup
from tracking.errors import RunyardError
from tracking.management.progress import ProgressLine


class Command(BaseCommand):
    help = "Write the database and the files of artifacts to a new directory; servers may go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a directory that is not there yet")
        parser.add_argument("--no-artifacts", action="store_true", help="only the database")
        parser.add_argument(
            "--since",
            type=Path,
            metavar="BACKUP",
            help="an earlier one on the same disk: files that it has take no more room",
        )
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(
        self, *args: Any, path: Path, no_artifacts: bool, since: Path | None, **options: Any
    ) -> None:
        line, begun_at = ProgressLine(), time.monotonic()
        try:
            made = make_backup(
                path.absolute(), line.tell, with_files=not no_artifacts, former=since
            )
        except (RunyardError, OSError) as error:
            raise CommandError(str(error)) from None
        finally:
            line.end()
        self.stdout.write(
            f"{path}: {made.row_count:,} rows and {made.files.count:,} files,"
            f" {made.size_bytes / 1e6:,.1f} MB, in {time.monotonic() - begun_at:.1f} s."
        )
        if made.gone:
            self.stdout.write(f"{len(made.gone)} files were deleted meanwhile and are left out.")
        for fault in made.faults:
            self.stdout.write(f"FAULT  {fault}")
        if made.faults:
            sys.exit(1)
