"""What people have edited, for whoever keeps a copy of it elsewhere."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from tracking.api.aspara_dashboard.record_serializers import IsoField
from tracking.api.paging import MAX_LIMIT
from tracking.api.viewsets import refusal
from tracking.domain.edit_log import Edit, EditPage, list_edits
from tracking.domain.values import INT64

EXAMPLE = {
    "edits": [
        {
            "id": 17,
            "edited_at": "2026-01-01T00:00:00.000000Z",
            "project": "my_project",
            "run": "run1",
            "run_uid": "0f7c2f0e-7f0f-4a1e-9a52-7b1a4f6f2a10",
            "values": {"tags": ["baseline"]},
        }
    ],
    "next": 17,
}


class EditsQuery(serializers.Serializer[Any]):
    since = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=INT64.stop - 1,
        help_text="`next` of the answer before; 0: from the beginning",
    )
    limit = serializers.IntegerField(
        default=100, min_value=1, max_value=MAX_LIMIT, help_text="how many at most"
    )


class EditSerializer(serializers.Serializer[Edit]):
    id = serializers.IntegerField()
    edited_at = IsoField()
    project = serializers.CharField(source="project.key")
    run = serializers.CharField(
        source="run.key", default=None, allow_null=True, help_text="null: the project's own words"
    )
    run_uid = serializers.UUIDField(source="run.uid", default=None, allow_null=True)
    values = serializers.DictField(
        help_text="the edited ones of `tags`, `notes`, `readme`, as they are now"
    )


@extend_schema_serializer(examples=[OpenApiExample("Edits", EXAMPLE, response_only=True)])
class EditPageSerializer(serializers.Serializer[EditPage]):
    edits = EditSerializer(many=True)
    next = serializers.IntegerField(source="next_id", help_text="`since` of the next request")


@extend_schema(tags=["Projects"])
class EditViewSet(ViewSet):
    @extend_schema(
        operation_id="list_edits",
        summary="List what people have edited",
        description="Edits of tags, notes and readmes of the runs and projects one may see, oldest"
        " first; what trainings say of themselves is not among them.",
        parameters=[EditsQuery],
        responses={
            200: EditPageSerializer,
            400: refusal("What is asked is wrong; the text names the field.", "since: …"),
        },
    )
    def list_edits(self, request: Request) -> Response:
        query = EditsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(EditPageSerializer(list_edits(request.user, **query.validated_data)).data)
