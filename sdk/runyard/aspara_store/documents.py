"""What a run's own processes change in its document."""

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from runyard.artifacts import Artifact
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.metadata import (
    Change,
    Document,
    as_list,
    as_map,
    change_run,
    put_job_tags,
)
from runyard.files.documents import sync_file
from runyard.lifecycle import Status
from runyard.notices import Once, warn

MERGED = ("config", "summary")
EXIT_CODES = {"completed": 0, "failed": 1, "cancelled": 130, "SIGTERM": 143}  # as shells have it


class RunDocument:
    """Changes that a bad disk does not take wait for the next one."""

    def __init__(self, paths: RunPaths, uid: str) -> None:
        self._paths = paths
        self._uid = uid
        self._waiting: list[Change] = []
        self._notices = Once()
        self._lock = threading.RLock()
        self._is_busy = False

    def record(self, kind: str, payload: dict[str, Any]) -> None:
        """An event as docs/ingest.md has it."""

        def put(document: Document) -> None:
            if kind in MERGED:
                as_map(document, kind).update(payload)
            elif kind == "tags":
                put_job_tags(document, payload["tags"])
            else:
                document.update(payload)

        self._change(put)

    def add_artifact(self, artifact: Artifact) -> None:
        """One of the same name is replaced, and is whole at any time."""
        try:
            entry = self._copy(artifact)
        except OSError as error:
            warn(f"{self._paths.project}/{self._paths.name}: no copy of '{artifact.name}': {error}")
            return

        def put(document: Document) -> None:
            entries = as_list(document, "artifacts")
            entries[:] = [old for old in entries if not _is_of(old, artifact.name)]
            entries.append(entry)

        self._change(put)

    def end(self, status: Status, exit_code: int | None, reason: str) -> None:
        """The original knows `completed` and `failed`; what else there is to say stands beside."""
        if exit_code is None:
            exit_code = EXIT_CODES.get(reason, EXIT_CODES[status])
        ended: dict[str, Any] = {
            "is_finished": True,
            "exit_code": exit_code,
            "status": "completed" if status == "completed" else "failed",
            "finish_time": time.time_ns() // 1_000_000,
        }
        if reason:
            ended["reason"] = reason
        if status == "cancelled":
            ended["is_cancelled"] = True
        self._change(lambda document: document.update(ended))

    def _change(self, change: Change) -> None:
        """A signal handler may interrupt its own thread in here: what it changed is changed once more."""
        with self._lock:
            self._waiting.append(change)
            was_busy, self._is_busy = self._is_busy, True
            try:
                self._write(is_nested=was_busy)
            except OSError as error:
                self._notices.warn("disk", f"cannot write to {self._paths.meta}: {error}")
            else:
                self._notices.is_over()
            finally:
                self._is_busy = was_busy

    def _write(self, *, is_nested: bool) -> None:
        while self._waiting:
            count = len(self._waiting)
            try:
                change_run(self._paths, self._keep_id, *self._waiting)
            except FileNotFoundError:
                if len(self._waiting) == count:
                    raise
                continue  # a signal handler came in between, and its draft was ours
            if is_nested:
                return
            del self._waiting[:count]

    def _keep_id(self, document: Document) -> None:
        """Where a damaged document was begun anew."""
        document.setdefault("run_id", self._uid)

    def _copy(self, artifact: Artifact) -> dict[str, Any]:
        """Raises: OSError."""
        folder = self._paths.artifacts
        folder.mkdir(parents=True, exist_ok=True)
        draft = (
            self._paths.files / f".{uuid4().hex}.part"
        )  # not among the artifacts: it is none yet
        try:
            shutil.copyfile(artifact.path, draft)
            sync_file(draft)
            draft.replace(folder / artifact.name)
        finally:
            draft.unlink(missing_ok=True)
        said = {"description": artifact.description, "category": artifact.category}
        return {
            "name": artifact.name,
            "original_path": os.path.abspath(artifact.path),  # noqa: PTH100 -- links stay links
            "stored_path": str(Path("artifacts") / artifact.name),
            "file_size": (folder / artifact.name).stat().st_size,
            "timestamp": time.time_ns() // 1_000_000,
            **{key: value for key, value in said.items() if value},
        }


def _is_of(entry: object, name: str) -> bool:
    return isinstance(entry, dict) and entry.get("name") == name
