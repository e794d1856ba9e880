"""What a format offers to be imported: runs, and strands of records in them.

Nothing is remembered on this machine. The server keeps a watermark for each producer, so a strand's
producer is named after where its records come from, and its records are numbered as they stand
there: record 1 is the start, the others follow from 2 on. What is at or below the watermark has
arrived before.

So a strand is either append-only (a file of rows), or of one state (the params as they are now, with
a fingerprint of them in its identity: another state is another strand).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid5

from runyard.files.probing import open_file
from runyard.records import Lost, encode_event
from runyard.values import as_time_us

SPACE = UUID("5c8e6f4b-0a0e-5d55-9d0a-7a3d5b1f6c21")  # of names that imports make

TAIL_BYTES = 64 * 1024
FIRST_BYTES = 1024**2  # of a first line, which are enough to know it again
SKEW_US = 5_000_000  # between the clocks of a job and of the server
MINUTE_US = 60_000_000
MAX_FILE_ID = 10**18 - 1
PATH = ("namespace", "project_name", "folder", "name")  # of a start that has free names

Ask = Callable[[str], dict[str, Any]]
Record = bytes | Lost  # framed, as `runyard.records` encodes them


class Problem(NamedTuple):
    """What was left out. `is_loss`: it should be there, and is not."""

    place: str
    reason: str
    is_loss: bool = True


class Parcel(NamedTuple):
    """A file that is uploaded before the records of its strand. `entry`: what is said of it."""

    path: Path
    entry: Mapping[str, Any]


class Place(NamedTuple):
    """Behind a record of an append-only file: where to go on, and what later records may leave unsaid."""

    offset: int = 0
    seq: int = 1
    step: int = -1
    time_us: int = 0


class Tail(Protocol):
    """A strand that grows, to be read on from a place. `path`: of the file that grows."""

    path: Path

    def read_after(self, place: Place) -> Iterator[tuple[Place, Record]]: ...

    def problems(self) -> Iterator["Strand"]:
        """What could not be read so far, for people to see beside the rest."""


class Strand(NamedTuple):
    """Records of one origin. `read(n)` gives those after number n, beginning anew each time.

    `identity` tells it from the run's other strands, and is the same wherever the source lies now.
    `start` says more than where the run is. `is_there` finds out whether the run has these records
    by another way, as when a job wrote them to disk and to the server; it may ask for what lies
    below the run's address. `is_shared`: somebody else may bring it to a run that we have just made.
    `is_open`: the run counts as running only because it is young.
    """

    name: str
    identity: str
    read: Callable[[int], Iterator[Record]]
    start: Mapping[str, Any] = {}
    parcel: Parcel | None = None
    is_there: Callable[[Ask], bool] | None = None
    tail: Tail | None = None
    is_open: bool = False
    is_shared: bool = False


class FoundRun(NamedTuple):
    """`start`: the payload of docs/ingest.md. `identity`: the same however often the run is found.

    `project` and `key` are needed where the start has no free names in it. `is_live`: its job is
    known to be alive; of others what is brought is no sign of life. `is_doubtful`: it may be one that
    the server knows by another identity, so it must not become a second one beside that.
    """

    identity: str
    source: str
    start: dict[str, Any]
    place: str
    project: str = "imported"
    key: str = "run"
    uid: str = ""
    is_live: bool = False
    is_doubtful: bool = False

    @property
    def run_uid(self) -> str:
        return self.uid or _name_uid(f"run {self.source} {self.identity}")

    @property
    def title(self) -> str:
        """As people know it."""
        names = [self.start.get(name) for name in PATH]
        return "/".join(name for name in names if name) or f"{self.project}/{self.key}"

    @property
    def where(self) -> dict[str, Any]:
        """What every strand's start says, so that it finds the run."""
        said = {name: self.start[name] for name in PATH if self.start.get(name)}
        return {"source": self.start.get("source", "aspara"), **said}

    def producer(self, strand: Strand) -> str:
        return _name_uid(f"{self.source} {self.identity} {strand.identity}")


