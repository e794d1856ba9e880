"""What is known of runs and projects besides rows: small documents, changed under a lock.

Each change reads what is there, touches its own keys and writes the whole: what others changed
meanwhile, people in a dashboard among them, stays.
"""

import contextlib
import json
import os
import stat
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runyard.aspara_store.layout import RunPaths
from runyard.files.documents import locked, open_draft, read_document
from runyard.notices import warn

Document = dict[str, Any]
Change = Callable[[Document], None]

PRIVATE = 0o600  # as the original has it


def new_run(run_id: str, now_ms: int) -> Document:
    return {
        "run_id": run_id,
        "tags": [],
        "job_tags": [],
        "notes": "",
        "params": {},
        "config": {},
        "artifacts": [],
        "summary": {},
        "is_finished": False,
        "exit_code": None,
        "status": "wip",
        "start_time": now_ms,
        "finish_time": None,
    }


def change_run(paths: RunPaths, *changes: Change) -> Document:
    """Returns the document as it is now. Raises: OSError."""
    with locked(paths.project_lock):
        return _replace(paths.meta, changes)


def edit_run(
    paths: RunPaths, *, tags: Sequence[str] | None = None, notes: str | None = None
) -> Document:
    """What people change in a dashboard; None leaves it as it is. Raises: OSError."""
    edits = {"tags": None if tags is None else list(tags), "notes": notes}
    return change_run(paths, lambda document: _put(document, edits))


def edit_project(
    root: Path, project: str, *, tags: Sequence[str] | None = None, notes: str | None = None
) -> Document:
    """As `edit_run`. Raises: OSError."""
    edits = {"tags": None if tags is None else list(tags), "notes": notes}
    return _change_project(root, project, lambda document: _put(document, edits))


def add_project_tags(root: Path, project: str, tags: Sequence[str]) -> Document:
    """Those it has stay. Raises: OSError."""

    def add(document: Document) -> None:
        document["tags"] = list(dict.fromkeys([*as_list(document, "tags"), *tags]))

    return _change_project(root, project, add)


def put_job_tags(document: Document, tags: Sequence[str]) -> None:
    """What the job adds and removes since it last said its tags; what others did to them stays."""
    before = as_list(document, "job_tags")
    kept = [tag for tag in as_list(document, "tags") if tag in tags or tag not in before]
    added = [tag for tag in tags if tag not in before and tag not in kept]
    document.update(tags=kept + added, job_tags=list(tags))


def as_map(document: Document, key: str) -> Document:
    """The map there, put there if need be: files may hold anything."""
    if not isinstance(document.get(key), dict):
        document[key] = {}
    found: Document = document[key]
    return found


def as_list(document: Document, key: str) -> list[Any]:
    if not isinstance(document.get(key), list):
        document[key] = []
    found: list[Any] = document[key]
    return found


def _put(document: Document, edits: Document) -> None:
    document.update({key: value for key, value in edits.items() if value is not None})


def _change_project(root: Path, project: str, change: Change) -> Document:
    folder = root / project
    folder.mkdir(parents=True, exist_ok=True)

    def stamp(document: Document) -> None:
        now = datetime.now(timezone.utc).isoformat()  # noqa: UP017 -- the SDK supports Python 3.10
        for key, value in (("notes", ""), ("tags", []), ("created_at", None)):
            document.setdefault(key, value)
        document.update(created_at=document["created_at"] or now, updated_at=now)

    with locked(folder / ".lock"):
        return _replace(folder / "metadata.json", (change, stamp))


def _replace(path: Path, changes: Sequence[Change]) -> Document:
    """A damaged document is kept beside the new one. To be called with the lock held."""
    try:
        document = read_document(path) or {}
    except ValueError as error:
        kept = path.with_name(f".{path.name}.damaged")
        path.replace(kept)
        warn(f"{path} is damaged ({error}). It is kept as {kept.name}; a new one is begun.")
        document = {}
    for change in changes:
        change(document)
    write_document(path, document)
    return document


def write_document(path: Path, document: Document) -> None:
    """Readers see the old one or the new one, and so does a power cut. Raises: OSError."""
    data = _to_bytes(document)
    draft = path.with_name(f".{path.name}.tmp")  # under the lock: one name will do
    try:
        fd = open_draft(draft, mode=PRIVATE)
        with open(fd, "wb") as file:  # noqa: PTH123 -- of a descriptor
            _keep_owner(fd, path)
            file.write(data)
            file.flush()
            os.fsync(fd)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _to_bytes(document: Document) -> bytes:
    """As the original has it, but for what others wrote and cannot be spelt so."""
    try:
        return json.dumps(document, ensure_ascii=False, indent=2).encode()
    except (UnicodeEncodeError, RecursionError):  # half a surrogate pair; very deep nesting
        return json.dumps(document).encode()


def _keep_owner(fd: int, path: Path) -> None:
    """Whoever may read the old one may read the new one: a dashboard need not be of the same user."""
    with contextlib.suppress(OSError):
        old = path.stat()
        os.fchmod(fd, stat.S_IMODE(old.st_mode))
        os.fchown(fd, old.st_uid, old.st_gid)
