"""What a watcher remembers: how far it has read, and what it has told.

Losing it loses nothing: the server's watermarks say the same. With it, a watcher that comes back has
nothing to ask about runs that have not changed.
"""

import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runyard import locks
from runyard.files.documents import write_bytes
from runyard.importing.source import Place, fingerprint
from runyard.sender import RunInfo

FORMAT = 1


@dataclass
class RunMemory:
    """`sent`: of each strand that is no tail the newest identity; `turns`: how often it has changed."""

    identity: str = ""
    info: dict[str, Any] | None = None
    places: dict[str, list[int]] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)  # strands that somebody else brings
    is_deleted: bool = False  # on the server, by people

    @property
    def run_info(self) -> RunInfo | None:
        return RunInfo(**self.info) if self.info else None

    def place(self, identity: str) -> Place | None:
        known = self.places.get(identity)
        return Place(*known) if known else None

    @property
    def is_running(self) -> bool:
        return self.sent.get("status", "").startswith("status running")


class Memory:
    """Of one directory that is watched. `cursor`: the last edit that was looked at."""

    def __init__(self, path: Path) -> None:
        """Raises: ValueError where another watcher uses it, OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = locks.hold_lock(path.with_suffix(".lock"), create=True)
        if self._lock is None:
            raise ValueError("Another watcher looks after this directory for this server.")
        self.cursor = 0
        self.runs: dict[str, RunMemory] = {}  # by place
        self.projects: dict[str, dict[str, Any]] = {}  # by place: tags and notes in the file
        self.is_changed = False
        self._load()

    def _load(self) -> None:
        """Damaged, or of another version: nothing is remembered."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(self._path.read_bytes())
            if found["format"] == FORMAT:
                runs = {place: RunMemory(**one) for place, one in found["runs"].items()}
                self.cursor, self.runs, self.projects = found["cursor"], runs, found["projects"]

    def run(self, place: str) -> RunMemory:
        return self.runs.setdefault(place, RunMemory())

    def forget(self, place: str) -> None:
        self.runs.pop(place, None)
        self.is_changed = True

    def save(self) -> None:
        """Raises: OSError."""
        if not self.is_changed:
            return
        runs = {place: asdict(one) for place, one in self.runs.items()}
        known = {"format": FORMAT, "cursor": self.cursor, "runs": runs, "projects": self.projects}
        write_bytes(self._path, json.dumps(known).encode(), sync=False)
        self.is_changed = False

    def close(self) -> None:
        if self._lock is not None:
            locks.let_go(self._lock)
            self._lock = None


def memory_path(directory: Path, root: Path, url: str = "") -> Path:
    """`url`: where one directory remembers for several servers."""
    return directory / f"watch-{fingerprint(str(root), url)}.json"
