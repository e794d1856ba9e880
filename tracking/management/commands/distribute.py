"""`manage.py distribute`: the statements that spread the tables that grow, to be read and run by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from tracking.domain.distribution import key_statements, spread_statements, undo_statements

PARTS = {
    "keys": (
        "-- Keys that carry the run. Any PostgreSQL takes them; stop the servers meanwhile.",
        key_statements,
    ),
    "spread": (
        "-- These need Citus, and have not been tried on one: see docs/scaling.md.",
        spread_statements,
    ),
    "undo": ("-- Back to the keys that the migrations made.", undo_statements),
}
USUAL = ["keys", "spread"]


class Command(BaseCommand):
    help = "Print the SQL that gives each table that grows a key with the run, and spreads it by Citus."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sql", choices=PARTS, nargs="*", help=f"which parts; default {' '.join(USUAL)}"
        )

    def handle(self, *args: Any, sql: list[str] | None, **options: Any) -> None:
        for part in sql or USUAL:
            what, statements = PARTS[part]
            self.stdout.write("\n".join([what, "BEGIN;", *statements(), "COMMIT;"]))
