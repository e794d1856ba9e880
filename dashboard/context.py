"""What every template knows."""

from django.conf import settings
from django.http import HttpRequest


def access(request: HttpRequest) -> dict[str, bool]:  # noqa: ARG001 -- the same for all
    return {"is_open": settings.ACCESS == "open"}
