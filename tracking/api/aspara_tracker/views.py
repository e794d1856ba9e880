"""The tracker API: what jobs that speak plain HTTP send. Source: Tracker API."""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from tracking.api.aspara_tracker.serializers import (
    CreatedRunSerializer,
    StatusSerializer,
    StoredArtifactSerializer,
)
from tracking.api.viewsets import BodyViewSet, check_upload_length, refusal
from tracking.domain import runs, writer
from tracking.domain.access import find_run
from tracking.domain.artifacts import store_artifact
from tracking.domain.ingest import record_row
from tracking.domain.values import check_project_key, check_run_key
from tracking.models import Run

OK = {"status": "ok"}
INVALID = refusal("The body is wrong; the text names the field.", "name: This field is required.")
NO_RUN = refusal("No such run.", "Run 'experiment_001' not found in project 'my_project'")
CHANGED = {200: StatusSerializer, 400: INVALID, 404: NO_RUN}


def find_writable_run(request: Request, project: str, run: str) -> Run:
    """Bad names are a 400 here, even where some other surface could have made them."""
    return find_run(request.user, check_project_key(project), check_run_key(run), write=True)


@extend_schema(tags=["Health"])
class HealthViewSet(ViewSet):
    """Whether the server answers; asks for nobody's name and for no database."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="health_check",
        summary="Check that the tracker is running",
        responses=StatusSerializer,
    )
    def health_check(self, request: Request) -> Response:  # noqa: ARG002 -- DRF passes it
        return Response(OK)


@extend_schema(tags=["Runs"])
class RunViewSet(BodyViewSet):
    """A run is created, logs, is described and finishes; each write goes through the writer."""

    @extend_schema(
        operation_id="create_run",
        summary="Create a new run, and its project if there is none",
        responses={
            200: CreatedRunSerializer,
            400: INVALID,
            403: refusal(
                "The project is somebody else's.",
                "The project name 'my_project' is taken; ask its owner to let you in.",
            ),
            409: refusal("There is a run of that name to resume.", "Run already exists"),
        },
    )
    def create_run(self, request: Request, project: str) -> Response:
        key, body = check_project_key(project), self.checked_body(request)
        open_run = partial(
            runs.open_run,
            key,
            body.run_start(),
            project_tags=body.validated_data.get("project_tags") or [],
            user=request.user,
        )
        run, _ = writer.write(open_run)
        return Response(CreatedRunSerializer(run).data)

    @extend_schema(
        operation_id="save_metrics", summary="Log the metrics of one step", responses=CHANGED
    )
    def save_metrics(self, request: Request, project: str, run: str) -> Response:
        found, body = find_writable_run(request, project, run), self.checked_body(request)
        writer.write(partial(record_row, found, user=request.user, **body.row()), run_id=found.pk)
        return Response(OK)

    @extend_schema(
        operation_id="update_config", summary="Merge values into the config", responses=CHANGED
    )
    def update_config(self, request: Request, project: str, run: str) -> Response:
        found, body = find_writable_run(request, project, run), self.checked_body(request)
        writer.write(partial(runs.merge_config, found, body.validated_data["config"]))
        return Response(OK)

    @extend_schema(
        operation_id="update_summary", summary="Merge values into the summary", responses=CHANGED
    )
    def update_summary(self, request: Request, project: str, run: str) -> Response:
        found, body = find_writable_run(request, project, run), self.checked_body(request)
        writer.write(partial(runs.merge_summary, found, body.validated_data["summary"]))
        return Response(OK)

    @extend_schema(operation_id="update_tags", summary="Replace the tags", responses=CHANGED)
    def update_tags(self, request: Request, project: str, run: str) -> Response:
        found, body = find_writable_run(request, project, run), self.checked_body(request)
        writer.write(partial(runs.update_run, found, tags=body.validated_data["tags"]))
        return Response(OK)

    @extend_schema(operation_id="finish_run", summary="End the run", responses=CHANGED)
    def finish_run(self, request: Request, project: str, run: str) -> Response:
        found, body = find_writable_run(request, project, run), self.checked_body(request)
        writer.write(partial(runs.finish_run, found, **body.ending()))
        return Response(OK)


@extend_schema(tags=["Artifacts"])
class ArtifactViewSet(BodyViewSet):
    """Files of a run."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="upload_artifact",
        summary="Upload a file; one of the same name is replaced",
        responses={
            200: StoredArtifactSerializer,
            400: refusal(
                "The form is wrong; the text names the field.",
                "Invalid category: zzz. Must be one of: code, model, config, data, other",
            ),
            404: NO_RUN,
            413: refusal("Too many bytes.", "File too large: exceeds limit of 10737418240 bytes"),
        },
    )
    def upload_artifact(self, request: Request, project: str, run: str) -> Response:
        found = find_writable_run(request, project, run)
        check_upload_length(request)
        artifact = store_artifact(found, **self.checked_body(request).artifact())
        return Response(StoredArtifactSerializer(artifact).data)
