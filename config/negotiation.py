"""One address, two forms: a page for people, JSON for programs that ask for it."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern
from django.utils.cache import patch_vary_headers
from django.views import defaults

View = Callable[..., HttpResponseBase]
READING = {"GET", "HEAD"}
API_PREFIXES = ("/api/", "/tracker/api/")


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


def vary_by_accept(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, because pages that tell of errors are made outside the view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.resolver_match and hasattr(request.resolver_match.func, "has_two_forms"):
            patch_vary_headers(response, ["Accept"])
        return response

    return middleware


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: programs are told in their form too."""
    if not request.path.startswith(API_PREFIXES) and not prefers_json(request):
        return defaults.server_error(request)
    detail = "Something went wrong here; the server's log says what."
    return JsonResponse({"detail": detail}, status=500)


def prefers_json(request: HttpRequest) -> bool:
    """JSON is named, and liked better than HTML. Browsers name HTML; `*/*` names nothing."""
    return _quality(request, "application/json") > _quality(request, "text/html")


def _quality(request: HttpRequest, media_type: str) -> float:
    """How well a type is liked that is named as such."""
    named = (item for item in request.accepted_types if str(item).split(";")[0] == media_type)
    return max((item.quality for item in named), default=0)
