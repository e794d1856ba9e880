"""Unchanged charts are not sent again: one mechanism for one run and for many."""

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.models import Run

GROUPED_FOR_S = 30  # what time alone does to groups is shown after that at the latest


def answer_series(
    request: Request,
    runs: Iterable[Run],
    read: Callable[[], Any],
    *,
    headers: dict[str, str] | None = None,
) -> HttpResponseBase:
    """304 for a caller who has this answer already; else what `read` brings."""
    etag = series_etag(request, runs)
    response: HttpResponseBase | None
    response = get_conditional_response(request._request, etag=etag)  # noqa: SLF001 -- DRF offers no other way
    if response is None:
        response = Response(read())
    known = {"ETag": etag, "Cache-Control": "private, no-cache"} | (headers or {})
    for name, value in known.items():
        response[name] = value
    return response


def series_etag(request: Request, runs: Iterable[Run]) -> str:
    """Changes with each commit to one of the runs, with what is asked, and with what answers.

    Weak: the same answer may come compressed.
    """
    parts: list[Any] = sorted((run.pk, run.key, run.revision) for run in runs)
    parts += [request.get_full_path(), request.accepted_renderer.media_type]
    parts += [settings.VERSION, settings.MAX_CHART_POINTS]
    if request.query_params.get("group"):  # a run goes stale without a commit
        parts.append(time.time() // GROUPED_FOR_S)
    return f'W/"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
