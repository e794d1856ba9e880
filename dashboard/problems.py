"""A filter that cannot be understood, as the page shows it."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracking.domain.query import QueryError, filter_runs
from tracking.models import Project, Run


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query text, with the words before and after the wrong one."""

    reason: str
    before: str
    wrong: str
    after: str


def find_runs(project: Project, query: str) -> tuple[QuerySet[Run], Problem | None]:
    """The runs that the filter describes; none where it cannot be understood, and why."""
    try:
        return filter_runs(project.runs.all(), query), None
    except QueryError as error:
        return project.runs.none(), _explain(query, error)


def _explain(text: str, error: QueryError) -> Problem:
    start, end = error.start, error.end
    return Problem(str(error), text[:start], text[start:end], text[end:])


def render_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What is wrong, beside the rows of before: one may be in the middle of typing."""
    response = render(request, "dashboard/_query_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#query-problem"
    response.headers["HX-Push-Url"] = "false"  # back leads from one list to another
    return response
