"""Who is asking, and from where. Consumers have the same in `tracking.consumers.guard`."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import SimpleLazyObject
from rest_framework.renderers import BrowsableAPIRenderer

from tracking.domain.access import local_user
from tracking.origin import refuse_origin

View = Callable[[HttpRequest], HttpResponse]


def check_origin(get_response: View) -> View:
    """Refuse foreign hosts, and changes that another site's page asks for: no cookie guards them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        host = request.headers.get("Host") or request.META["SERVER_NAME"]  # HTTP/1.0 names none
        origin = request.headers.get("Origin", "")
        if refusal := refuse_origin(request.method or "", host=host, origin=origin):
            status, detail = refusal
            return JsonResponse({"detail": detail}, status=status)
        return get_response(request)

    return middleware


def relax_browsable_api(get_response: View) -> View:
    """DRF's browsable pages alone style their elements inline."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(getattr(response, "accepted_renderer", None), BrowsableAPIRenderer):
            response._csp_update = {"style-src": [SELF, UNSAFE_INLINE]}  # type: ignore[attr-defined]  # noqa: SLF001 -- what django-csp's decorators do
        return response

    return middleware


def open_access(get_response: View) -> View:
    """In open mode everybody is the built-in user `local`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(local_user)  # type: ignore[assignment]
        return get_response(request)

    return middleware
