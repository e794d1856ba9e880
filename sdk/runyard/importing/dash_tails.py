"""Files of ML-Dash that grow line by line, to be read from any line on."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from runyard.dash.reading import Experiment
from runyard.importing.source import Place, Record, Strand, events, fingerprint

TORN = "cut short"  # in the reader's words for a line that is perhaps still being written
MAX_PROBLEMS = 20  # of one run, told on its page

Line = dict[str, Any]
Lines = Callable[[int], Iterator[tuple[int, Line]]]  # from a byte on, each with the byte behind it
Encode = Callable[[Line, int], tuple[int, Record]]  # with the time of the line before; and its own


class GrowingLines:
    """`first`: records before those of the lines. `begun_us`: the time of lines that say none."""

    def __init__(
        self,
        experiment: Experiment,
        path: Path,
        lines: Lines,
        encode: Encode,
        *,
        first: Sequence[Record] = (),
        begun_us: int = 0,
    ) -> None:
        self.path = path
        self._experiment = experiment
        self._lines = lines
        self._encode = encode
        self._first = first
        self._begun_us = begun_us

    def read(self, after: int) -> Iterator[Record]:
        yield from self._first[after - 1 :]
        time_us = self._begun_us
        for _, line in islice(self._lines(0), max(0, after - 1 - len(self._first)), None):
            time_us, record = self._encode(line, time_us)
            yield record

    def read_after(self, place: Place) -> Iterator[tuple[Place, Record]]:
        time_us, seq = place.time_us or self._begun_us, place.seq
        for record in self._first[seq - 1 :]:
            seq += 1
            yield Place(0, seq, 0, time_us), record
        for after, line in self._lines(place.offset):
            seq += 1
            time_us, record = self._encode(line, time_us)
            yield Place(after, seq, 0, time_us), record

    def problems(self) -> Iterator[Strand]:
        told = [text for text in dict.fromkeys(self._experiment.problems) if TORN not in text]
        for text in told[:MAX_PROBLEMS]:
            identity = f"problem {fingerprint(text)}"
            yield events(
                identity, identity, ("log", {"level": "error", "message": f"Left out: {text}"})
            )
