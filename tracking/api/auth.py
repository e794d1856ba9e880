"""How REST callers say who they are: a token, a session, or nothing where the server is open."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tracking.domain.identity import anybody, identify
from tracking.errors import InvalidCredentials
from tracking.models import User


class TokenAccess(BaseAuthentication):
    """`Authorization: Bearer …`, first: whoever sends a wrong one is not somebody else instead."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        try:
            user = identify(request.headers.get("Authorization", ""))
        except InvalidCredentials as error:
            raise AuthenticationFailed(str(error)) from error
        return (user, None) if user else None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 -- the framework passes it
        return "Bearer"


class SessionAccess(SessionAuthentication):
    """Who is signed in. Changes need the CSRF token: a browser sends its cookie for any site."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        session: Mapping[str, Any] = getattr(request, "session", {})
        return super().authenticate(request) if SESSION_KEY in session else None


class OpenAccess(BaseAuthentication):
    """In open mode everybody is the built-in user `local`."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:  # noqa: ARG002 -- the framework passes it
        user = anybody()
        return (user, None) if user else None


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAccess
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 -- the framework passes it
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (`ry_…`) from your profile page, or a JWT of a login.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = SessionAccess
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 -- as above
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of a browser that is signed in.",
        }


class OpenAccessScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular that in open mode no credentials are asked for."""

    target_class = OpenAccess
    name: list[str] = []

    def get_security_requirement(self, auto_schema: object) -> dict[str, list[str]]:  # noqa: ARG002 -- as above
        return {}

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:  # noqa: ARG002 -- as above
        return []
