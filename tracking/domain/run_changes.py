"""Several changes of a run at once, as one request may ask for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tracking.domain.runs import finish_run, merge_config, reopen_run, update_run
from tracking.enums import RunStatus
from tracking.errors import InvalidInput, RunDeleted
from tracking.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanges:
    """What is None stays as it is. `config` is merged into what there is, so that nothing is lost."""

    name: str | None = None
    tags: list[str] | None = None
    notes: str | None = None
    config: dict[str, Any] | None = None
    status: RunStatus | None = None
    ended_at: datetime | None = None


@transaction.atomic
def change_run(run: Run, changes: RunChanges) -> Run:
    """Make the changes, all or none; returns the run as it is stored then.

    Raises: RunDeleted; InvalidInput for the end of a run that has not ended.
    """
    stored = Run.objects.select_for_update().filter(pk=run.pk).first()
    if stored is None:
        raise RunDeleted("The run was deleted.")
    if (changes.name, changes.tags, changes.notes) != (None, None, None):
        update_run(stored, name=changes.name, tags=changes.tags, notes=changes.notes)
    if changes.config:
        merge_config(stored, changes.config)
    _set_status(stored, changes)
    return stored


def _set_status(run: Run, changes: RunChanges) -> None:
    status = changes.status or RunStatus(run.status)
    if status == RunStatus.RUNNING:
        if changes.ended_at:
            raise InvalidInput("ended_at: a running run has no end.", field="ended_at")
        if run.is_finished:
            reopen_run(run)
    elif changes.ended_at or status != run.status:
        finish_run(run, status=status, ended_at=changes.ended_at or run.ended_at, is_exact=True)
