"""Django's `check`, whose tag `services` stands for the checks that connect."""

from typing import Any

from django.core.management.commands.check import Command as DjangoCommand
from django.db import DEFAULT_DB_ALIAS


class Command(DjangoCommand):
    def handle(self, *app_labels: Any, **options: Any) -> None:
        if "services" in (options["tags"] or []) and not options["databases"]:
            options["databases"] = [DEFAULT_DB_ALIAS]  # those run where a database is named
        super().handle(*app_labels, **options)
