"""Domain errors as REST answers: `{"detail": text}`, and in a query where its wrong word stands."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ErrorDetail, NotAuthenticated, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from tracking import errors
from tracking.domain.identity import SIGN_IN
from tracking.domain.outages import OUTAGES, RETRY_AFTER_S, tell_outage
from tracking.domain.query import QueryError

# The first class that fits decides. What one may not change is shown as missing.
STATUS: list[tuple[type[Exception], int]] = [
    (errors.FileTooLarge, 413),
    (errors.InvalidInput, 400),
    (errors.NotFound, 404),
    (errors.NameTaken, 403),
    (errors.NotPermitted, 404),
    (errors.AlreadyExists, 409),
    (errors.RunDeleted, 404),
    (SuspiciousOperation, 400),
]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent):
        return _too_much(error)
    for kind, status in STATUS:
        if isinstance(error, kind):
            return Response({"detail": str(error)} | _place(error), status=status)
    if isinstance(error, ValidationError):
        return Response({"detail": _first_message(error.detail)}, status=400)
    if isinstance(error, OUTAGES):
        return _come_again(tell_outage(error))
    if isinstance(error, errors.Overloaded | errors.StoreAway):
        return _come_again(str(error))
    if isinstance(error, NotAuthenticated):
        error.detail = ErrorDetail(
            SIGN_IN, error.default_code
        )  # the framework's own text does not say what to do
    return drf_exception_handler(error, context)


def _too_much(error: Exception) -> Response:
    """Django's own texts name settings of Django's."""
    if isinstance(error, TooManyFieldsSent):
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return Response({"detail": f"Too many fields: at most {limit} are allowed."}, status=400)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    detail = f"The body is too large: at most {limit} bytes are allowed."
    return Response({"detail": detail}, status=413)


def _place(error: Exception) -> dict[str, int]:
    """The characters of a query's text that are wrong."""
    return {"start": error.start, "end": error.end} if isinstance(error, QueryError) else {}


def _come_again(detail: str) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Response({"detail": detail}, status=503, headers=headers)


def _first_message(detail: Any, field: str = "") -> str:
    """DRF's tree of messages as one line: `name: This field is required.`"""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        is_field = isinstance(name, str) and name != "non_field_errors"  # else a place in a list
        return _first_message(inner, name if is_field else field)
    if isinstance(detail, list):
        return _first_message(detail[0], field)
    return f"{field}: {detail}" if field else str(detail)


@csrf_exempt
@login_not_required
def no_such_path(request: HttpRequest, _prefix: str) -> JsonResponse:
    """For callers of an API a page about a wrong path would be no answer."""
    return JsonResponse({"detail": f"There is nothing at {request.path[:200]}."}, status=404)
