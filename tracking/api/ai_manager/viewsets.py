"""What all views of the AI Manager API have in common: who may ask, how much, and how it is refused."""

from collections.abc import Callable
from typing import Any

from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from tracking import errors
from tracking.api.ai_manager.throttles import HourRate, MinuteRate
from tracking.api.auth import TokenAccess
from tracking.api.codecs import ColumnJSONRenderer, OneForm
from tracking.api.errors import exception_handler
from tracking.api.viewsets import BodyViewSet, DetailSerializer, refusal
from tracking.errors import InvalidInput
from tracking.models import User

NO_CREDENTIALS = "Could not validate credentials"
NO_PERMISSION = "Not enough permissions"
INVALID = refusal(
    "What is asked is wrong; the text names the field.", "name: This field is required."
)
REFUSALS: dict[int, Any] = {
    400: INVALID,
    401: refusal("No token, or one that is no good.", NO_CREDENTIALS),
    429: refusal(
        "Too many requests; the header Retry-After says when to come again.",
        "Request was throttled. Expected available in 12 seconds.",
    ),
}
PROJECT_REFUSALS = REFUSALS | {
    403: refusal("It may be read, but not changed.", NO_PERMISSION),
    404: refusal("There is no such project, or it is not yours to see.", "Project 1 not found"),
}
RUN_REFUSALS = PROJECT_REFUSALS | {
    404: refusal("There is no such run, or it is not yours to see.", "Run 1 not found")
}


class ManagerViewSet(BodyViewSet):
    """Asks for a token in every mode, and answers in JSON whatever the Accept header says.

    `bodies`: the serializer of each action that takes one.
    """

    bodies: dict[str, Any] = {}

    authentication_classes = [TokenAccess]
    throttle_classes = [MinuteRate, HourRate]
    renderer_classes = [ColumnJSONRenderer]
    content_negotiation_class = OneForm

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_error

    def caller(self) -> User:
        """Nobody else comes this far."""
        assert isinstance(self.request.user, User)  # noqa: S101 -- for the types
        return self.request.user

    def get_serializer_class(self) -> Any:
        return self.bodies.get(self.action, DetailSerializer)


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The documented bodies. What is visible may be told to be forbidden here."""
    if isinstance(error, NotAuthenticated | AuthenticationFailed):
        return Response(
            {"detail": NO_CREDENTIALS}, status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    if isinstance(error, errors.NotPermitted) and not isinstance(error, errors.NameTaken):
        return Response({"detail": NO_PERMISSION}, status=403)
    if isinstance(error, errors.AlreadyExists | errors.NameTaken):
        return Response({"detail": str(error)}, status=400)
    return exception_handler(error, context)


def read_id(text: str, field: str) -> int:
    """An id in an address. Raises: InvalidInput."""
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f"{field}: A valid integer is required.", field=field)
    return int(text) if len(text) < 19 else 0  # which is nobody's, as is one of so many digits


def checked_query(serializer: type[Any], request: Request) -> Any:
    query = serializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    return query
