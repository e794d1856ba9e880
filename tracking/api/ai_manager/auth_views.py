"""Users of the AI Manager API: making an account, and getting a token for it."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from tracking import errors
from tracking.api.ai_manager.serializers import (
    LoginSerializer,
    RegisterSerializer,
    TokenSerializer,
    UserSerializer,
)
from tracking.api.ai_manager.viewsets import REFUSALS, ManagerViewSet, answer_error
from tracking.api.codecs import OneForm
from tracking.api.parsers import NumberJSONParser
from tracking.api.viewsets import refusal
from tracking.attempts import check_password
from tracking.domain.jwt import make_jwt
from tracking.domain.registration import register_user
from tracking.errors import InvalidCredentials
from tracking.models import ApiToken

WRONG_PASSWORD = "Incorrect username or password"  # noqa: S105 -- what is said of a wrong one
SCOPE_HEADER = "Runyard-Token-Scope"  # the printed keys of the answer have no room for it
TAKEN = "User with this email or username already exists"


class LoginNegotiation(OneForm):
    """Forms, as documented, and JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return DefaultContentNegotiation().select_parser(request, list(parsers))


class OpenViewSet(ManagerViewSet):
    """For those who have no token yet."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_stranger


def answer_stranger(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, InvalidCredentials):
        headers = {"WWW-Authenticate": "Bearer"}
        return Response({"detail": str(error)}, status=401, headers=headers)
    if isinstance(error, errors.NameTaken):
        return Response({"detail": TAKEN}, status=400)
    if isinstance(error, errors.NotPermitted):
        return Response({"detail": str(error)}, status=403)
    return answer_error(error, context)


@extend_schema(tags=["Authentication"])
class RegisterViewSet(OpenViewSet):
    bodies = {"register": RegisterSerializer}

    @extend_schema(
        operation_id="manager_register",
        summary="Register a new user",
        description="Open to anybody in open mode; else as the server's operator has it.",
        responses={
            200: UserSerializer,
            400: refusal("Something is wrong, or taken.", TAKEN),
            403: refusal("Registration is closed.", "Accounts are made by the administrators here"),
            429: REFUSALS[429],
        },
    )
    def register(self, request: Request) -> Response:
        asked = self.checked_body(request).validated_data
        user = register_user(asked["username"], asked["email"], asked["password"])
        return Response(UserSerializer(user).data)


@extend_schema(tags=["Authentication"])
class LoginViewSet(OpenViewSet):
    bodies = {"login": LoginSerializer}
    parser_classes = [FormParser, NumberJSONParser]
    content_negotiation_class = LoginNegotiation

    @extend_schema(
        operation_id="manager_login",
        summary="Login and get an access token",
        responses={
            200: TokenSerializer,
            400: REFUSALS[400],
            401: refusal("It is nobody's name and password.", WRONG_PASSWORD),
            429: REFUSALS[429],
        },
    )
    def login(self, request: Request) -> Response:
        asked = self.checked_body(request).validated_data
        user = check_password(request._request, asked["username"], asked["password"])  # noqa: SLF001 -- Django's own request, by which attempts are counted
        if user is None:
            raise InvalidCredentials(WRONG_PASSWORD)
        return Response(
            TokenSerializer({"access_token": make_jwt(user), "token_type": "bearer"}).data
        )


@extend_schema(tags=["Authentication"])
class MeViewSet(ManagerViewSet):
    @extend_schema(
        operation_id="manager_get_current_user",
        summary="Get current user information",
        parameters=[
            OpenApiParameter(
                SCOPE_HEADER,
                location=OpenApiParameter.HEADER,
                description="what the token may: `read` or `write`, and perhaps `; project=KEY`",
                response=[200],
            )
        ],
        responses={200: UserSerializer, 401: REFUSALS[401], 429: REFUSALS[429]},
    )
    def get_current_user(self, request: Request) -> Response:  # noqa: ARG002 -- DRF passes it
        user = self.caller()
        headers = {SCOPE_HEADER: describe_scope(user.token)}
        return Response(UserSerializer(user).data, headers=headers)


def describe_scope(token: ApiToken | None) -> str:
    """The key of the only project is percent-encoded. A login's token may all that its user may."""
    may = "write" if token is None or token.can_write else "read"
    project = token.project if token else None
    return f"{may}; project={quote(project.key, safe='')}" if project else may
