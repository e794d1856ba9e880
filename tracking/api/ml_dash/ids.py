"""Ids on ML-Dash's wire: texts of digits, whose first one tells what they number.

A project is 1 and its number in 18 digits, a folder 2…, an experiment 3…; an experiment and its node
are one. Files have the ids that clients made for them, which are shorter. Where an experiment's id
is expected, the run's UUID is one too.
"""

import re
import uuid

from django.db.models import Q

from tracking.domain.access import (
    Caller,
    require_manage,
    require_write,
    visible_projects,
    visible_runs,
)
from tracking.errors import NotFound
from tracking.models import Artifact, Folder, Project, Run

PROJECT, FOLDER, EXPERIMENT = 1, 2, 3
OWN_ID = re.compile(r"([123])([0-9]{18})")
FILE_ID = re.compile(r"[0-9]{1,18}")
Node = Project | Folder | Run | Artifact


def project_id(project: Project) -> str:
    return _make(PROJECT, project.pk)


def folder_id(folder: Folder) -> str:
    return _make(FOLDER, folder.pk)


def experiment_id(run: Run) -> str:
    return _make(EXPERIMENT, run.pk)


def _make(kind: int, number: int) -> str:
    return f"{kind}{number:018d}"


def find_project(user: Caller, text: str, *, write: bool = False, manage: bool = False) -> Project:
    """Raises: NotFound, NotPermitted."""
    kind, number = _parse(text)
    projects = visible_projects(user).select_related("owner").filter(pk=number)
    project = projects.first() if kind == PROJECT else None
    if project is None:
        raise NotFound(f"Project {text[:40]} not found")
    if manage:
        require_manage(user, project)
    elif write:
        require_write(user, project)
    return project


def find_experiment(user: Caller, text: str, *, write: bool = False) -> Run:
    """The run of an id or of a UUID, with its project loaded. Raises: NotFound, NotPermitted."""
    kind, number = _parse(text)
    meant = {"pk": number} if kind == EXPERIMENT else {"uid": _parse_uuid(text)}
    run = visible_runs(user).select_related("project__owner").filter(**meant).first()
    if run is None:
        raise NotFound(f"Experiment {text[:40]} not found")
    if write:
        require_write(user, run.project)
    return run


def find_folder(user: Caller, text: str, *, write: bool = False) -> Folder:
    """With its project and its run loaded: one in a run is wherever that is now.

    Raises: NotFound, NotPermitted.
    """
    kind, number = _parse(text)
    visible = visible_projects(user)
    folders = Folder.objects.filter(
        Q(run=None, project__in=visible) | Q(run__project__in=visible, run__deleted_at=None),
        pk=number,
    )
    folder = folders.select_related("project", "run__project").first() if kind == FOLDER else None
    if folder is None:
        raise NotFound(f"Folder {text[:40]} not found")
    if write:
        require_write(user, folder.run.project if folder.run else folder.project)
    return folder


def find_file(user: Caller, text: str, *, write: bool = False) -> Artifact:
    """A file that was not deleted, its run and project loaded. Raises: NotFound, NotPermitted."""
    uid = int(text) if FILE_ID.fullmatch(text) else None
    files = Artifact.objects.filter(run__in=visible_runs(user), uid=uid, deleted_at=None)
    file = None if uid is None else files.select_related("run__project").first()
    if file is None:
        raise NotFound(f"File {text[:40]} not found")
    if write:
        require_write(user, file.run.project)
    return file


def find_node(user: Caller, text: str, *, write: bool = False) -> Node:
    """Whatever has this id. Raises: NotFound, NotPermitted."""
    kind, _ = _parse(text)
    if kind == PROJECT:
        return find_project(user, text, write=write)
    if kind == FOLDER:
        return find_folder(user, text, write=write)
    if kind == EXPERIMENT or _parse_uuid(text):
        return find_experiment(user, text, write=write)
    return find_file(user, text, write=write)


def _parse(text: str) -> tuple[int, int]:
    """What it numbers, and its number there; zeros for what is no id of ours."""
    found = OWN_ID.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _parse_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) in {32, 36} else None
    except ValueError:
        return None
