"""`manage.py checkstore`: does the store say the truth?"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from tracking.domain.checks import check_store
from tracking.domain.stored_files import check_files
from tracking.errors import StoreAway


class Command(BaseCommand):
    help = (
        "Read every point and compare counts, ordinals, bounds and summaries, and compare the files"
        " with the artifacts; exit 1 on faults."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--mend",
            action="store_true",
            help="compute anew what can be, and remove files that nothing names for a day",
        )
        parser.add_argument("--files", action="store_true", help="the files alone")
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, mend: bool, files: bool, **options: Any) -> None:
        found = left = 0
        try:
            for fault in check_files(mend=mend) if files else check_store(mend=mend):
                found += 1
                left += not fault.is_mended
                self.stdout.write(
                    f"{'mended' if fault.is_mended else 'FAULT'}  {fault.where}: {fault.what}"
                )
        except StoreAway as error:
            raise CommandError(f"The files were not all looked at: {error}") from None
        self.stdout.write(f"{found} faults, {found - left} mended, {left} left.")
        if left:
            sys.exit(1)
