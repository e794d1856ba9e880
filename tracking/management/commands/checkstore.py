"""`manage.py checkstore`: does the store say the truth?"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from tracking.domain.checks import check_store


class Command(BaseCommand):
    help = "Read every point and compare counts, ordinals, bounds and summaries; exit 1 on faults."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mend", action="store_true", help="compute anew what can be")
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, mend: bool, **options: Any) -> None:
        found = left = 0
        for fault in check_store(mend=mend):
            found += 1
            left += not fault.is_mended
            self.stdout.write(
                f"{'mended' if fault.is_mended else 'FAULT'}  {fault.where}: {fault.what}"
            )
        self.stdout.write(f"{found} faults, {found - left} mended, {left} left.")
        if left:
            sys.exit(1)
