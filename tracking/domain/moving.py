"""Moving runs to another project: whatever lies in them goes along, since it belongs to the run."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tracking.domain import audit
from tracking.domain.access import Caller, require_write
from tracking.domain.names import free_key
from tracking.domain.runs import revise_run
from tracking.models import Project, Run


@transaction.atomic
def move_runs(runs: QuerySet[Run], project: Project, *, user: Caller) -> int:
    """Move the runs; tells how many were elsewhere. A key that is taken there becomes `key-2`.

    A training that goes on logging logs to the run where it is now, if its user may. Watchers hear
    of it. Raises: NotPermitted, where the user may not change one of the projects.
    """
    require_write(user, project)
    elsewhere = runs.exclude(project=project).order_by("pk").select_for_update(of=("self",))
    moving = list(audit.named(elsewhere, "project__owner"))
    for source in {run.project_id: run.project for run in moving}.values():
        require_write(user, source)
    for run in moving:
        _move(run, project)
    return len(moving)


def _move(run: Run, project: Project) -> None:
    key = free_key(project.runs, run.key)
    audit.note_change(
        run, {"project": run.project.key, "key": run.key}, {"project": project.key, "key": key}
    )
    Run.objects.filter(pk=run.pk).update(project=project, key=key, updated_at=timezone.now())
    revise_run(run.pk, is_alive=False)
