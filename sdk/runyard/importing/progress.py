"""What people see of an import: a line while it goes on, a summary at its end."""

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from runyard.commands.printing import plain
from runyard.importing.delivery import Outcome
from runyard.importing.source import FoundRun, Problem
from runyard.sender import RunInfo

SHOWN_PROBLEMS = 20  # of one run; all of them are in the JSON
REFRESH_S = 0.2


class Imported(NamedTuple):
    """`info`: what the server says of the run; None if it does not have it."""

    run: FoundRun
    info: RunInfo | None
    outcome: Outcome


class Report:
    """`stopped`: why no more could be sent. `base`: the server's address; "" if none was asked."""

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.imported: list[Imported] = []
        self.problems: list[Problem] = []
        self.missing: list[str] = []
        self.stopped = ""

    @property
    def is_complete(self) -> bool:
        return not self.stopped and not any(problem.is_loss for problem in self.all_problems())

    def all_problems(self) -> Iterator[Problem]:
        for one in self.imported:
            yield from one.outcome.problems
        yield from self.problems

    def lines(self) -> Iterator[str]:
        """Names in directories of others need not be text, and terminals obey some characters."""
        return map(plain, self._lines())

    def _lines(self) -> Iterator[str]:
        for one in self.imported:
            yield self._describe(one)
        yield self._total()
        yield from self._open()
        problems = list(self.all_problems())
        if problems:
            yield "Left out:"
        yield from (f"  {problem.place}: {problem.reason}" for problem in problems[:SHOWN_PROBLEMS])
        if len(problems) > SHOWN_PROBLEMS:
            yield f"  and {len(problems) - SHOWN_PROBLEMS:,} more; --json tells all"
        if self.stopped:
            yield f"Stopped: {self.stopped}"
            yield from (f"  missing: {place}" for place in self.missing[:SHOWN_PROBLEMS])
            if len(self.missing) > SHOWN_PROBLEMS:
                yield f"  and {len(self.missing) - SHOWN_PROBLEMS:,} more"
            yield "Repeat the command later: it goes on where it stopped."

    def _describe(self, one: Imported) -> str:
        taken, known, *_ = one.outcome
        if not self.base:
            return f"{one.run.title}: {_count(taken, 'record')}"
        where = f" → {self.base}{one.info.path}" if one.info else ""
        return f"{one.run.title}: {_count(taken, 'record')} taken, {known:,} known{where}"

    def _total(self) -> str:
        taken = sum(one.outcome.taken for one in self.imported)
        known = sum(one.outcome.known for one in self.imported)
        runs = _count(len(self.imported), "run")
        if not self.base:
            return f"{runs}: {_count(taken, 'record')}; nothing was sent."
        return f"{runs}: {_count(taken, 'record')} taken, {known:,} known already."

    def _open(self) -> Iterator[str]:
        if count := sum(one.outcome.is_open for one in self.imported):
            verb = "counts" if count == 1 else "count"
            yield f"{_count(count, 'run')} still {verb} as running: --idle 0 ends what has no known end."

    def as_json(self) -> dict[str, Any]:
        return {
            "complete": self.is_complete,
            "stopped": self.stopped,
            "missing": self.missing,
            "runs": [self._as_json(one) for one in self.imported],
            "left_out": [problem._asdict() for problem in self.all_problems()],
        }

    def _as_json(self, one: Imported) -> dict[str, Any]:
        return {
            "name": one.run.title,
            "place": one.run.place,
            "format": one.run.source,
            "uid": one.info.uid if one.info else None,
            "url": f"{self.base}{one.info.path}" if one.info else None,
            "taken": one.outcome.taken,
            "known": one.outcome.known,
        }


class Line:
    """Renewed in place on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._shown_at = 0.0
        self._width = 0
        self._title = ""
        self._count = 0
        self._began = time.monotonic()

    def begin(self, title: str) -> None:
        self._title = title
        self.add(0)

    def add(self, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if self._is_shown and now > self._shown_at + REFRESH_S:
            self._shown_at = now
            rate = self._count / max(now - self._began, 0.001)
            self._write(f"{self._count:,} records ({rate:,.0f}/s)  {plain(self._title)}"[:100])

    def clear(self) -> None:
        if self._width:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text.ljust(self._width)}\r{text}")
        sys.stderr.flush()
        self._width = len(text)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
