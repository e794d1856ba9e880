"""What a store of experiments is told: who an experiment is, and what a file is."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class About(NamedTuple):
    """An experiment. `prefix` is owner/project/folder/name; `folder` may have several parts or none."""

    prefix: str
    owner: str
    project: str
    folder: str
    name: str
    readme: str | None = None
    tags: Sequence[str] = ()
    bindrs: Sequence[str] = ()
    metadata: Mapping[str, Any] | None = None


class FileEntry(NamedTuple):
    """A file that is to be saved. `path` is its folder: `/`, `/models`."""

    id: str
    path: str
    filename: str
    description: str | None = None
    tags: Sequence[str] = ()
    bindrs: Sequence[str] = ()
    metadata: Mapping[str, Any] | None = None


def make_file_id() -> str:
    """Decimal text that grows with time: milliseconds, then 12 random bits."""
    return str(time.time_ns() // 1_000_000 << 12 | secrets.randbits(12))
