"""Saved files: `files/<path>/<id>/<filename>`, and the list of them."""

import contextlib
import hashlib
import mimetypes
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runyard.dash.names import file_path
from runyard.dash.reading import complete_entry
from runyard.dash.records import FileEntry
from runyard.drafts import drafted
from runyard.errors import DamagedFile
from runyard.files.documents import locked, read_shared, replace_document, utc_now
from runyard.values import as_json, as_json_map

COPY_BYTES = 1024**2
CHANGEABLE = ("description", "tags", "bindrs", "metadata")


class Files:
    """`experiment_id`: what the entries say their experiment is."""

    def __init__(self, folder: Path, experiment_id: str) -> None:
        self.folder = folder
        self._experiment_id = experiment_id
        self._list = folder / ".files_metadata.json"
        self._lock = folder / ".files_metadata.lock"

    def save(self, source: Path, entry: FileEntry) -> dict[str, Any]:
        """A copy, listed once it is whole. One of the same path and name is replaced.

        Raises: OSError, TypeError, ValueError.
        """
        listed = describe_file(entry, self._experiment_id)
        target = self.folder / file_path(listed["path"], entry.id, entry.filename)
        target.parent.mkdir(parents=True)
        try:
            listed["checksum"], listed["sizeBytes"] = copy(source, target)
        except BaseException:
            shutil.rmtree(target.parent, ignore_errors=True)
            raise
        try:
            replaced = self._change_list(lambda entries: _put(entries, listed))
        except OSError:
            shutil.rmtree(target.parent, ignore_errors=True)
            raise
        for old in replaced:
            self._remove_bytes(old)
        return listed

    def live_entries(self) -> list[dict[str, Any]]:
        return [entry for entry in self._read_list() if entry["deletedAt"] is None]

    def fetch(self, file_id: str, target: Path | None) -> Path:
        """Copy it to `target`, a file or a directory; by default under its name where one is.

        Raises: DamagedFile, with nothing left behind; FileNotFoundError, OSError.
        """
        entry = _find(self._read_list(), file_id)
        source = self.folder / file_path(entry["path"], file_id, entry["filename"])
        target = Path.cwd() if target is None else target
        if target.is_dir():
            target /= entry["filename"]
        with drafted(target) as draft:
            checksum, _ = copy(source, draft)
            if entry["checksum"] and checksum != entry["checksum"]:
                raise DamagedFile(
                    f"{entry['filename']} is not what was saved: its checksum differs."
                )
        return target

    def update(self, file_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: FileNotFoundError, OSError, TypeError, ValueError."""
        known = {key: as_json(changes[key], key) for key in CHANGEABLE if key in changes}
        return self._touch(file_id, lambda: known | {"updatedAt": utc_now()})

    def delete(self, file_id: str) -> dict[str, Any]:
        """The bytes stay. Raises: FileNotFoundError, OSError."""
        now = utc_now()
        entry = self._touch(file_id, lambda: {"deletedAt": now, "updatedAt": now})
        return {"id": entry["id"], "deletedAt": entry["deletedAt"]}

    def _touch(self, file_id: str, change: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def put(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
            entry = _find(entries, file_id)
            entry.update(change())
            return [entry]

        (entry,) = self._change_list(put)
        return complete_entry(entry) or entry

    def _read_list(self) -> list[dict[str, Any]]:
        entries = read_shared(self._list, self._lock).get("files")
        found = entries if isinstance(entries, list) else []
        known = (complete_entry(entry) for entry in found if isinstance(entry, dict))
        return [entry for entry in known if entry]

    def _change_list(
        self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """What `change` returns, which works on the entries in place."""
        outcome: list[dict[str, Any]] = []

        def put(document: dict[str, Any]) -> dict[str, Any]:
            found = document.get("files")
            found = found if isinstance(found, list) else []
            entries = [entry for entry in found if isinstance(entry, dict)]
            outcome.extend(change(entries))
            return document | {"files": entries}

        with locked(self._lock):
            replace_document(self._list, put)
        return outcome

    def _remove_bytes(self, entry: dict[str, Any]) -> None:
        with contextlib.suppress(ValueError, KeyError):
            path = file_path(entry["path"] or "", entry["id"], entry["filename"])
            shutil.rmtree((self.folder / path).parent, ignore_errors=True)


def describe_file(
    entry: FileEntry, experiment_id: str | None, size_bytes: int = 0, checksum: str = ""
) -> dict[str, Any]:
    """The 14 keys of a new file. Raises: TypeError, ValueError."""
    now = utc_now()
    metadata = None if entry.metadata is None else as_json_map(entry.metadata, "metadata")
    return {
        "id": entry.id,
        "experimentId": experiment_id,
        "path": f"/{entry.path.strip('/')}",
        "filename": entry.filename,
        "description": as_json(entry.description, "description"),
        "tags": as_json(list(entry.tags), "tags"),
        "bindrs": as_json(list(entry.bindrs), "bindrs"),
        "contentType": mimetypes.guess_type(entry.filename)[0] or "application/octet-stream",
        "sizeBytes": size_bytes,
        "checksum": checksum,
        "metadata": metadata,
        "uploadedAt": now,
        "updatedAt": now,
        "deletedAt": None,
    }


def copy(source: Path, target: Path) -> tuple[str, int]:
    """The SHA-256 and the size of what was copied, which is on the disk then. Raises: OSError."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(COPY_BYTES):
            digest.update(block)
            size += writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), size


def _put(entries: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """In the place of a live one of the same path and name, which is returned."""
    for i, old in enumerate(entries):
        if (_place(old), old.get("deletedAt")) == (_place(new), None):
            entries[i] = new
            return [old]
    entries.append(new)
    return []


def _place(entry: dict[str, Any]) -> tuple[str, object]:
    return str(entry.get("path") or "").strip("/"), entry.get("filename")


def _find(entries: list[dict[str, Any]], file_id: str) -> dict[str, Any]:
    """The live one. Raises: FileNotFoundError."""
    for entry in entries:
        if entry.get("id") == file_id and entry.get("deletedAt") is None:
            return entry
    raise FileNotFoundError(f"There is no file {file_id}, or it was deleted.")
