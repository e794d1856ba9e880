"""Who is asking, and from where. Consumers have the same in `tracking.consumers.guard`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from csp.constants import SELF, UNSAFE_INLINE
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.utils.functional import SimpleLazyObject
from rest_framework.renderers import BrowsableAPIRenderer

from tracking.domain import audit
from tracking.domain.access import Caller
from tracking.domain.identity import SIGN_IN, anybody, identify, secret_in
from tracking.errors import InvalidCredentials
from tracking.origin import refuse_origin
from tracking.request_log import note_route, note_user

View = Callable[[HttpRequest], HttpResponse]


def note_request(get_response: View) -> View:
    """Tells the log which route it was and who asked, once that is known."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.resolver_match:
            note_route(request.resolver_match.route)
        note_user(getattr(request, "user", None))
        return response

    return middleware


def check_origin(get_response: View) -> View:
    """Refuse foreign hosts, and changes that another site's page asks for: no cookie guards them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        host = request.headers.get("Host", request.META["SERVER_NAME"])  # HTTP/1.0 names none
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


def secure_cookies(get_response: View) -> View:
    """Cookies set over TLS go over nothing else. A setting could not tell how a request came."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return middleware


def find_caller(get_response: View) -> View:
    """`request.user` is that of the token or the session; in open mode else the user `local`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        of_session = request.user
        request.user = SimpleLazyObject(lambda: _find_caller(request, of_session))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def note_actor(get_response: View) -> View:
    """Tells the audit log who makes the changes of this request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with audit.acting(lambda: request.user):
            return get_response(request)

    return middleware


def _find_caller(request: HttpRequest, of_session: Caller) -> Caller:
    try:
        user = identify(request.headers.get("Authorization", ""))
    except InvalidCredentials:
        return AnonymousUser()
    if user or of_session.is_authenticated:
        return user or of_session
    return anybody() or AnonymousUser()


class SignInMiddleware(LoginRequiredMiddleware):
    """Views are for those who are known, unless marked `login_not_required`; REST views see to it
    themselves. With a token one reads the pages of projects; the others are for people.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None  # before anybody is looked up: health answers without a database
        refusal = super().process_view(request, view_func, view_args, view_kwargs)
        if refusal or not _has_token(request):
            return refusal
        if request.method in {"GET", "HEAD"} and "project_key" in view_kwargs:
            return None
        return JsonResponse({"detail": "A token does not open this: sign in."}, status=403)

    def handle_no_permission(  # type: ignore[override]  # the stubs know redirects only
        self,
        request: HttpRequest,
        view_func: Any,  # noqa: ARG002 -- Django passes it
    ) -> HttpResponseBase:
        if _has_token(request):
            return _refuse("This token is unknown, expired or revoked.")
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401, headers={"HX-Redirect": _login_url(request)})
        if _is_program(request):
            return _refuse(SIGN_IN)
        return HttpResponseRedirect(_login_url(request))


def _has_token(request: HttpRequest) -> bool:
    return bool(secret_in(request.headers.get("Authorization", "")))


def _is_program(request: HttpRequest) -> bool:
    """Browsers that go to a page name HTML; fetch, curl and the like do not."""
    accepted = request.headers.get("Accept", "text/html")
    return "text/html" not in accepted


def _refuse(detail: str) -> HttpResponse:
    headers = {"WWW-Authenticate": "Bearer"}
    return JsonResponse({"detail": detail}, status=401, headers=headers)


def _login_url(request: HttpRequest) -> str:
    """Back leads to the page one was on: an address that only takes changes shows nothing."""
    here, from_page = request.get_full_path(), _is_from_page(request)
    if from_page:
        here = _local_part(
            request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
        )
    asked = {"next": here}
    if from_page or request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        asked["ended"] = "1"  # the session; the page says so, and does nothing else with it
    return f"{settings.LOGIN_URL}?{urlencode(asked)}"


def _is_from_page(request: HttpRequest) -> bool:
    """Whether somebody was on a page already, which asked for more or sent a form."""
    return request.headers.get("HX-Request") == "true" or request.method not in {"GET", "HEAD"}


def _local_part(address: str) -> str:
    try:
        seen = urlsplit(address)
    except ValueError:  # brackets without an address in them
        return "/"
    return urlunsplit(("", "", "/" + seen.path.lstrip("/"), seen.query, ""))
