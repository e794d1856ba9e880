"""A run's status as one word says it, and the run as it is now."""

from tracking.domain.runs import finish_run, reopen_run, update_run
from tracking.enums import RunStatus
from tracking.errors import RunDeleted
from tracking.models import Run


def lock_run(run_id: int) -> Run:
    """The run as it is now, and nobody else's to change before this transaction ends.

    Raises: RunDeleted.
    """
    runs = Run.objects.select_related("project__owner").select_for_update(of=("self",))
    run = runs.filter(pk=run_id).first()
    if run is None:
        raise RunDeleted("The run was deleted.")
    return run


def set_status(
    run_id: int,
    status: RunStatus | None,
    *,
    readme: str | None = None,
    tags: list[str] | None = None,
) -> Run:
    """End the run, or let it go on; None leaves it as it is. Call it inside a transaction."""
    run = lock_run(run_id)
    if status == RunStatus.RUNNING:
        reopen_run(run)
    elif status:
        finish_run(run, status=status)
    if readme is not None or tags is not None:
        update_run(run, readme=readme, tags=tags)
    return run
