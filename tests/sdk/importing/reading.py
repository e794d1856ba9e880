"""What a source offers, decoded: for tests that compare it with what was written."""

from pathlib import Path
from typing import Any

from runyard.importing.detect import open_source
from runyard.importing.source import FoundRun, Options, Parcel, Problem, Record, Source, Strand
from runyard.records import FRAME, Lost, describe

RECORDED = Path(__file__).with_name("recorded")
DAY_S = 86_400.0

Points = dict[str, list[tuple[int, Any]]]


class Run:
    """A run that was found. `times_us` of each metric's points; `states`: what starts say later."""

    def __init__(self, source: Source, found: FoundRun) -> None:
        self.found = found
        self.start = found.start
        self.points: Points = {}
        self.times_us: dict[str, list[int]] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.lost: list[str] = []
        self.parcels: list[Parcel] = []
        self.states: dict[str, Any] = {}
        for strand in source.strands(found):
            self.states |= strand.start
            self.parcels += [strand.parcel] if strand.parcel else []
            self._take(strand)

    def _take(self, strand: Strand) -> None:
        records = list(strand.read(1))
        assert list(strand.read(1)) == records, "another reading numbers them alike"
        assert list(strand.read(3)) == records[2:]
        for record in records:
            self._take_record(record)

    def _take_record(self, record: Record) -> None:
        if isinstance(record, Lost):
            self.lost.append(record.reason)
            return
        told = describe(record[FRAME.size :])
        for name, value in told.get("metrics", {}).items():
            self.points.setdefault(name, []).append((told["step"], value))
            self.times_us.setdefault(name, []).append(told["time_us"])
        self.events += [] if "metrics" in told else told.items()

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.events if name == kind]


class Reading:
    """All of a source, by the titles of the runs."""

    def __init__(self, path: Path, format_name: str = "", **options: Any) -> None:
        source = open_source(path, Options(**{"idle_s": 0.0, **options}), format_name)
        self.runs: dict[str, Run] = {}
        for found in source.find():
            assert found.title not in self.runs
            self.runs[found.title] = Run(source, found)
        self.problems: list[Problem] = source.problems

    @property
    def run(self) -> Run:
        [run] = self.runs.values()
        return run

    @property
    def told(self) -> list[tuple[str, bool]]:
        """Reasons, and whether they are losses; each strand was read more than once."""
        return list(dict.fromkeys((problem.reason, problem.is_loss) for problem in self.problems))