class Options(NamedTuple):
    """What people may say of an import. `project`: another one than the source names.

    `idle_s`: a run of which no end is known, and of which nothing was written for so long, is over.
    `step`, `run`: the columns of tables that say it. `row`: what a row tells of, "run" or "point";
    `config`: the columns that are config where it is a run.
    """

    project: str = ""
    idle_s: float = 3600.0
    step: str = ""
    run: str = ""
    row: str = ""
    config: tuple[str, ...] = ()


class Source(Protocol):
    """A directory or file of some format. `problems` grow while it is read."""

    problems: list[Problem]

    def find(self) -> Iterator[FoundRun]: ...

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        """To be read one after the other: the run exists by then."""


def first_strand(run: FoundRun) -> Strand:
    """It makes the run, once and for all: one that was deleted on the server stays deleted."""
    return state("start", "run", run.start)


def whole(run: FoundRun, strand: Strand) -> Strand:
    """With its start among the records: one request less for a strand that is surely new."""
    start = encode("start", {**run.where, **strand.start})
    return strand._replace(read=lambda after: chain([start][after:], strand.read(max(after, 1))))


def state(name: str, identity: str, start: Mapping[str, Any]) -> Strand:
    """A strand that says all in its start."""
    return Strand(name, identity, lambda _: iter(()), start)


def events(name: str, identity: str, *pairs: tuple[str, dict[str, Any]]) -> Strand:
    """A strand of a few events."""
    return Strand(name, identity, lambda after: (encode(*pair) for pair in pairs[after - 1 :]))


def encode(kind: str, payload: dict[str, Any]) -> Record:
    """What cannot be packed leaves a gap, so that the numbers of the others stay."""
    from runyard.values import as_json_map  # noqa: PLC0415 -- seldom needed

    try:
        return encode_event(kind, payload)
    except ValueError as error:  # too large, or half a surrogate pair
        if not isinstance(error, UnicodeEncodeError):
            return Lost(1, f"{kind}: {error}")
    except OverflowError:  # a number beyond 64 bits
        pass
    try:
        return encode_event(kind, as_json_map(payload, kind))
    except (TypeError, ValueError) as error:
        return Lost(1, f"{kind}: {error}")


def running(begun: object, last_us: int) -> Strand:
    """Somebody logs to the run. It is told again only where the server says that it ended before that."""
    identity = f"status running {begun} {last_us // MINUTE_US}"
    strand = state("status", identity, {"resume": True})
    return strand._replace(is_there=partial(_is_settled, last_us))


def has_ended(last_us: int, ask: Ask) -> bool:
    """Whether the server knows of an end after the last line, as from a job that told it too."""
    ended_us = _ended_us(ask)
    return ended_us is not None and ended_us + SKEW_US >= last_us


def is_running(ask: Ask) -> bool:
    return _ended_us(ask) is None


def _is_settled(last_us: int, ask: Ask) -> bool:
    """It is running there, too; or people have ended it, who have the last word until it logs again."""
    ended_us = _ended_us(ask)
    return ended_us is None or ended_us + SKEW_US >= last_us


def _ended_us(ask: Ask) -> int | None:
    text = ask("").get("experiment", {}).get("endedAt")
    return None if text is None else as_time_us(text)


def fingerprint(*contents: object) -> str:
    """The same for the same content."""
    text = json.dumps(contents, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _name_uid(text: str) -> str:
    """File names need not be text."""
    return str(uuid5(SPACE, text.encode("utf-8", "backslashreplace").decode()))


def file_number(*contents: object) -> str:
    """An id for a file that has none which the server would take."""
    return str(int(fingerprint(*contents), 16) % MAX_FILE_ID + 1)


def last_line(path: Path) -> bytes:
    """The last whole one that is not very long; b"" if there is none."""
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read(TAIL_BYTES).split(b"\n")
    return next((line for line in reversed(lines[:-1]) if line.strip()), b"")


def first_line(path: Path) -> bytes:
    """What tells an append-only file from others of its name; b"" as long as it is not whole."""
    with open_file(path) as file:
        line = file.readline(FIRST_BYTES)
        while line and not line.strip():
            line = file.readline(FIRST_BYTES)
    is_whole = line.endswith(b"\n") or len(line) == FIRST_BYTES or _is_json(line)
    return line.rstrip(b"\r\n") if is_whole else b""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
