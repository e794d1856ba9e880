"""A filter that cannot be understood, as the page shows it."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from dashboard.folders import folder_param
from dashboard.params import query_param
from tracking.domain.folders import in_folder
from tracking.domain.query import QueryError, filter_runs
from tracking.models import Project, Run


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query text, with the words before and after the wrong one."""

    reason: str
    before: str
    wrong: str
    after: str


def find_runs(project: Project, params: QueryDict) -> tuple[QuerySet[Run], Problem | None]:
    """The runs of the URL's folder that its filter describes; none where that cannot be understood, and why."""
    query = query_param(params)
    try:
        return in_folder(filter_runs(project.runs.all(), query), folder_param(params)), None
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
