"""Which runs are compared, and with which of them. Both live in the URL: `run=KEY`, `baseline=KEY`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.diffs import Row, choose_rows, compare_values
from dashboard.panels import metrics_of
from dashboard.params import text_param
from tracking.domain.folders import in_folder
from tracking.errors import LimitExceeded
from tracking.models import Project, Run

MAX_RUNS = 100
SUGGESTED = 100  # keys that the field for a further run knows by itself
CELLS_PER_PAGE = 500  # a page of the table stays small, whether it is long or wide
ROWS_PER_PAGE = range(5, 100)
OVERVIEW_ROWS = 16  # above the charts
VIEWS = [
    ("", "Overview", "compare"),
    ("diff", "Differences", "table"),
    ("charts", "Charts", "charts"),
    ("scatter", "Scatter", "scatter"),
    ("parallel", "Parallel", "columns"),
]
PLOTS = {"scatter", "parallel"}  # they draw any number of runs: a choice, or what `q` finds
UNUSED = ("notes", "readme", "metadata", "bindrs")  # texts and JSON that may be large
# The form has fields for these, or they say nothing about the next view.
CHOICES = ("run", "baseline")
OWN_PARAMS = {"run", "baseline", "without", "find", "page", "format"}
PLOT_PARAMS = {"scatter": {"q", "h", "v", "color", "log_h", "log_v"}, "parallel": {"q", "axis"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    runs: list[Run]  # the baseline first, then as the URL names them
    unknown: list[str]  # keys of runs that do not exist

    @property
    def baseline(self) -> Run | None:
        return self.runs[0] if self.runs else None

    @property
    def is_running(self) -> bool:
        """Whether a figure may still change: the table renews itself."""
        return any(run.shown_status == "running" for run in self.runs)

    @property
    def is_possible(self) -> bool:
        return len(self.runs) > 1


def choose_runs(project: Project, params: QueryDict) -> Comparison:
    """The runs that the URL names. Raises: LimitExceeded. One query."""
    keys = list(dict.fromkeys(filter(None, params.getlist("run"))))
    if len(keys) > MAX_RUNS:
        raise LimitExceeded(
            f"At most {MAX_RUNS} runs are compared at a time; {len(keys)} are chosen.", field="run"
        )
    found = project.runs.defer(*UNUSED).filter(key__in=[key.replace("\0", "") for key in keys])
    by_key = {run.key: run for run in found}
    baseline = params.get("baseline", "")
    wanted = [baseline, *keys] if baseline in keys else keys
    return Comparison(
        runs=[by_key[key] for key in dict.fromkeys(wanted) if key in by_key],
        unknown=[key for key in dict.fromkeys([*keys, baseline]) if key and key not in by_key],
    )


def view_of(params: QueryDict) -> str:
    """The view that the URL names; the overview where there is none of that name."""
    asked = params.get("view", "")
    return asked if asked in {key for key, _, _ in VIEWS} else ""


def leave_out(params: QueryDict) -> str:
    """The query string without the run that `without` names, and without what says nothing."""
    rest = params.copy()
    gone = rest.pop("without", [])
    for name, values in list(rest.lists()):
        rest.setlist(name, [v for v in values if v and not (name in CHOICES and v in gone)])
    return rest.urlencode()


def other_params(params: QueryDict, view: str) -> list[tuple[str, str]]:
    """What the page's form sends along: everything that it has no field for."""
    own = OWN_PARAMS | PLOT_PARAMS.get(view, set())
    return [
        (name, value)
        for name, values in params.lists()
        for value in values
        if name not in own and value
    ]


def suggest_runs(project: Project, comparison: Comparison, folder: str) -> QuerySet[Run]:
    """The newest runs of the folder that are not compared yet."""
    compared = [run.pk for run in comparison.runs]
    runs = in_folder(project.runs.only("key", "name", "folder", "project"), folder)
    return runs.exclude(pk__in=compared)[:SUGGESTED]


@dataclass(frozen=True, slots=True)
class DiffTable:
    page: Page[Row]
    found_count: int  # of the rows that are asked for
    row_count: int  # of all keys, whether they differ or not

    @property
    def sections(self) -> list[tuple[str, list[Row]]]:
        groups = groupby(self.page.object_list, key=lambda row: row.section)
        return [(section, list(rows)) for section, rows in groups]


def diff_rows(runs: Sequence[Run], params: QueryDict) -> tuple[list[Row], int]:
    """The rows that the URL asks for, and how many keys there are. One query."""
    rows = compare_values(runs, metrics_of(runs))
    query, everything = text_param(params, "find"), params.get("all") == "1"
    return choose_rows(rows, query=query, everything=everything), len(rows)


def tabulate_diffs(runs: Sequence[Run], params: QueryDict, *, is_overview: bool) -> DiffTable:
    rows, row_count = diff_rows(runs, params)
    fitting = CELLS_PER_PAGE // max(1, len(runs))
    size = max(ROWS_PER_PAGE.start, min(fitting, ROWS_PER_PAGE.stop))
    number = params.get("page")
    if is_overview:  # of a metric its last value says enough
        shown = [row for row in rows if row.aggregate in {"", "last"}] or rows
        size, number = min(size, OVERVIEW_ROWS), "1"
    else:
        shown = rows
    return DiffTable(Paginator(shown, size).get_page(number), len(rows), row_count)
