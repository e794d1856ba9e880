"""The run table: the project's runs as the URL filters, sorts and cuts them, a column per field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from dashboard.cells import cell, is_figure
from dashboard.columns import Columns, columns_of, query_with
from dashboard.folders import folder_param
from dashboard.params import query_param
from dashboard.problems import Problem, find_runs
from tracking.domain.fields import Field, find_field, read_fields, sort_runs
from tracking.domain.folders import in_folder
from tracking.domain.query import filter_runs
from tracking.domain.tables import plain
from tracking.enums import RunStatus
from tracking.models import Project, Run

PAGE_ROWS = 50  # with a dozen columns a page stays below 150 KB
MAX_TICKS = 100  # named in the URL
EXPORT_ROWS = 10_000
ROWS_AT_ONCE = 400  # ids in one statement: SQLite may be built to take no more than 999
ROW_COLUMNS = ("key", "name", "folder", "source", "color", "archived_at", "project")


@dataclass(frozen=True, slots=True)
class Head:
    field: Field
    classes: str
    order: str  # ascending, descending or none
    sort_query: str  # of the URL that sorts by it, the other way round, or no more

    @property
    def prefix(self) -> str:
        return self.field.source if self.field.source in {"config", "summary"} else ""


@dataclass(frozen=True, slots=True)
class Row:
    run: Run
    cells: SafeString
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class RunTable:
    page: Page[Run]
    columns: Columns
    name_head: Head
    heads: list[Head]
    rows: list[Row]
    ticked_elsewhere: list[str]  # keys of runs that are ticked, but not on this page
    problem: Problem | None
    is_running: bool  # something in the project is: the table renews itself sooner
    twin_query: str  # of the URL that gives all of it, but for the format

    @property
    def archived(self) -> str:
        """Whether all of the rows, some or none are of archived runs."""
        archived = [row.run.archived_at is not None for row in self.rows]
        return "all" if archived and all(archived) else "some" if any(archived) else "none"

    @property
    def export_count(self) -> int:
        return min(self.page.paginator.count, EXPORT_ROWS)


def tabulate_runs(project: Project, params: QueryDict) -> RunTable:
    """One page of the table. A constant number of queries. Raises: InvalidInput."""
    found, problem = find_runs(project, params)
    page = Paginator(_sorted(found, params), PAGE_ROWS).get_page(params.get("page"))
    shown = list(page)
    columns = columns_of(shown, params)
    values = read_fields(shown, columns.fields)
    classes = _column_classes(columns, list(values.values()))
    ticked = _ticked_keys(project, params)
    return RunTable(
        page=page,
        columns=columns,
        name_head=_head(find_field("name"), "", params),
        heads=[
            _head(field, css, params) for field, css in zip(columns.fields, classes, strict=True)
        ],
        rows=[
            Row(run, _cells(columns.fields, values[run.pk], classes), run.key in ticked)
            for run in shown
        ],
        ticked_elsewhere=[key for key in ticked if key not in {run.key for run in shown}],
        problem=problem,
        is_running=project.runs.filter(status=RunStatus.RUNNING, archived_at=None).exists(),
        twin_query=query_with(params, **({} if columns.are_chosen else {"page": page.number})),
    )


def _sorted(runs: QuerySet[Run], params: QueryDict) -> QuerySet[Run]:
    return sort_runs(runs.only(*ROW_COLUMNS), params.get("sort", ""))


def _head(field: Field, classes: str, params: QueryDict) -> Head:
    """A first click sorts upwards, a second one downwards, a third one no more."""
    sort = params.get("sort", "") or "-started"
    order = {field.name: "ascending", f"-{field.name}": "descending"}.get(sort, "none")
    following = {"none": field.name, "ascending": f"-{field.name}", "descending": ""}[order]
    if field.name == "started" and not following:  # no sort at all is this one
        following = "started"
    return Head(field, classes, order, query_with(params, sort=following or []))


def _column_classes(columns: Columns, rows: Sequence[list[Any]]) -> list[str]:
    """Figures stand at the right; the pinned columns, which keep their places, know their number."""
    classes = []
    for place, field in enumerate(columns.fields):
        given = [row[place] for row in rows if row[place] is not None]
        is_number = all(map(is_figure, given)) if given else field.kind == "number"
        pin = f"pin pin-{place + 1}" if place < columns.pinned else ""
        classes.append(f"{'number' if is_number else ''} {pin}".strip())
    return classes


def _cells(fields: Sequence[Field], values: Sequence[Any], classes: Sequence[str]) -> SafeString:
    cells = (cell(*each) for each in zip(fields, values, classes, strict=True))
    return mark_safe("".join(cells))  # noqa: S308 -- each of them is escaped


def _ticked_keys(project: Project, params: QueryDict) -> list[str]:
    keys = [key for key in params.getlist("run")[:MAX_TICKS] if key and "\0" not in key]
    if not keys:
        return []
    return list(project.runs.filter(key__in=keys).values_list("key", flat=True))


def columns_in(project: Project, params: QueryDict) -> Columns:
    """The columns of the page that the table would show."""
    runs, _ = find_runs(project, params)
    return columns_of(
        list(Paginator(_sorted(runs, params), PAGE_ROWS).get_page(params.get("page"))), params
    )


def export_rows(project: Project, params: QueryDict) -> tuple[list[str], Iterator[list[Any]]]:
    """The heads, and the plain values of the view's first 10,000 runs.

    Raises: InvalidInput, where the filter is wrong, too.
    """
    found = filter_runs(project.runs.all(), query_param(params))
    runs = _sorted(in_folder(found, folder_param(params)), params)
    fields = columns_in(project, params).fields
    return ["run", *(field.name for field in fields)], _values(runs[:EXPORT_ROWS], fields)


def _values(runs: QuerySet[Run], fields: Sequence[Field]) -> Iterator[list[Any]]:
    found = list(runs)
    for start in range(0, len(found), ROWS_AT_ONCE):
        some = found[start : start + ROWS_AT_ONCE]
        values = read_fields(some, fields)
        yield from ([run.key, *map(plain, values[run.pk])] for run in some)
