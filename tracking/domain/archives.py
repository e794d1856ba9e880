"""All files of a run as one ZIP, made while it is being sent: never whole in memory or on disk."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import PurePosixPath

from zipstream import ZipStream  # type: ignore[import-untyped]

from tracking.domain.artifacts import has_file, open_artifact
from tracking.domain.pieces import PIECE_BYTES, in_reader
from tracking.domain.portions import in_portions
from tracking.errors import NotFound
from tracking.models import Artifact, Run

UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')  # Windows takes none of these in a file's name
DEVICE = re.compile(
    r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE
)  # and has its own `con.txt`
MISSING = "MISSING.txt"
ASKED_AT_ONCE = 16  # whether a file is there may take a while where the store is far
# With exactly so many files zipstream 1.9 writes 76 bytes more than it says.
MISCOUNTED_FILES, MISCOUNTED_BYTES = 65_535, 76


@dataclass(frozen=True, slots=True)
class Archive:
    """`pieces` come to exactly `size_bytes`, or end in an error. They read files: not on a loop."""

    size_bytes: int
    pieces: Iterator[bytes]


def zip_artifacts(run: Run) -> Archive:
    """The run's files under their names. A file that is gone already is named in MISSING.txt.

    Entries are stored, not compressed: weights hardly shrink, deflating them takes ten times as
    long, and only so the size is known beforehand. A file that goes while it is being sent ends the
    archive with an error, so that nobody takes it for whole. One query. Raises: NotFound,
    StoreAway. Source: Dashboard API, "Downloading Artifacts".
    """
    artifacts = list(run.artifacts.filter(deleted_at=None))
    if not artifacts:
        raise NotFound("No artifacts found for this run")
    archive, names = ZipStream(sized=True), EntryNames()
    gone: list[str] = []
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        presence = list(pool.map(has_file, artifacts))
    for artifact, is_there in zip(artifacts, presence, strict=True):
        if is_there:
            archive.add(_read(artifact), names.add(str(artifact)), size=artifact.size_bytes)
        else:
            gone.append(str(artifact))
    if len(gone) == len(artifacts):
        raise NotFound("No artifact files found")
    if gone:
        archive.add("\n".join(gone) + "\n", names.add(MISSING))
    extra = MISCOUNTED_BYTES if archive.num_queued() == MISCOUNTED_FILES else 0
    # A thousand small files are a few pieces.
    pieces = map(b"".join, in_portions(archive, PIECE_BYTES))
    return Archive(len(archive) + extra, pieces)


async def read_pieces(archive: Archive) -> AsyncIterator[bytes]:
    """The pieces, each made in a thread when it is wanted."""
    # Never closed by hand: a thread may still be in it. It closes its file when it is let go.
    step = in_reader(partial(next, archive.pieces, b""))
    while piece := await step():
        yield piece


class EntryNames:
    """Names of files in an archive that unpack anywhere: inside it, and each on its own."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, name: str) -> str:
        """The name for the next file; it is told apart from an equal one by `-2` and so on."""
        path = PurePosixPath(*_safe_parts(name))
        if not self._files.isdisjoint(_folded(path.parents)):  # one of its folders is a file
            path = PurePosixPath("_".join(path.parts))
        free = next(one for one in _spellings(path) if self._is_free(one))
        self._files.update(_folded([free]))
        self._folders.update(_folded(free.parents))
        return str(free)

    def _is_free(self, path: PurePosixPath) -> bool:
        (name,) = _folded([path])
        return name not in self._files and name not in self._folders


def _folded(paths: Iterable[PurePosixPath]) -> list[str]:
    """As systems see them for which upper and lower case are the same."""
    return [str(path).casefold() for path in paths]


def _spellings(path: PurePosixPath) -> Iterator[PurePosixPath]:
    yield path
    for n in count(2):
        yield path.with_stem(f"{path.stem}-{n}")


def _safe_parts(name: str) -> list[str]:
    parts = (UNSAFE.sub("_", part).rstrip(". ") for part in re.split(r"[/\\]", name))
    named = [f"_{part}" if DEVICE.match(part) else part for part in parts if part]
    return named or ["file"]


def _read(artifact: Artifact) -> Iterator[bytes]:
    with open_artifact(artifact) as file:
        yield from file.chunks(PIECE_BYTES)
