"""Which runs of a project are drawn. The choice lives in the URL, as `run=KEY` once for each run.

Without a choice the first runs of the list are drawn, as it is filtered and sorted: `top=20` says
how many.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.listing import cut_page, only_shown
from dashboard.problems import Problem, find_runs
from dashboard.sorting import Sort, Value, sort_of, sort_values
from tracking.domain.fields import sort_runs
from tracking.models import Project, Run

DEFAULT_COUNT = 10  # a URL without a choice shows the first runs, never all of them
COUNTS = (5, 10, 20, 50)
MAX_COUNT = 100
PAGE_ROWS = 50  # beside the charts, in a page below 150 KB


@dataclass(frozen=True, slots=True)
class RunRow:
    run: Run
    value: Value | None  # what it is sorted by
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    page: Page[Run]  # the run list
    rows: list[RunRow]
    elsewhere: list[RunRow]  # chosen, but not on this page of the list
    chosen: list[Run]
    is_automatic: bool  # nobody chose: new runs join by themselves
    count: int  # how many runs that are
    sort: Sort
    problem: Problem | None  # of the filter

    @property
    def is_running(self) -> bool:
        """Whether something in sight is on its way: the list renews itself sooner."""
        return any(row.run.shown_status == "running" for row in (*self.rows, *self.elsewhere))


def select_runs(project: Project, params: QueryDict) -> Selection:
    """The page of the run list and the chosen runs. Keys of runs that do not exist are ignored.

    A filter that cannot be understood lists no run. Raises: InvalidInput.
    """
    sort = sort_of(params)
    found, problem = find_runs(project, params)
    runs = sort_runs(only_shown(found), sort.text)
    page = cut_page(runs, params.get("page"), PAGE_ROWS)
    page.object_list = list(page.object_list)
    keys, count = params.getlist("run"), _count_of(params)
    chosen = _find_runs(project, keys, sort) if keys else _first_runs(runs, page, count)
    listed = {run.pk for run in page}
    hidden = [run for run in chosen if run.pk not in listed]
    values = sort_values([*page, *hidden], sort)
    chosen_ids = {run.pk for run in chosen}
    return Selection(
        page=page,
        rows=_rows(page, values, chosen_ids),
        elsewhere=_rows(hidden, values, chosen_ids),
        chosen=chosen,
        is_automatic=not keys,
        count=count,
        sort=sort,
        problem=problem,
    )


def _rows(runs: Iterable[Run], values: dict[int, Value], chosen_ids: set[int]) -> list[RunRow]:
    return [RunRow(run, values.get(run.pk), run.pk in chosen_ids) for run in runs]


def _first_runs(runs: QuerySet[Run], page: Page[Run], count: int) -> list[Run]:
    is_at_hand = page.number == 1 and (count <= len(page) or not page.has_next())
    return list(page.object_list[:count] if is_at_hand else runs[:count])


def _find_runs(project: Project, keys: list[str], sort: Sort) -> list[Run]:
    """A form without a tick sends one empty key, so that nothing is chosen then, not the default."""
    known_to_sql = [key.replace("\0", "") for key in keys[: MAX_COUNT + 1] if key]
    if not known_to_sql:
        return []
    return list(
        sort_runs(only_shown(project.runs.filter(key__in=known_to_sql)), sort.text)[:MAX_COUNT]
    )


def _count_of(params: QueryDict) -> int:
    text = params.get("top", "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else DEFAULT_COUNT
    return min(max(count, 1), MAX_COUNT)
