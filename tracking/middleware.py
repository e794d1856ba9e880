"""Who is asking, and from where. Consumers have the same in `tracking.consumers.guard`."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import SimpleLazyObject
from rest_framework.renderers import BrowsableAPIRenderer

from tracking.domain.access import local_user
from tracking.origin import is_foreign_origin

View = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def check_origin(get_response: View) -> View:
    """Refuse changes that another site's page asks for: in open mode there is no cookie to miss."""

    def middleware(request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        if request.method not in SAFE_METHODS and is_foreign_origin(origin, request.get_host()):
            return JsonResponse(
                {"detail": "Requests from another site's pages are refused."}, status=403
            )
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
