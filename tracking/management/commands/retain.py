"""`manage.py retain`: apply the projects' rules for their points now, and empty what is due."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from tracking.domain import locks
from tracking.domain.retention import Freed, apply_retention, preview_retention
from tracking.models import Project


class Command(BaseCommand):
    help = (
        "Thin the points of runs that ended long enough ago, as the rules of their projects say."
        " The server does the same once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would go")
        parser.add_argument("--project", help="the key of one project; default: all")
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, dry_run: bool, project: str | None, **options: Any) -> None:
        ruled = Project.objects.filter(keep_full_days__isnull=False)
        if project is not None:
            if not Project.objects.filter(key=project).exists():
                raise CommandError(f"There is no project {project!r}.")
            ruled = ruled.filter(key=project)
        work = preview_retention if dry_run else apply_retention
        with locks.alone("cleaning"):
            self._tell(ruled.order_by("key"), work, "would be freed" if dry_run else "freed")

    def _tell(self, projects: Any, work: Any, freed_word: str) -> None:
        total = Freed()
        for one in projects:
            freed = work(one)
            total += freed
            self.stdout.write(f"{one.key}: {_told(freed, freed_word)}")
        self.stdout.write(f"In all: {_told(total, freed_word)}")


def _told(freed: Freed, word: str) -> str:
    size = filesizeformat(freed.freed_bytes).replace("\xa0", " ")
    return (
        f"{freed.thinned_count} runs thinned, {freed.summary_count} left with summaries;"
        f" {size} {word}"
    )
