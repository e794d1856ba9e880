"""The dashboard API: what was logged, to read and to manage. Source: Dashboard API."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from tracking.api.aspara_dashboard import examples
from tracking.api.aspara_dashboard.caching import answer_series
from tracking.api.aspara_dashboard.record_serializers import (
    UNUSED_COLUMNS,
    ChangesSerializer,
    ListedProjectSerializer,
    MessageSerializer,
    ProducerSerializer,
    ProjectMetadataSerializer,
    RunMetadataSerializer,
    RunSerializer,
    RunsQuery,
    cut_to_size,
    load_details,
)
from tracking.api.aspara_dashboard.serializers import (
    RunsSeriesQuery,
    SeriesQuery,
    metrics_by_run,
    read_metrics,
)
from tracking.api.codecs import (
    ColumnJSONRenderer,
    ColumnMsgpackRenderer,
    LongJSONRenderer,
    OneForm,
    PageRenderer,
    PlainMsgpackRenderer,
)
from tracking.api.paging import PageQuery
from tracking.api.viewsets import BodyViewSet, refusal
from tracking.dialects import UNKNOWN_RUNS_HEADER, list_unknown
from tracking.domain import writer
from tracking.domain.access import find_project, find_run
from tracking.domain.archives import read_pieces, zip_artifacts
from tracking.domain.projects import list_projects, update_project
from tracking.domain.runs import update_run
from tracking.domain.series import read_series
from tracking.domain.trash import discard_projects, discard_runs
from tracking.domain.values import flatten_map
from tracking.models import Project, Run

INVALID = refusal("What is asked is wrong; the text names the field.", "runs: No runs specified")
INVALID_QUERY = refusal(
    "What is asked is wrong; in a query `start` and `end` tell where.",
    "Expected a value after '<'.",
    start=10,
    end=11,
)
NO_PROJECT = refusal("No such project.", "Project 'my_project' not found")
NO_RUN = refusal("No such run.", "Run 'run1' not found in project 'my_project'")


def told_by_header(name: str, description: str, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    """A header of the answer."""
    return OpenApiParameter(name, kind, "header", description=description, response=[200])


ETAG = told_by_header("ETag", "send it back as If-None-Match: an unchanged answer is a 304")
UNKNOWN_RUNS = told_by_header(
    UNKNOWN_RUNS_HEADER, "names that are no runs, percent-encoded; `+7` at the end: so many more"
)
LINK = told_by_header("Link", "to the other pieces of the list: first, prev, next, last")
TOTAL = told_by_header("X-Total-Count", "how many there are in all", OpenApiTypes.INT)


def checked(query: Any) -> Any:
    query.is_valid(raise_exception=True)
    return query


@extend_schema(tags=["Metrics"])
class SeriesViewSet(ViewSet):
    """Points for charts."""

    renderer_classes = [
        ColumnJSONRenderer,
        ColumnMsgpackRenderer,
        PlainMsgpackRenderer,
        PageRenderer,
    ]

    @extend_schema(
        operation_id="runs_metrics_api",
        summary="Get metrics for multiple runs",
        description="Metric first, then run. Unknown runs are left out, and named in the header"
        f" `{UNKNOWN_RUNS_HEADER}`.",
        parameters=[RunsSeriesQuery, ETAG, UNKNOWN_RUNS],
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, examples=[examples.RUNS_METRICS]),
            400: INVALID,
            404: NO_PROJECT,
        },
    )
    def runs_metrics(self, request: Request, project: str) -> HttpResponseBase:
        found = find_project(request.user, project)
        query = checked(RunsSeriesQuery(data=request.query_params))
        names = query.validated_data["runs"]
        # A hundred configs cost more than the points of their runs.
        runs = list(
            found.runs.filter(key__in=names).only("project", "key", "revision", "started_at")
        )

        def read() -> dict[str, Any]:
            return {"project": project, "metrics": read_metrics(runs, query)}

        unknown = list_unknown(names, {run.key for run in runs})
        return answer_series(request, runs, read, headers=unknown)

    @extend_schema(
        operation_id="get_metrics_api",
        summary="Get metrics for a run",
        parameters=[SeriesQuery, ETAG],
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, examples=[examples.METRICS]),
            400: INVALID,
            404: NO_RUN,
        },
    )
    def get_metrics(self, request: Request, project: str, run: str) -> HttpResponseBase:
        found = find_run(request.user, project, run)
        query = checked(SeriesQuery(data=request.query_params))

        def read() -> dict[str, Any]:
            series = read_series([found], query.window(), names=query.names())
            by_name = metrics_by_run(series, totals=query.validated_data["totals"])
            metrics = {name: by_run[run] for name, by_run in by_name.items()}
            return {"project": project, "run": run, "metrics": metrics}

        return answer_series(request, [found], read)


@extend_schema(tags=["Runs"])
class RunViewSet(BodyViewSet):
    """What is known of runs."""

    serializer_class = ChangesSerializer
    renderer_classes = [LongJSONRenderer, PageRenderer]

    @extend_schema(
        operation_id="list_runs_api",
        summary="List runs in a project",
        description="Newest first, unless `sort` says otherwise; without archived runs, unless `q`"
        " names `archived`.",
        parameters=[RunsQuery, LINK, TOTAL],
        responses={200: RunSerializer(many=True), 400: INVALID_QUERY, 404: NO_PROJECT},
    )
    def list_runs(self, request: Request, project: str) -> Response:
        found = find_project(request.user, project)
        query = checked(RunsQuery(data=request.query_params))
        runs = query.select(found.runs.select_related("project").defer(*UNUSED_COLUMNS))
        page = load_details(cut_to_size(query.cut(runs)))
        headers = query.headers(request, shown=len(page), total=runs.count())
        return Response(RunSerializer(page, many=True).data, headers=headers)

    @extend_schema(
        operation_id="get_run",
        summary="Get a run",
        description="The same is at `/projects/{project}/runs/{run}` for those who prefer JSON"
        " (`Accept: application/json`).",
        responses={200: RunSerializer, 404: NO_RUN},
    )
    def get_run(self, request: Request, project: str, run: str) -> Response:
        found = find_run(request.user, project, run)
        return Response(RunSerializer(load_details([found])[0]).data)

    @extend_schema(
        operation_id="get_params_api",
        summary="Get parameters for a run",
        description="The config; names of nested values are joined by dots.",
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, examples=[examples.PARAMS]),
            404: NO_RUN,
        },
    )
    def get_params(self, request: Request, project: str, run: str) -> Response:
        return Response(flatten_map(find_run(request.user, project, run).config))

    @extend_schema(
        operation_id="list_producers",
        summary="List what has arrived of a run",
        description="A row for each process that logged to it through the SDK: docs/ingest.md.",
        parameters=[PageQuery, LINK, TOTAL],
        responses={200: ProducerSerializer(many=True), 400: INVALID, 404: NO_RUN},
    )
    def list_producers(self, request: Request, project: str, run: str) -> Response:
        query = checked(PageQuery(data=request.query_params))
        producers = find_run(request.user, project, run).producers.order_by("pk")
        page = query.cut(producers)
        headers = query.headers(request, shown=len(page), total=producers.count())
        return Response(ProducerSerializer(page, many=True).data, headers=headers)

    @extend_schema(
        operation_id="get_run_metadata_api",
        summary="Get run metadata",
        responses={200: RunMetadataSerializer, 404: NO_RUN},
    )
    def get_metadata(self, request: Request, project: str, run: str) -> Response:
        found = find_run(request.user, project, run)
        return Response(RunMetadataSerializer(load_details([found])[0]).data)

    @extend_schema(
        operation_id="update_run_metadata_api",
        summary="Update run metadata",
        responses={200: RunMetadataSerializer, 400: INVALID, 404: NO_RUN},
    )
    def update_metadata(self, request: Request, project: str, run: str) -> Response:
        found = find_run(request.user, project, run, write=True)
        changes = self.checked_body(request).validated_data
        writer.write(partial(update_run, found, **changes, is_alive=False))
        return self.get_metadata(request, project, run)

    @extend_schema(
        operation_id="delete_run",
        summary="Delete a run",
        description="With all its points, logs and files. The trash gives it back.",
        responses={200: MessageSerializer, 404: NO_RUN},
    )
    def delete_run(self, request: Request, project: str, run: str) -> Response:
        found = find_run(request.user, project, run, write=True)
        discard_runs(Run.objects.filter(pk=found.pk))
        return Response({"message": f"Run '{project}/{run}' deleted successfully"})


@extend_schema(tags=["Projects"])
class ProjectViewSet(BodyViewSet):
    """What is known of projects."""

    serializer_class = ChangesSerializer

    @extend_schema(
        operation_id="list_projects",
        summary="List projects",
        parameters=[PageQuery, LINK, TOTAL],
        responses={200: ListedProjectSerializer(many=True), 400: INVALID},
    )
    def list_projects(self, request: Request) -> Response:
        query = checked(PageQuery(data=request.query_params))
        projects = list_projects(request.user)
        page = query.cut(projects)
        headers = query.headers(request, shown=len(page), total=projects.count())
        return Response(ListedProjectSerializer(page, many=True).data, headers=headers)

    @extend_schema(
        operation_id="get_project_metadata_api",
        summary="Get project metadata",
        responses={200: ProjectMetadataSerializer, 404: NO_PROJECT},
    )
    def get_metadata(self, request: Request, project: str) -> Response:
        return Response(ProjectMetadataSerializer(find_project(request.user, project)).data)

    @extend_schema(
        operation_id="update_project_metadata_api",
        summary="Update project metadata",
        responses={200: ProjectMetadataSerializer, 400: INVALID, 404: NO_PROJECT},
    )
    def update_metadata(self, request: Request, project: str) -> Response:
        found = find_project(request.user, project, write=True)
        changes = self.checked_body(request).validated_data
        writer.write(partial(update_project, found, **changes))
        return self.get_metadata(request, project)

    @extend_schema(
        operation_id="delete_project",
        summary="Delete a project",
        description="With all its runs; owners alone may. The trash gives it back.",
        responses={200: MessageSerializer, 404: NO_PROJECT},
    )
    def delete_project(self, request: Request, project: str) -> Response:
        found = find_project(request.user, project, manage=True)
        discard_projects(Project.objects.filter(pk=found.pk))
        return Response({"message": f"Project '{project}' deleted successfully"})


@extend_schema(tags=["Artifacts"])
class ArtifactViewSet(ViewSet):
    """Files of runs."""

    renderer_classes = [ColumnJSONRenderer]
    content_negotiation_class = OneForm

    @extend_schema(
        operation_id="download_artifacts_zip",
        summary="Download artifacts as ZIP",
        description="All files of the run under their names, made while it is sent.",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            404: refusal("No such run, or no files.", "No artifacts found for this run"),
        },
    )
    def download(self, request: Request, project: str, run: str) -> HttpResponseBase:
        found = find_run(request.user, project, run)
        archive = zip_artifacts(found)
        is_head = request.method == "HEAD"  # nobody takes the bytes: do not read the files
        answer: Callable[..., HttpResponseBase] = HttpResponse if is_head else StreamingHttpResponse
        name = f"{project}_{run}_artifacts_{timezone.now():%Y%m%d_%H%M%S}.zip"
        return answer(
            b"" if is_head else read_pieces(archive),
            content_type="application/zip",
            headers={
                "Content-Length": str(archive.size_bytes),
                "Content-Disposition": content_disposition_header(True, name) or "",  # noqa: FBT003 -- Django's own signature
            },
        )
