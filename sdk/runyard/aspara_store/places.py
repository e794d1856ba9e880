"""Makes a run's place among the files, or finds it."""

import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from runyard import life
from runyard.aspara_store.archive import load_polars
from runyard.aspara_store.layout import Backend, RunPaths, find_runs
from runyard.aspara_store.metadata import Document, as_map, change_run, new_run, put_job_tags
from runyard.errors import RunExists
from runyard.files.documents import locked, read_document, sync_file
from runyard.names import generate_name
from runyard.notices import warn

MAX_NAME_LENGTH = 230  # a file name has 255, and ours have something in front and behind
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Claim(NamedTuple):
    """A run that is there, and how its rows are stored. `is_joined`: others have begun it, and end it."""

    paths: RunPaths
    uid: str
    backend: Backend
    is_joined: bool = False


def claim(
    paths: RunPaths, start: Mapping[str, Any], uid: str, backend: Backend, *, is_joined: bool
) -> Claim:
    """Make a run, resume it, or join the one that a parent handed down. Without a name one is made up.

    A run that is to be resumed is joined while somebody logs to it, else it goes on as ours.
    Of processes that want the same name at the same time one gets it. Raises: RunExists, ValueError,
    OSError, ImportError without polars.
    """
    if backend == "polars":
        load_polars()  # before anything is written
    if len(paths.name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"The name has {len(paths.name)} characters; as a file it may have {MAX_NAME_LENGTH}."
        )
    paths.folder.mkdir(parents=True, exist_ok=True)
    with locked(paths.project_lock):
        paths = paths if paths.name else _name(paths, uid if is_joined else "")
        if not paths.exists():
            return _create(paths, start, uid, backend)
        is_over = bool(start.get("resume")) and not life.is_held(paths.life)
        if is_joined and not is_over and _run_id(paths) in {uid, None}:  # None: it is damaged
            return Claim(paths, uid, _backend_of(paths, backend), is_joined=True)
        if not start.get("resume"):
            raise RunExists(
                f"Run '{paths.name}' already exists in project '{paths.project}' "
                f"({paths.root}). Pass resume=True to go on with it, or choose another name."
            )
        found = _backend_of(paths, backend)
        document = change_run(paths, lambda document: _resume(document, start, uid))
        return Claim(paths, document["run_id"], found)


def _name(paths: RunPaths, joined_uid: str) -> RunPaths:
    """The run with this id, else one whose name is free."""
    if joined_uid:
        for run in find_runs(paths.root, paths.project):
            if _run_id(run) == joined_uid:
                return run
    while (paths := paths._replace(name=generate_name())).exists():
        pass
    return paths


def _run_id(paths: RunPaths) -> object:
    try:
        return (read_document(paths.meta) or {}).get("run_id")
    except (OSError, ValueError):
        return None


def _backend_of(paths: RunPaths, asked: Backend) -> Backend:
    """A run stays with the backend it has. Raises: ImportError without polars."""
    found = paths.backend()
    if found != asked:
        warn(f"the rows of '{paths.name}' are stored as '{found}': it goes on like that.")
    if found == "polars":
        load_polars()
    return found


def _create(paths: RunPaths, start: Mapping[str, Any], uid: str, backend: Backend) -> Claim:
    """The rows' file comes last: with it the run is there for others."""
    _set_aside(paths)
    now_ms = time.time_ns() // 1_000_000

    def begin(document: Document) -> None:
        document.update(new_run(uid, now_ms))
        _describe(document, start)

    change_run(paths, begin)
    if backend == "polars":
        paths.wal.touch()
    paths.rows.touch()
    sync_file(paths.folder)
    return Claim(paths, uid, backend)


def _set_aside(paths: RunPaths) -> None:
    """The original deletes a run without its archive: what is there would become ours."""
    if paths.has_archive():
        number = time.time_ns()
        paths.archive.rename(paths.folder / f".{paths.name}_archive.{number}")
        warn(f"rows of a deleted run '{paths.name}' are kept in {paths.folder}, out of the way.")


def _resume(document: Document, start: Mapping[str, Any], uid: str) -> None:
    """What is not given stays: tags and notes of people above all."""
    known = dict(document)
    document.update({**new_run(uid, time.time_ns() // 1_000_000), **known})
    run_id = document["run_id"]
    if not isinstance(run_id, str) or not RUN_ID.fullmatch(
        run_id
    ):  # it is handed down to other processes
        document["run_id"] = uid
    document.update(is_finished=False, exit_code=None, status="wip", finish_time=None)
    for key in ("reason", "is_cancelled"):
        document.pop(key, None)
    _describe(document, start)


def _describe(document: Document, start: Mapping[str, Any]) -> None:
    if "tags" in start:
        put_job_tags(document, start["tags"])
    for key in ("notes", "environment"):
        if key in start:
            document[key] = start[key]
    as_map(document, "config").update(start.get("config", {}))
