"""Whether the server is ready, and its figures. Source: docs/operations.md."""

import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tracking import telemetry
from tracking.domain.identity import secret_in
from tracking.domain.readiness import NOT_READY, OK, judge, readiness
from tracking.origin import client_address
from tracking.server import is_draining

PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")  # fmt: skip


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 -- Django passes it
    states = readiness.states() | {"process": "stopping" if is_draining() else OK}
    status = judge(states)
    return JsonResponse(
        {"status": status, "parts": states}, status=503 if status == NOT_READY else 200
    )


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if _has_metrics_token(request) or _is_from_here(request) or _is_administrator(request):
        text, content_type = telemetry.render()
        return HttpResponse(text, content_type=content_type)
    if request.user.is_authenticated:
        return JsonResponse({"detail": "There is nothing at /metrics."}, status=404)
    detail = "Send the token of RUNYARD_METRICS_TOKEN: Authorization: Bearer …"
    headers = {"WWW-Authenticate": "Bearer"}
    return JsonResponse({"detail": detail}, status=401, headers=headers)


def _has_metrics_token(request: HttpRequest) -> bool:
    secret = secret_in(request.headers.get("Authorization", ""))
    token: str = settings.METRICS_TOKEN
    return bool(token and secret) and constant_time_compare(secret, token)


def _is_from_here(request: HttpRequest) -> bool:
    """From this machine, to a name of this machine: a proxy on it asks for others."""
    is_for_others = not settings.TRUSTED_PROXIES and any(
        name in request.headers for name in PROXY_HEADERS
    )
    host, _ = split_domain_port(request.get_host())
    address = client_address(request)
    is_local = address is not None and ipaddress.ip_address(address).is_loopback
    return is_local and not is_for_others and host in settings.LOOPBACK_HOSTS


def _is_administrator(request: HttpRequest) -> bool:
    """A person, or in open mode anybody; what an API token may read is no figures of the server."""
    return bool(
        getattr(request.user, "is_superuser", False)
        and not secret_in(request.headers.get("Authorization", ""))
    )
