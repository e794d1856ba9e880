"""Reading back what was logged: for notebooks, reports and scripts that decide."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, overload
from urllib.parse import quote

import msgpack

from runyard import config
from runyard.remote import Remote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

PAGE_RUNS = 1_000  # what the server gives at once
SERIES_RUNS = 100  # the same, of series
MAX_POINTS = 100_000  # of a series that is thinned; without a limit every point comes
COLUMNS = ("name", "status", "tags", "notes", "start_time", "finish_time", "exit_code")


class Series(NamedTuple):
    """Columns of one length: steps, values (NaN and infinities too) and times in UNIX ms."""

    steps: list[int]
    values: list[float]
    times_ms: list[int]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the server knows of a run. `metrics`: the last value of each; `facts`: all that it says."""

    project: str
    name: str
    facts: Mapping[str, Any]
    remote: Remote

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.facts["config"])

    @property
    def summary(self) -> dict[str, Any]:
        return dict(self.facts["summary"])

    @property
    def metrics(self) -> dict[str, float]:
        return {name: _as_number(value) for name, value in self.facts["metrics"].items()}

    @property
    def tags(self) -> list[str]:
        return list(self.facts["tags"])

    @property
    def notes(self) -> str:
        return str(self.facts["notes"])

    @property
    def status(self) -> str:
        return str(self.facts["status"])

    def series(self, *names: str, max_points: int | None = None) -> dict[str, Series]:
        """The series of this run by metric: those named, or all; see `Runs.series`."""
        by_metric = _read_series(self.remote, self.project, [self.name], names, max_points)
        return {metric: by_run[self.name] for metric, by_run in by_metric.items()}


class Runs(Sequence[RunRecord]):
    """The runs that were asked for, as they were then."""

    def __init__(self, runs: list[RunRecord], remote: Remote, project: str) -> None:
        self._runs, self._remote, self._project = runs, remote, project

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, which: int) -> RunRecord: ...

    @overload
    def __getitem__(self, which: slice) -> "Runs": ...

    def __getitem__(self, which: int | slice) -> "RunRecord | Runs":
        if isinstance(which, slice):
            return Runs(self._runs[which], self._remote, self._project)
        return self._runs[which]

    def series(self, *names: str, max_points: int | None = None) -> dict[str, dict[str, Series]]:
        """Series of all these runs, by metric and run: those named, or all.

        Every point that was logged, in order of arrival, unless `max_points` (10 to 100,000) asks
        for a thinner picture in order of steps. A hundred runs a request.
        """
        found: dict[str, dict[str, Series]] = {}
        keys = iter([run.name for run in self._runs])
        while portion := list(islice(keys, SERIES_RUNS)):
            news = _read_series(self._remote, self._project, portion, names, max_points)
            for metric, by_run in news.items():
                found.setdefault(metric, {}).update(by_run)
        return found

    def rows(self) -> list[dict[str, Any]]:
        """A flat row of each run: what tables show, `config.…`, `summary.…` and the last values."""
        return [_flat_row(run.facts) for run in self._runs]

    def to_pandas(self) -> "pd.DataFrame":
        """A row of each run; columns as `rows` has them. Times are UTC."""
        import pandas as pd  # noqa: PLC0415 -- optional, slow

        frame = pd.DataFrame(self.rows())
        for name in ("start_time", "finish_time"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """As `to_pandas`; a column of mixed kinds is text."""
        import polars as pl  # noqa: PLC0415 -- optional, slow

        rows = self.rows()
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: _one_kind([row.get(name) for row in rows]) for name in names}
        times = [name for name in ("start_time", "finish_time") if name in columns]
        frame = pl.DataFrame(columns, strict=False)
        return frame.with_columns(
            pl.from_epoch(pl.col(name).cast(pl.Int64), time_unit="ms").dt.replace_time_zone("UTC")
            for name in times
        )


class Api:
    """What a server knows. Without a `url` $RUNYARD_URL; the token of `runyard login` or $RUNYARD_TOKEN.

    All methods wait for the server and raise TransportError, AccessRefused, FileNotFoundError for
    what is not there, and ValueError for what the server refuses.
    """

    def __init__(self, url: str | None = None) -> None:
        self._remote = Remote(config.server_url(url))

    def projects(self) -> list[dict[str, Any]]:
        return list(_pages(self._remote, "/api/projects", {}))

    def runs(self, project: str, query: str = "", *, sort: str = "") -> Runs:
        """The runs of a project that fit a query (docs/queries.md), newest first or by `sort`."""
        asked = {"q": query, "sort": sort}
        path = f"/api/projects/{quote(project, safe='')}/runs"
        found = {
            facts["name"]: RunRecord(project, facts["name"], facts, self._remote)
            for facts in _pages(self._remote, path, {k: v for k, v in asked.items() if v})
        }
        return Runs(list(found.values()), self._remote, project)

    def run(self, project: str, name: str) -> RunRecord:
        path = f"/api/projects/{quote(project, safe='')}/runs/{quote(name, safe='')}"
        return RunRecord(project, name, self._remote.get(path), self._remote)


def _pages(remote: Remote, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """A list that comes in pieces, of which the server chooses the size."""
    offset, total = 0, 1
    while offset < total:
        answer = remote.fetch(path, {**query, "limit": PAGE_RUNS, "offset": offset})
        page = json.loads(answer.body)
        total = int(answer.headers.get("x-total-count", 0)) if page else 0
        offset += len(page)
        yield from page


def _read_series(
    remote: Remote,
    project: str,
    runs: Sequence[str],
    names: Sequence[str],
    max_points: int | None,
) -> dict[str, dict[str, Series]]:
    query: list[tuple[str, object]] = [("runs", ",".join(runs)), ("format", "msgpack")]
    query.append(("raw", 1) if max_points is None else ("max_points", max_points))
    query += [("metric", name) for name in names]
    answer = remote.fetch(f"/api/projects/{quote(project, safe='')}/runs/metrics", query)
    metrics = msgpack.unpackb(answer.body)["metrics"]
    return {
        metric: {
            run: Series(columns["steps"], columns["values"], columns["timestamps"])
            for run, columns in by_run.items()
        }
        for metric, by_run in metrics.items()
    }


def _flat_row(facts: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: facts[name] for name in COLUMNS}
    row |= {f"config.{name}": value for name, value in facts["params"].items()}
    row |= {f"summary.{name}": value for name, value in facts["summary"].items()}
    return row | {name: _as_number(value) for name, value in facts["metrics"].items()}


def _as_number(value: float | str | None) -> float:
    """The server writes NaN and infinities as words."""
    return float("nan") if value is None else float(value)


def _one_kind(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
