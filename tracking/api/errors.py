"""Domain errors as REST answers."""

from typing import Any

from django.db import DatabaseError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from tracking import errors

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
    if isinstance(error, DatabaseError):
        detail = {"detail": "The database is away; try again."}
        return Response(detail, status=503, headers={"Retry-After": "2"})
    return drf_exception_handler(error, context)
