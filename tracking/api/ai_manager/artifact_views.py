"""Files of runs in the AI Manager API. Its document has none; the original's server and client do,
each at an address of its own, and both are answered.
"""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.ai_manager.serializers import (
    ArtifactSerializer,
    MessageSerializer,
    SliceQuery,
    UploadSerializer,
)
from tracking.api.ai_manager.viewsets import (
    RUN_REFUSALS,
    ManagerViewSet,
    checked_query,
    read_id,
)
from tracking.api.downloads import send_artifact
from tracking.api.viewsets import check_upload_length, refusal
from tracking.domain.access import find_run_by_id, require_write, visible_runs
from tracking.domain.artifacts import delete_artifacts, store_artifact
from tracking.errors import NotFound
from tracking.models import Artifact

RUN_ID = OpenApiParameter("run_id", OpenApiTypes.INT, "path")
ARTIFACT_ID = OpenApiParameter("artifact_id", OpenApiTypes.INT, "path")
ARTIFACT_REFUSALS: dict[Any, Any] = RUN_REFUSALS | {
    404: refusal("There is no such file, or it is not yours to see.", "Artifact 1 not found")
}


@extend_schema(tags=["Artifacts"])
class RunArtifactViewSet(ManagerViewSet):
    bodies = {"upload_artifact": UploadSerializer}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="manager_upload_artifact",
        summary="Upload a file; one of the same name is replaced",
        parameters=[RUN_ID],
        responses={
            200: ArtifactSerializer,
            **RUN_REFUSALS,
            413: refusal("Too many bytes.", "File too large: exceeds limit of 10737418240 bytes"),
        },
    )
    def upload_artifact(self, request: Request, run_id: str) -> Response:
        found = find_run_by_id(request.user, read_id(run_id, "run_id"), write=True)
        check_upload_length(request)
        artifact = store_artifact(found, **self.checked_body(request).artifact())
        return Response(ArtifactSerializer(artifact).data)

    @extend_schema(
        operation_id="manager_list_artifacts",
        summary="List the files of a run",
        parameters=[RUN_ID, SliceQuery],
        responses={200: ArtifactSerializer(many=True), **RUN_REFUSALS},
    )
    def list_artifacts(self, request: Request, run_id: str) -> Response:
        found = find_run_by_id(request.user, read_id(run_id, "run_id"))
        rows = found.artifacts.filter(deleted_at=None).order_by("pk")
        page = checked_query(SliceQuery, request).cut(rows)
        return Response(ArtifactSerializer(page, many=True).data)


@extend_schema(tags=["Artifacts"], parameters=[ARTIFACT_ID])
class ArtifactViewSet(ManagerViewSet):
    @extend_schema(
        operation_id="manager_download_artifact",
        summary="Download a file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **ARTIFACT_REFUSALS},
    )
    def download_artifact(self, request: Request, artifact_id: str) -> HttpResponseBase:
        found = find_artifact(request, artifact_id)
        return send_artifact(found, is_head=request.method == "HEAD", may_redirect=True)

    @extend_schema(
        operation_id="manager_delete_artifact",
        summary="Delete a file",
        responses={200: MessageSerializer, **ARTIFACT_REFUSALS},
    )
    def delete_artifact(self, request: Request, artifact_id: str) -> Response:
        found = find_artifact(request, artifact_id, write=True)
        delete_artifacts(Artifact.objects.filter(pk=found.pk))
        return Response({"message": "Artifact deleted successfully"})


def find_artifact(request: Request, text: str, *, write: bool = False) -> Artifact:
    """A file of a run one may see. Raises: NotFound, NotPermitted, InvalidInput."""
    artifact_id = read_id(text, "artifact_id")
    files = Artifact.objects.filter(run__in=visible_runs(request.user), deleted_at=None)
    artifact = files.select_related("run__project").filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound(f"Artifact {artifact_id} not found")
    if write:
        require_write(request.user, artifact.run.project)
    return artifact
