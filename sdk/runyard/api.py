"""Reading back what was logged: for notebooks, reports and scripts that decide."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, overload
from urllib.parse import quote

from runyard import config, frames
from runyard.errors import NoServer
from runyard.nearness import no_such_metrics
from runyard.remote import Remote
from runyard.series import Series, SeriesByRun, SeriesOfRun, SeriesReader, join

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

WHICH_SERVER = "Which server? Pass its address, Api('http://host:port'), or set RUNYARD_URL."
PAGE_ROWS = 1_000  # what the server gives at once


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the server knows of a run. `facts`: all that it says, in the words of the pages."""

    project: str
    name: str
    facts: Mapping[str, Any] = field(repr=False)  # longer than anybody wants to see in a notebook
    remote: Remote = field(repr=False)

    @property
    def config(self) -> dict[str, Any]:
        return frames.from_words(self.facts["config"])

    @property
    def summary(self) -> dict[str, Any]:
        return frames.from_words(self.facts["summary"])

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each."""
        return {name: frames.as_number(value) for name, value in self.facts["metrics"].items()}

    @property
    def tags(self) -> list[str]:
        return list(self.facts["tags"])

    @property
    def notes(self) -> str:
        return str(self.facts["notes"])

    @property
    def status(self) -> str:
        """As on the pages: running, stale (no sign of life), completed, failed or cancelled."""
        return str(self.facts["status"])

    @property
    def resolution(self) -> str:
        """Which points the server keeps: full (all), thinned (1,000 of a series) or summary (none)."""
        return str(self.facts["resolution"])

    @property
    def display_name(self) -> str:
        """As people have called it, or where it was imported from; `name` is for addresses."""
        return str(self.facts["display_name"])

    @property
    def folder(self) -> str:
        return str(self.facts["folder"])

    def series(self, *names: str, max_points: int | None = None) -> SeriesOfRun:
        """The series of this run by metric: those named, or all; see `Runs.series`."""
        found = Runs([self], self.remote, self.project).series(*names, max_points=max_points)
        series = {metric: by_run[self.name] for metric, by_run in found.items()}
        return SeriesOfRun(self.name, series)

    def producers(self) -> list[dict[str, Any]]:
        """What has arrived of each process that logged here. Source: docs/api.md."""
        return list(pages(self.remote, f"{run_path(self.project, self.name)}/producers"))

    def save_files(self, file: IO[bytes]) -> None:
        """Write the ZIP of all its files. Raises: FileNotFoundError if there are none."""
        path = f"{run_path(self.project, self.name)}/artifacts/download"
        self.remote.save(path, file)


class Runs(Sequence[RunRecord]):
    """The runs that were asked for, as they were then."""

    def __init__(self, runs: list[RunRecord], remote: Remote, project: str) -> None:
        self._runs, self._remote, self._project = runs, remote, project

    def __repr__(self) -> str:
        return f"<{len(self)} runs of {self._project}>"

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

    def series(self, *names: str, max_points: int | None = None) -> SeriesByRun:
        """Series of all these runs, by metric and run: those named, or all.

        Every point that is kept (`resolution`), in order of arrival, unless `max_points` (10 to 100,000) asks
        for a thinner picture in order of steps. A series of more points than the server gives at
        once (5 million) comes in order of steps, too.

        Raises: ValueError for names that none of these runs has, with those near to them.
        """
        found = join(self.series_in_portions(*names, max_points=max_points))
        known = {metric for run in self._runs for metric in run.facts["metrics"]}
        missing = no_such_metrics(names, known | found.keys()) if self._runs else []
        if missing:
            raise ValueError(" ".join(missing))
        return found

    def series_in_portions(
        self, *names: str, max_points: int | None = None
    ) -> Iterator[dict[str, dict[str, Series]]]:
        """As `series`, some at a time: for more than fits into memory."""
        known = {run.name: list(run.facts["metrics"]) for run in self._runs}
        yield from SeriesReader(self._remote, self._project, max_points).read(known, names)

    def rows(self) -> list[dict[str, Any]]:
        """A flat row of each run: what tables show, `config.…`, `summary.…` and the last values."""
        return [frames.flat_row(run.facts) for run in self._runs]

    def to_pandas(self) -> "pd.DataFrame":
        """A row of each run; columns as `rows` has them. Times are UTC."""
        return frames.to_pandas(self.rows())

    def to_polars(self) -> "pl.DataFrame":
        """As `to_pandas`; a column of mixed kinds is text."""
        return frames.to_polars(self.rows())


class Api:
    """What a server knows. Without a `url` $RUNYARD_URL; the token of `runyard login` or $RUNYARD_TOKEN.

    All methods wait for the server and raise TransportError, AccessRefused, FileNotFoundError for
    what is not there, and ValueError for what the server refuses.
    """

    def __init__(self, url: str | None = None) -> None:
        try:
            self.url = config.server_url(url)
        except NoServer:
            raise NoServer(WHICH_SERVER) from None
        self._remote = Remote(self.url)

    def projects(self) -> list[dict[str, Any]]:
        return list(pages(self._remote, "/api/projects"))

    def runs(self, project: str, query: str = "", *, sort: str = "") -> Runs:
        """The runs of a project that fit a query (docs/queries.md), newest first or by `sort`."""
        found = list(self.each_run(project, query, sort=sort))
        return Runs(found, self._remote, project)

    def each_run(
        self, project: str, query: str = "", *, sort: str = "", limit: float = math.inf
    ) -> Iterator[RunRecord]:
        """As `runs`, while they come: a thousand at a time, at most `limit` in all."""
        asked = {"q": query, "sort": sort}
        asked = {name: text for name, text in asked.items() if text}
        path = f"/api/projects/{quote(project, safe='')}/runs"
        seen: set[str] = set()  # new runs shift the pieces that are still to come
        for facts in pages(self._remote, path, asked, limit=limit):
            if facts["name"] not in seen:
                seen.add(facts["name"])
                yield RunRecord(project, facts["name"], _in_page_words(facts), self._remote)

    def run(self, project: str, name: str) -> RunRecord:
        facts = self._remote.get(run_path(project, name))
        return RunRecord(project, name, _in_page_words(facts), self._remote)

    def delete_run(self, project: str, name: str) -> None:
        """With all its points, logs and files. The trash of the server may have it for a while."""
        self._remote.delete(run_path(project, name))


def _in_page_words(facts: dict[str, Any]) -> dict[str, Any]:
    """What the API calls `status` is Aspara's dialect, which has no word for a cancelled run."""
    facts["status"] = facts.pop("state")
    facts.setdefault("resolution", "full")  # older servers keep everything
    return facts


def run_path(project: str, name: str) -> str:
    return f"/api/projects/{quote(project, safe='')}/runs/{quote(name, safe='')}"


def pages(
    remote: Remote, path: str, query: Mapping[str, str] | None = None, *, limit: float = math.inf
) -> Iterator[dict[str, Any]]:
    """A list that comes in pieces, of which the server chooses the size."""
    offset, total = 0, limit
    while offset < total:
        piece = {"limit": int(min(PAGE_ROWS, total - offset)), "offset": offset}
        answer = remote.fetch(path, {**(query or {}), **piece})
        page = json.loads(answer.body)
        total = min(limit, int(answer.headers.get("x-total-count", 0))) if page else 0
        offset += len(page)
        yield from page
