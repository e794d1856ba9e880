"""All our HTMX support: one view answers with its page, or with the fragment that was asked for."""

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
    request: HttpRequest, page: str, context: dict[str, Any], *, fragments: dict[str, str]
) -> HttpResponse:
    """`fragments`: id of the replaced element → template. Any other request gets the page."""
    response = render(request, fragments.get(htmx_target(request), page), context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
