"""Runs that were read from files, by an import or a watched directory, and not logged here."""

from django.db.models import QuerySet

from tracking.models import Run


def files_of(run: Run) -> str:
    """Where they lie, as whoever read them calls it; "" of a run that was logged here."""
    value = run.metadata
    for name in ("environment", "imported_from", "path"):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def read_from_files(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.filter(metadata__environment__imported_from__path__isnull=False)
