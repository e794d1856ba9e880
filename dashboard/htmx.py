"""All our HTMX support: one view answers with its page, or with the fragment that was asked for."""

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def htmx_target(request: HttpRequest) -> str:
    """The id of the element that the answer will replace."""
    return request.headers.get("HX-Target", "") if is_htmx(request) else ""


def render_page(
    request: HttpRequest, page: str, context: dict[str, Any], *, fragments: Collection[str]
) -> HttpResponse:
    """The page, or that one of its fragments (DOM ids: `run-list`) which HTMX will replace."""
    target = htmx_target(request)
    template = f"_{target.replace('-', '_')}.html" if target in fragments else page
    response = render(request, f"dashboard/{template}", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def client_redirect(url: str) -> HttpResponse:
    """Have HTMX load a whole page: a plain redirect would put that page into the target."""
    return HttpResponse(headers={"HX-Redirect": url})
