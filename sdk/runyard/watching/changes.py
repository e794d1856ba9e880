"""What a tree of files offers to a watcher: runs, and which of them have changed."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from runyard.importing.source import FoundRun, Strand

# Times of files go in steps of a few milliseconds: what has just changed may change again unseen.
SETTLE_NS = 50_000_000

Mark = tuple[int, int, int]  # of a file: which one, how long, when it was written
NOTHING: Mark = (0, 0, 0)


class WatchedRun(Protocol):
    """`place` tells it from all others."""

    place: str

    def describe(self, known: str) -> FoundRun | None:
        """None as long as there is nothing of it. `known`: its identity before. Raises: OSError."""

    def strands(self, run: FoundRun) -> Iterator[Strand]: ...

    def is_alive(self) -> bool:
        """Whether a process has it open."""

    def write_back(self, values: Mapping[str, Any]) -> None:
        """People's edits: `tags`, `notes`, `readme`. Raises: OSError, ValueError."""


class Change(NamedTuple):
    """`rows`: nothing but lines have been added. `changed_at`: in seconds since 1970."""

    run: WatchedRun
    kind: Literal["rows", "documents", "gone"]
    changed_at: float = 0.0


class Words(NamedTuple):
    """Of a project, as its file has them."""

    place: str
    name: str
    values: dict[str, Any]


class Tree(Protocol):
    """A directory that is watched."""

    root: Path

    def poll(self) -> Iterator[Change]:
        """What has changed since the last time; at first everything. Raises: OSError."""

    def projects(self) -> Iterator[Words]:
        """Those whose words have changed since the last time."""

    def write_project(self, place: str, values: Mapping[str, Any]) -> None:
        """People's edits. Raises: OSError."""

    def problems(self) -> list[str]:
        """What could not be read since the last time, for people."""


def mark_of(path: str) -> Mark:
    """NOTHING where there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- a thousand of them several times a second
    except OSError:
        return NOTHING
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_settled(mark: Mark, now_ns: int) -> bool:
    """Whether what was read after the mark was taken is all that was written by then."""
    return mark[2] < now_ns - SETTLE_NS


def has_only_grown(now: Mark, before: Mark) -> bool:
    """Whether it is the same file, longer by some lines. Its first line is more than that."""
    return now == before or (now[0] == before[0] and 0 < before[1] <= now[1])
