"""A filter that cannot be understood, as the page shows it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracking.domain.query import QueryError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query text, with the words before and after the wrong one."""

    reason: str
    before: str
    wrong: str
    after: str


def explain(text: str, error: QueryError) -> Problem:
    start, end = error.start, error.end
    return Problem(str(error), text[:start], text[start:end], text[end:])


def render_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What is wrong, beside the rows of before: one may be in the middle of typing."""
    response = render(request, "dashboard/_query_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#query-problem"
    response.headers["HX-Push-Url"] = "false"  # back leads from one list to another
    return response
