"""Folders of runs: they are nothing but the paths that runs lie under, `sweeps/lr`."""

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left

from tracking.models import Project, Run


def in_folder(runs: QuerySet[Run], path: str) -> QuerySet[Run]:
    """The runs in the folder and in those below it; of "" all."""
    if not path:
        return runs
    # Compared letter by letter: SQLite's LIKE takes `Sweeps/` for `sweeps/`.
    below = f"{path}/"
    starts = runs.alias(folder_start=Left("folder", len(below)))
    return starts.filter(Q(folder=path) | Q(folder_start=below))


def count_by_folder(project: Project) -> dict[str, int]:
    """Folder → how many runs lie right in it, archived ones left out. One query."""
    runs = project.runs.filter(archived_at=None).order_by()
    return dict(runs.values("folder").annotate(n=Count("pk")).values_list("folder", "n"))
