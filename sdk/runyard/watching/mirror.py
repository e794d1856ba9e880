"""One run on the server, kept as its files are."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from runyard.answers import Verdict, judge
from runyard.importing.delivery import (
    Courier,
    Rewound,
    RunDeleted,
    RunLeft,
    StrandLeft,
)
from runyard.importing.source import FoundRun, Place, Record, Strand, first_strand, whole
from runyard.sender import RunInfo
from runyard.watching.changes import WatchedRun
from runyard.watching.memory import RunMemory

LIFE_S = 15.0  # between signs of life of a run that logs nothing
REFUSED_S = 60.0  # until the server is asked again for what it did not want
UNREADABLE_S = 2.0  # until a file is tried again that could not be read
LOOK_EVERY = 256  # records, between looks at the clock
STARTED = {"tags", "notes", "config", "words", "params"}  # strands that a start has said already

Edits = Callable[[str], dict[str, Any]]  # of the run with this uid, and they are taken
Say = Callable[[str], None]


class Mirror:
    """`is_behind`: there is more to read than fits in between, so others go first.

    `is_held`: a process has it open, or had when its documents changed.
    """

    def __init__(
        self, watched: WatchedRun, memory: RunMemory, courier: Courier, edits: Edits, say: Say
    ) -> None:
        self.watched = watched
        self.memory = memory
        self.is_behind = self.is_held = False
        self.has_news = True  # of anything but rows
        self.record_count = 0  # sent
        self.courier = courier
        self._edits = edits
        self._say = say
        self._run: FoundRun | None = None
        self._tails: list[Strand] = []
        self._last: list[Strand] = []  # what is told when all rows have arrived
        self._changes_seq: int | None = None
        self._is_sure = False  # that the run is there
        self._is_ours = False  # made just now: the server knows none of its strands
        self._told_at = time.monotonic()
        self._refused_until = 0.0

    @property
    def uid(self) -> str:
        """That of the server; "" as long as the run is not there."""
        return str(self.memory.info["uid"]) if self.memory.info else ""

    @property
    def project(self) -> str:
        return str(self.memory.info["project"]) if self.memory.info else ""

    def note(self, *, is_rows: bool) -> None:
        """Something has changed. A file with its first rows in it is news."""
        self.has_news = self.has_news or not is_rows or not self._tails
        if not is_rows or not self.is_held:  # to find one held takes milliseconds
            self.is_held = self.watched.is_alive()

    def update(self, is_time_up: Callable[[], bool]) -> bool:
        """Bring what is new; whether that was all. Raises: ImportStopped."""
        if self.memory.is_deleted and not self.has_news:
            return True
        if time.monotonic() < self._refused_until:
            return False
        self._is_sure = False
        try:
            return self._update(is_time_up)
        except RunDeleted:
            self.memory.is_deleted = True
            self._say(f"{self._title} was deleted on the server, and is left alone.")
        except Rewound:  # the server was set back, or is another one
            self._forget()
            return False
        except (StrandLeft, OSError, ValueError) as error:
            pause_s = REFUSED_S if isinstance(error, StrandLeft) else UNREADABLE_S
            self._refused_until, self.is_behind = time.monotonic() + pause_s, False
            self._say(f"{self._title}: {error}")
            return False
        return True

    def show_life(self) -> None:
        """Raises: ImportStopped."""
        is_due = self._told_at + LIFE_S < time.monotonic()
        if not (self.memory.is_running and is_due) or self.memory.is_deleted:
            return
        if not self.watched.is_alive() or not self._describe():
            return
        run = self._the_run()._replace(is_live=True)
        answer = self.courier.post_batch(run, first_strand(run), 2, [])
        self._told_at = time.monotonic()
        if judge(answer, receipt="acked_seq") is Verdict.GONE:
            self.memory.is_deleted = True

    @property
    def _title(self) -> str:
        return self._run.title if self._run else self.watched.place

    # ── Everything but rows ──────────────────────────────────────────────────

    def _update(self, is_time_up: Callable[[], bool]) -> bool:
        if self.has_news or self._run is None:
            if not self._describe() or self.memory.is_deleted:
                self.has_news = False
                return True
            self._bring_documents()
        for strand in self._tails:
            if not self._bring_rows(strand, is_time_up):
                self.is_behind = True
                return False
        self.is_behind = False
        for strand in self._last:
            self._tell(strand)
        self._tell_problems()
        return True

    def _describe(self) -> bool:
        """Whether there is a run. Another one under the same name is another one on the server, too."""
        found = self.watched.describe(self.memory.identity)
        if found is None:
            return False
        if self.memory.identity != found.identity:
            self.memory.__init__(identity=found.identity)  # type: ignore[misc]
            self._changes_seq, self._is_ours = None, False
        self._run = found
        return True

    def _bring_documents(self) -> None:
        is_new = self.memory.info is None
        info = self.memory.run_info or self._make_sure()
        edited = self._write_back(info)
        self._tails, self._last = [], []
        self.has_news = False
        for strand in self.watched.strands(self._the_run()):
            is_said = is_new and info.created and (strand.name in STARTED or _is_running(strand))
            if strand.tail:
                self._tails.append(strand)
            elif is_said or strand.name in edited:
                self.memory.sent[strand.name] = strand.identity
            elif strand.name == "status" and not _is_running(strand):
                self._last.append(strand)
            else:
                self._tell(strand)

    def _make_sure(self) -> RunInfo:
        """That the run is there, or people have deleted it: a strand that is new would make it anew."""
        if not self._is_sure:
            info = self.courier.open(self._the_run())
            self.memory.info = info._asdict()
            self._is_sure, self._is_ours = True, self._is_ours or info.created
        return self._info

    def _write_back(self, info: RunInfo) -> set[str]:
        """People's edits into the files; which ones. Files that cannot be written stay as they are."""
        values = self._edits(info.uid)
        if not values:
            return set()
        try:
            self.watched.write_back(values)
        except (OSError, ValueError) as error:
            self._say(f"{self._title}: the edit cannot be written back ({error}).")
            return set()
        self._describe()
        return set(values)

    def _tell(self, strand: Strand) -> None:
        """Once for each state. What the server will not have is said, and not tried again."""
        memory, run = self.memory, self._the_run()
        if memory.sent.get(strand.name) == strand.identity:
            return
        is_change = strand.name in memory.sent
        turn = memory.turns.get(strand.name, 0) + is_change
        try:
            if is_change and not strand.start and not strand.parcel:
                self._append_change(run, strand)
            else:
                identity = f"{strand.identity} {turn}" if turn else strand.identity
                self._deliver(run, strand._replace(identity=identity))
        except RunLeft:
            raise
        except StrandLeft as left:
            self._say(f"{self._title}, {strand.name}: {left}")
        memory.sent[strand.name], memory.turns[strand.name] = strand.identity, turn
        self._told_at = time.monotonic()

    def _deliver(self, run: FoundRun, strand: Strand) -> None:
        info = self._make_sure()
        if self._is_ours and not strand.parcel:
            self.courier.go_on(run, info, whole(run, strand), 0)
        else:
            self.courier.deliver(run, info, strand)

    def _append_change(self, run: FoundRun, strand: Strand) -> None:
        """All changes of a run are one strand. Its number is only sure as long as nothing goes wrong."""
        changes = Strand(strand.name, "changes", lambda _: strand.read(1))
        seq, self._changes_seq = self._changes_seq, None
        if seq is None:
            self._make_sure()
            seq = self.courier.find_watermark(run, changes)
        outcome = self.courier.go_on(run, self._info, changes, seq)
        self._changes_seq = seq + outcome.taken

    def _tell_problems(self) -> None:
        for strand in self._tails:
            for problem in strand.tail.problems() if strand.tail else ():
                self._tell(problem)

    # ── Rows ─────────────────────────────────────────────────────────────────

    def _bring_rows(self, strand: Strand, is_time_up: Callable[[], bool]) -> bool:
        """Whether all of them have arrived."""
        if strand.identity in self.memory.foreign:
            return True
        reading = self._reading(strand, is_time_up)
        if reading is None:
            self.memory.foreign.append(strand.identity)
            return True
        run, known_seq = self._the_run(), reading.known_seq
        following = strand._replace(read=lambda _: reading.records())
        if not known_seq:
            following = whole(run, following)
        outcome = self.courier.go_on(run, self._info, following, known_seq)
        self.memory.places[strand.identity] = list(reading.place)
        if outcome.taken:
            self._told_at = time.monotonic()
            self.record_count += outcome.taken - (not known_seq)
            if self.memory.sent.get("status", "").startswith("status inferred"):
                self.has_news = True  # it goes on after all
        for problem in outcome.problems:
            self._say(f"{problem.place}: {problem.reason}")
        return reading.is_whole

    def _reading(self, strand: Strand, is_time_up: Callable[[], bool]) -> "Reading | None":
        """None for rows that somebody else has brought."""
        place = self.memory.place(strand.identity)
        if place:
            return Reading(strand, place, place.seq, is_time_up)
        self._make_sure()
        if self._is_ours and not strand.is_shared:
            return Reading(strand, Place(), 0, is_time_up)
        known_seq = self.courier.find_watermark(self._the_run(), strand)
        if known_seq == 1 and self.courier.has_already(self._info, strand):
            return None
        return Reading(strand, Place(), known_seq, is_time_up)

    def _forget(self) -> None:
        """All of it: the server says how much it knows."""
        self.memory.__init__(identity=self.memory.identity)  # type: ignore[misc]
        self._changes_seq = None
        self._is_ours = False
        self.has_news = True

    @property
    def _info(self) -> RunInfo:
        info = self.memory.run_info
        assert info  # noqa: S101 -- the run has been opened
        return info

    def _the_run(self) -> FoundRun:
        assert self._run  # noqa: S101 -- it has been described
        return self._run._replace(is_live=self.is_held)


class Reading:
    """A stretch of a tail, as long as there is time. `place`: behind what was read of it."""

    def __init__(
        self, strand: Strand, place: Place, known_seq: int, is_time_up: Callable[[], bool]
    ) -> None:
        self.place = place
        self.known_seq = known_seq
        self.is_whole = False
        self._strand = strand
        self._is_time_up = is_time_up

    def records(self) -> Iterator[Record]:
        assert self._strand.tail  # noqa: S101 -- only tails are read on
        for count, (place, record) in enumerate(self._strand.tail.read_after(self.place), 1):
            self.place = place
            if place.seq > self.known_seq:
                yield record
            if not count % LOOK_EVERY and self._is_time_up():
                return
        self.is_whole = True


def _is_running(strand: Strand) -> bool:
    return strand.name == "status" and bool(strand.start)
