"""What a store of experiments is told: who an experiment is, and what a file is."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# Of a file's id. The original has 12, which many workers that save at once do not get by with; of
# more the id would have 19 digits before 2090, and the server takes 18.
RANDOM_BITS = 18


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
    """Decimal text that grows with time: milliseconds, then random bits."""
    return str(time.time_ns() // 1_000_000 << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
