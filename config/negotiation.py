"""One address, two forms: a page for people, JSON for programs that ask for it.

A run's page has a twin that answers in its place. The list of projects and a project have twins of
another API, the AI Manager's, which names projects by number, and takes changes there.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseServerError,
    JsonResponse,
)
from django.template.loader import get_template
from django.urls import URLPattern
from django.utils.cache import patch_vary_headers

from tracking.domain.identity import secret_in
from tracking.domain.outages import OUTAGES, RETRY_AFTER_S, tell_outage
from tracking.request_log import request_id

View = Callable[..., HttpResponseBase]
READING = {"GET", "HEAD"}
API_PREFIXES = ("/api/", "/tracker/api/")
MANAGER_PREFIXES = ("/auth/", "/runs/", "/metrics/", "/artifacts/")  # AI Manager's own


def with_json(pages: Iterable[URLPattern], twins: Mapping[str, View]) -> list[URLPattern]:
    """The pages; those that have a twin, by their URL name, answer with it where JSON is wanted."""
    found: list[URLPattern] = []
    for page in pages:
        twin = twins.get(page.name or "")
        view = page_or_json(page.callback, twin) if twin else page.callback
        found.append(URLPattern(page.pattern, view, page.default_args, page.name))
    return found


def page_or_json(page: View, json: View) -> View:
    """The twin calls `project` and `run` what the page calls `project_key` and `run_key`."""

    @wraps(page)
    def negotiated(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if request.method in READING and prefers_json(request):
            return json(request, **{name.removesuffix("_key"): kwargs[name] for name in kwargs})
        return page(request, **kwargs)

    negotiated.has_two_forms = True  # type: ignore[attr-defined]
    return negotiated


def with_manager(pages: Iterable[URLPattern], twins: Mapping[str, View]) -> list[URLPattern]:
    """The pages; those that have a twin in the AI Manager API, by their URL name, know it."""
    found: list[URLPattern] = []
    for page in pages:
        view = page.callback
        if twin := twins.get(page.name or ""):
            view = _copy(view)
            view.manager_twin = twin  # type: ignore[attr-defined]
        found.append(URLPattern(page.pattern, view, page.default_args, page.name))
    return found


def _copy(page: View) -> View:
    @wraps(page)
    def copied(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return page(request, **kwargs)

    return copied


class TwoForms:
    """Middleware, so that a twin is asked before anybody is sent to the login for its page, and
    because pages that tell of errors are made outside the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        view = request.resolver_match.func if request.resolver_match else None
        if hasattr(view, "manager_twin"):
            patch_vary_headers(response, ["Accept", "Authorization"])
        elif hasattr(view, "has_two_forms"):
            patch_vary_headers(response, ["Accept"])
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: View,
        _args: Any,
        kwargs: dict[str, str],
    ) -> HttpResponseBase | None:
        twin = getattr(view, "manager_twin", None)
        key = kwargs.get("project_key", "")
        if twin is None or not is_for_manager(request, key):
            return None
        request.is_for_manager = True  # type: ignore[attr-defined]
        answer: HttpResponseBase = twin(request, **({"project_id": key} if key else {}))
        return answer


def is_for_manager(request: HttpRequest, key: str) -> bool:
    """Whether `/projects/` or `/projects/{key}` is asked for as the AI Manager documents it.

    Changes are, and what is to be JSON; a number is with a token too, or where no page is named.
    """
    if request.method not in READING or prefers_json(request):
        return True
    # HTMX asks for `*/*` and means a page.
    if "HX-Request" in request.headers or (key and not (key.isascii() and key.isdigit())):
        return False
    names_page = _quality(request, "text/html") > 0
    return not names_page or bool(secret_in(request.headers.get("Authorization", "")))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: programs are told in their form too. It calls it where it caught what
    went wrong, be it in a view or before one was found.
    """
    if isinstance(error := sys.exc_info()[1], OUTAGES):
        return _come_again(request, tell_outage(error))
    if request.path.startswith(MANAGER_PREFIXES) or hasattr(request, "is_for_manager"):
        return _broken("Internal server error")
    if not request.path.startswith(API_PREFIXES) and not prefers_json(request):
        page = get_template("500.html").render({"request_id": request_id()})
        return HttpResponseServerError(page)
    return _broken("Something went wrong here; the server's log says what.")


def _come_again(request: HttpRequest, detail: str) -> HttpResponse:
    """Made without a look at the database, which is what is away."""
    answer: HttpResponse
    if "HX-Request" in request.headers:
        answer = HttpResponse(get_template("dashboard/_problem.html").render({"exception": detail}))
    elif request.path.startswith((*API_PREFIXES, *MANAGER_PREFIXES)) or _is_for_program(request):
        answer = JsonResponse({"detail": detail})
    else:
        answer = HttpResponse(get_template("503.html").render({"exception": detail}))
    answer.status_code, answer["Retry-After"] = 503, str(RETRY_AFTER_S)
    return answer


def _is_for_program(request: HttpRequest) -> bool:
    return hasattr(request, "is_for_manager") or prefers_json(request)


def _broken(detail: str) -> JsonResponse:
    """With the id under which the log tells of it, so that it can be asked for."""
    number = {"request_id": request_id()} if request_id() else {}
    return JsonResponse({"detail": detail} | number, status=500)


def prefers_json(request: HttpRequest) -> bool:
    """JSON is named, and liked better than HTML. Browsers name HTML; `*/*` names nothing."""
    return _quality(request, "application/json") > _quality(request, "text/html")


def _quality(request: HttpRequest, media_type: str) -> float:
    """How well a type is liked that is named as such."""
    named = (item for item in request.accepted_types if str(item).split(";")[0] == media_type)
    return max((item.quality for item in named), default=0)
