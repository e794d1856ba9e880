"""The parts of a run page: each is a fragment of it, and has a page of its own."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from dashboard.htmx import render_page
from tracking.models import Run


def render_part(
    request: HttpRequest, run: Run, part: str, context: dict[str, Any], *, also: str = ""
) -> HttpResponse:
    """`_run_<part>.html`, alone for HTMX, else in its page; `also`: another fragment it has."""
    shared = {
        "project": run.project,
        "run": run,
        "part": part,
        "fragment": f"dashboard/_run_{part}.html",
    }
    fragments = {f"run-{part}", also} - {""}
    return render_page(request, "run_part.html", shared | context, fragments=fragments)
