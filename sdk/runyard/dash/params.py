"""Parameters of an experiment: `parameters.json`, flat names and their values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.files.documents import locked, read_shared, replace_document, utc_now
from runyard.values import as_json_map


class Params:
    """For one thread at a time."""

    def __init__(self, home: Path) -> None:
        self._path = home / "parameters.json"
        self._lock = home / ".parameters.lock"
        self._unsaved: dict[str, Any] = {}

    def add(self, params: Mapping[str, Any]) -> None:
        """All of them or, if one cannot be stored, none. Raises: TypeError naming it, ValueError."""
        self._unsaved |= as_json_map(params, "params")

    @property
    def unsaved_count(self) -> int:
        return len(self._unsaved)

    def save(self) -> None:
        """What the disk refuses is kept for the next time. Raises: OSError."""
        if self._unsaved:
            with locked(self._lock):
                replace_document(self._path, self._merge)
            self._unsaved = {}

    def read(self) -> dict[str, Any]:
        data = read_shared(self._path, self._lock).get("data")
        return (data if isinstance(data, dict) else {}) | self._unsaved

    def _merge(self, found: dict[str, Any]) -> dict[str, Any]:
        data, version, now = found.get("data"), found.get("version", 0), utc_now()
        return {
            "version": version + 1 if isinstance(version, int) else 1,
            "data": (data if isinstance(data, dict) else {}) | self._unsaved,
            "createdAt": found.get("createdAt") or found.get("updatedAt") or now,
            "updatedAt": now,
        }
