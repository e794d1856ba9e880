"""Changes that people make by hand: nobody overwrites what they have not seen."""

import hashlib
import json
from typing import Any

from django.db import transaction

from tracking.domain.projects import update_project
from tracking.domain.runs import update_run
from tracking.domain.values import clean_name, clean_tags, clean_text
from tracking.errors import NotFound
from tracking.models import Project, Run

RUN_FIELDS = ("name", "tags", "notes", "readme")
PROJECT_FIELDS = ("tags", "description", "notes")


def fingerprint(value: object) -> str:
    """Short, the same for the same value; what an edit says it started from."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


@transaction.atomic
def edit_run(run: Run, field: str, value: Any, *, seen: str) -> bool:
    """Replace one of RUN_FIELDS, unless somebody else did since `seen`; tells whether it is so now.

    `seen` is the fingerprint of the value that the edit started from. Otherwise `run` gets the
    value that is stored now. No sign of life of the training. Raises: InvalidInput, NotFound.
    """
    clean = clean_name if field == "name" else clean_tags if field == "tags" else clean_text
    changed: Any = clean(value, field)
    stored = Run.objects.select_for_update().filter(pk=run.pk).first()
    if stored is None:
        raise NotFound(f"Run '{run.key}' was deleted.")
    if not _may_replace(run, stored, field, changed, seen):
        return False
    update_run(run, is_alive=False, **{field: changed})
    return True


@transaction.atomic
def edit_project(project: Project, field: str, value: Any, *, seen: str) -> bool:
    """As `edit_run`, for one of PROJECT_FIELDS."""
    changed: Any = clean_tags(value) if field == "tags" else clean_text(value, field)
    stored = Project.objects.select_for_update().filter(pk=project.pk).first()
    if stored is None:
        raise NotFound(f"Project '{project.key}' was deleted.")
    if not _may_replace(project, stored, field, changed, seen):
        return False
    update_project(project, **{field: changed})
    return True


def _may_replace(
    shown: Run | Project, stored: Run | Project, field: str, changed: object, seen: str
) -> bool:
    """Sending the same form twice is no conflict."""
    current = getattr(stored, field)
    setattr(shown, field, current)
    return fingerprint(current) == seen or current == changed
