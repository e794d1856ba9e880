"""What the views of several APIs have in common: bodies that are checked, refusals in the schema."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from tracking.api.parsers import NumberJSONParser
from tracking.domain.artifacts import check_size
from tracking.models import Run


class DetailSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class QueryDetailSerializer(DetailSerializer):
    start = serializers.IntegerField(required=False, help_text="of a wrong word in `q`")
    end = serializers.IntegerField(required=False, help_text="behind it")


def refusal(description: str, detail: str, **place: int) -> OpenApiResponse:
    """`place`: `start` and `end` of what is wrong in a query's text."""
    serializer = QueryDetailSerializer if place else DetailSerializer
    example = OpenApiExample(description, {"detail": detail} | place)
    return OpenApiResponse(serializer, description, examples=[example])


def check_upload_length(request: Request) -> None:
    """Before a form is taken apart: what is beyond both limits together cannot fit.

    Raises: FileTooLarge."""
    length_text = request.META.get("CONTENT_LENGTH") or "0"
    check_size(int(length_text) - settings.MAX_BODY_BYTES if length_text.isdigit() else 0)


class LengthRequired(APIException):
    status_code = 411
    default_detail = "Send the body with a Content-Length, not in chunks."


class BodyViewSet(GenericViewSet[Run]):
    """The URL map names the serializer of each action."""

    queryset = Run.objects.none()  # what is listed is asked for by hand
    parser_classes = [NumberJSONParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers:
            raise LengthRequired  # DRF would take the body for an empty one

    def get_object(self) -> Run:
        """DRF's answer to OPTIONS asks for one before it describes a PUT; it looks at none."""
        return Run()

    def checked_body(self, request: Request) -> Any:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer
