"""Series as they come from a server: in portions that fit into a request and into an answer."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import msgpack

from runyard.frames import needed
from runyard.remote import MSGPACK, Remote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

RUNS_AT_ONCE = 100
NAMES_CHARS = 5_000  # of runs, and of metrics, in one address: servers and proxies take 16 KiB
PROBE_POINTS = 10  # the least that the server thins a series to


class Series(NamedTuple):
    """Columns of one length: steps, values (NaN and infinities too) and times in UNIX ms."""

    steps: list[int]
    values: list[float]
    times_ms: list[int]

    def __repr__(self) -> str:
        return f"<Series of {_counted(len(self.steps), 'point')}>"


class SeriesByRun(dict[str, dict[str, Series]]):
    """Series by metric and run."""

    def __repr__(self) -> str:
        """Short, as there may be millions of points."""
        runs = {run for by_run in self.values() for run in by_run}
        count = sum(len(one.steps) for by_run in self.values() for one in by_run.values())
        metrics = _counted(len(self), "metric")
        return f"<{_counted(count, 'point')}: {metrics} of {_counted(len(runs), 'run')}>"

    def points(self) -> Iterator[tuple[str, str, int, int, float]]:
        """Each point: run, metric, step, time in UNIX ms, value."""
        for metric, by_run in self.items():
            for run, series in by_run.items():
                for step, value, time_ms in zip(*series, strict=True):
                    yield run, metric, step, time_ms, value

    def columns(self) -> dict[str, list[Any]]:
        """A row of each point, as columns: run, metric, step, time (UNIX ms), value."""
        found: dict[str, list[Any]] = {"run": [], "metric": [], "step": [], "time": [], "value": []}
        for metric, by_run in self.items():
            for run, series in by_run.items():
                found["run"] += [run] * len(series.steps)
                found["metric"] += [metric] * len(series.steps)
                found["step"] += series.steps
                found["time"] += series.times_ms
                found["value"] += series.values
        return found

    def to_pandas(self) -> "pd.DataFrame":
        """A row of each point; times are UTC."""
        with needed("pandas"):
            import pandas as pd  # noqa: PLC0415 -- optional, slow

        frame = pd.DataFrame(self.columns())
        frame["time"] = pd.to_datetime(frame["time"], unit="ms", utc=True)
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """As `to_pandas`."""
        with needed("polars"):
            import polars as pl  # noqa: PLC0415 -- optional, slow

        kinds: Any = {
            "run": pl.String,
            "metric": pl.String,
            "step": pl.Int64,
            "time": pl.Datetime("ms", "UTC"),
            "value": pl.Float64,
        }
        return pl.DataFrame(self.columns(), schema=kinds)


class SeriesOfRun(dict[str, Series]):
    """Series of one run, by metric; its tables are those of `SeriesByRun`."""

    def __init__(self, run: str, series: Mapping[str, Series]) -> None:
        super().__init__(series)
        self.run = run

    def __repr__(self) -> str:
        return repr(self._by_run())

    def points(self) -> Iterator[tuple[str, str, int, int, float]]:
        """Each point: run, metric, step, time in UNIX ms, value."""
        return self._by_run().points()

    def columns(self) -> dict[str, list[Any]]:
        """A row of each point, as columns: run, metric, step, time (UNIX ms), value."""
        return self._by_run().columns()

    def to_pandas(self) -> "pd.DataFrame":
        """A row of each point; times are UTC."""
        return self._by_run().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """As `to_pandas`."""
        return self._by_run().to_polars()

    def _by_run(self) -> SeriesByRun:
        return SeriesByRun({metric: {self.run: series} for metric, series in self.items()})


class Asked(NamedTuple):
    """`known`: of each run the metrics it has, needed where an answer has to be divided."""

    runs: tuple[str, ...]
    names: tuple[str, ...]
    known: Mapping[str, Sequence[str]]
    x_min: float = -math.inf
    x_max: float = math.inf


class SeriesReader:
    """`max_points`: None for every point."""

    def __init__(self, remote: Remote, project: str, max_points: int | None) -> None:
        self._remote = remote
        self._path = f"/api/projects/{quote(project, safe='')}/runs/metrics"
        self._max_points = max_points

    def read(
        self,
        known: Mapping[str, Sequence[str]],
        names: Sequence[str],
        steps: tuple[float, float] = (-math.inf, math.inf),
    ) -> Iterator[dict[str, dict[str, Series]]]:
        """Portions, by metric and run: of the metrics named, or of all. `steps`: both included."""
        for runs in portions(known):
            for some in portions(names) if names else [()]:
                yield from self._read(Asked(runs, some, known, *steps))

    def _read(self, asked: Asked) -> Iterator[dict[str, dict[str, Series]]]:
        """What the server refuses as a whole is asked for in halves, down to where that ends."""
        try:
            yield self._ask(asked, self._max_points)
        except ValueError:
            halves = divide(asked) or self._divide_steps(asked)
            if not halves:
                raise
            for half in halves:
                yield from self._read(half)

    def _divide_steps(self, asked: Asked) -> list[Asked]:
        """Of one series that is too long: by where it begins and ends."""
        if asked.x_min == -math.inf:
            probe = self._ask(asked, PROBE_POINTS)
            steps = [
                step for by_run in probe.values() for one in by_run.values() for step in one.steps
            ]
            if not steps:
                return []
            asked = asked._replace(x_min=min(steps), x_max=max(steps))
        if asked.x_min >= asked.x_max:
            return []
        middle = (int(asked.x_min) + int(asked.x_max)) // 2
        return [asked._replace(x_max=middle), asked._replace(x_min=middle + 1)]

    def _ask(self, asked: Asked, max_points: int | None) -> dict[str, dict[str, Series]]:
        query: list[tuple[str, object]] = [("runs", ",".join(asked.runs))]
        query.append(("raw", 1) if max_points is None else ("max_points", max_points))
        query += [("metric", name) for name in asked.names]
        if asked.x_min > -math.inf:
            query += [("x_min", asked.x_min), ("x_max", asked.x_max)]
        answer = self._remote.fetch(self._path, query, accept=MSGPACK)
        metrics = msgpack.unpackb(answer.body)["metrics"]
        return {
            metric: {
                run: Series(columns["steps"], columns["values"], columns["timestamps"])
                for run, columns in by_run.items()
            }
            for metric, by_run in metrics.items()
        }


def portions(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """As many at once as an address has room for."""
    some: list[str] = []
    room = NAMES_CHARS
    for name in names:
        length = len(quote(name, safe="")) + len("&metric=")
        if some and (length > room or len(some) == RUNS_AT_ONCE):
            yield tuple(some)
            some, room = [], NAMES_CHARS
        some.append(name)
        room -= length
    if some:
        yield tuple(some)


def divide(asked: Asked) -> list[Asked]:
    """In halves, by runs and then by metrics; nothing where it is one series already."""
    if len(asked.runs) > 1:
        middle = len(asked.runs) // 2
        return [asked._replace(runs=part) for part in (asked.runs[:middle], asked.runs[middle:])]
    names = asked.names or tuple(asked.known[asked.runs[0]])
    if len(names) > 1:
        middle = len(names) // 2
        return [asked._replace(names=part) for part in (names[:middle], names[middle:])]
    return []


def join(portions: Iterable[Mapping[str, Mapping[str, Series]]]) -> SeriesByRun:
    """Portions put together; of a series that came in several, they follow each other."""
    found = SeriesByRun()
    for portion in portions:
        for metric, by_run in portion.items():
            series = found.setdefault(metric, {})
            for run, more in by_run.items():
                series[run] = _append(series[run], more) if run in series else more
    return found


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def _append(first: Series, second: Series) -> Series:
    return Series(
        first.steps + second.steps, first.values + second.values, first.times_ms + second.times_ms
    )
