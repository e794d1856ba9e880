"""What all views of ML-Dash's wire have in common. Source: the client of ml-dash 0.6 to 0.11."""

from typing import Any

from rest_framework.request import Request

from tracking.api.ml_dash.parsers import AnyJSONParser
from tracking.api.ml_dash.renderers import JSONUnlessNamed, WordJSONRenderer
from tracking.api.viewsets import BodyViewSet, DetailSerializer, refusal

UNNAMED = "None"  # what the stream without a name is called in addresses
INVALID = refusal("What is sent is wrong; the text names the field.", "logs: must be a list.")
NO_EXPERIMENT = refusal(
    "No such experiment, or it is not yours.", "Experiment 3000000000000000001 not found"
)
REFUSALS: dict[int, Any] = {400: INVALID, 404: NO_EXPERIMENT}


class DashViewSet(BodyViewSet):
    """As the published client of ML-Dash asks for it."""

    bodies: dict[str, Any] = {}  # the serializer of each action that takes one

    parser_classes = [AnyJSONParser]
    renderer_classes: list[Any] = [WordJSONRenderer]
    content_negotiation_class = JSONUnlessNamed

    def get_serializer_class(self) -> Any:
        return self.bodies.get(self.action, DetailSerializer)


def checked_query(serializer: type[Any], request: Request) -> dict[str, Any]:
    query = serializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    found: dict[str, Any] = query.validated_data
    return found


def stream_called(name: str) -> str:
    """The stream of a name in an address."""
    return "" if name == UNNAMED else name


def name_of(stream: str) -> str:
    return stream or UNNAMED
