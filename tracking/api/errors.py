"""Errors as REST answers: always `{"detail": "…"}`."""

from typing import Any

from django.db import DatabaseError
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from tracking import errors

RETRY_AFTER_S = 2  # a database that is busy or restarting
# The first class that fits decides. What one may not change is shown as missing.
STATUS: list[tuple[type[Exception], int]] = [
    (errors.InvalidInput, 400),
    (errors.NotFound, 404),
    (errors.NotPermitted, 404),
    (errors.AlreadyExists, 409),
    (errors.RunDeleted, 404),
]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    for kind, status in STATUS:
        if isinstance(error, kind):
            return Response({"detail": str(error)}, status=status)
    if isinstance(error, ValidationError):
        return Response({"detail": "; ".join(_sentences(error.detail))}, status=400)
    if isinstance(error, DatabaseError):
        detail = {"detail": "The database is away; try again."}
        return Response(detail, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    return drf_exception_handler(error, context)


def _sentences(detail: Any, field: str = "") -> list[str]:
    """`field: what is wrong` for each fault, however deep it is."""
    if isinstance(detail, dict):
        return [text for key, below in detail.items() for text in _sentences(below, str(key))]
    if isinstance(detail, list):
        return [text for below in detail for text in _sentences(below, field)]
    return [f"{field}: {detail}" if field and field != "non_field_errors" else str(detail)]
