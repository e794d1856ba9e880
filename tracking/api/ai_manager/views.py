"""Projects and runs of the AI Manager API. Source: AI Manager API."""

from functools import partial

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.ai_manager.serializers import (
    ListedRunSerializer,
    MessageSerializer,
    NewProjectSerializer,
    NewRunQuery,
    NewRunSerializer,
    ProjectChangesSerializer,
    ProjectSerializer,
    RunChangesSerializer,
    RunSerializer,
    RunsQuery,
    SliceQuery,
)
from tracking.api.ai_manager.viewsets import (
    PROJECT_REFUSALS,
    REFUSALS,
    RUN_REFUSALS,
    ManagerViewSet,
    checked_query,
    read_id,
)
from tracking.domain import writer
from tracking.domain.access import (
    find_project_by_id,
    find_run_by_id,
    visible_projects,
    visible_runs,
)
from tracking.domain.projects import create_project, update_project
from tracking.domain.run_changes import change_run
from tracking.domain.runs import start_run
from tracking.domain.trash import discard_projects, discard_runs
from tracking.models import Project, Run

PROJECT_ID = OpenApiParameter("project_id", OpenApiTypes.INT, "path")
RUN_ID = OpenApiParameter("run_id", OpenApiTypes.INT, "path")


@extend_schema(tags=["Projects"])
class ProjectViewSet(ManagerViewSet):
    bodies = {"create_project": NewProjectSerializer, "update_project": ProjectChangesSerializer}

    @extend_schema(
        operation_id="manager_list_projects",
        summary="List the projects one may see",
        description="One's own, those one is a member of, and public ones; the oldest first.",
        parameters=[SliceQuery],
        responses={200: ProjectSerializer(many=True), **REFUSALS},
    )
    def list_projects(self, request: Request) -> Response:
        query = checked_query(SliceQuery, request)
        projects = query.cut(visible_projects(request.user).order_by("pk"))
        return Response(ProjectSerializer(projects, many=True).data)

    @extend_schema(
        operation_id="manager_create_project",
        summary="Create a new project",
        responses={200: ProjectSerializer, **PROJECT_REFUSALS},
    )
    def create_project(self, request: Request) -> Response:
        asked = self.checked_body(request).given()
        project = writer.write(
            partial(create_project, asked.pop("name"), user=self.caller(), **asked)
        )
        return Response(ProjectSerializer(project).data)

    @extend_schema(
        operation_id="manager_get_project",
        summary="Get a specific project",
        parameters=[PROJECT_ID],
        responses={200: ProjectSerializer, **PROJECT_REFUSALS},
    )
    def get_project(self, request: Request, project_id: str) -> Response:
        found = find_project_by_id(request.user, read_id(project_id, "project_id"))
        return Response(ProjectSerializer(found).data)

    @extend_schema(
        operation_id="manager_update_project",
        summary="Update a project",
        description="What is left out stays. Only owners change `is_public`.",
        parameters=[PROJECT_ID],
        responses={200: ProjectSerializer, **PROJECT_REFUSALS},
    )
    def update_project(self, request: Request, project_id: str) -> Response:
        pk = read_id(project_id, "project_id")
        find_project_by_id(request.user, pk, write=True)
        asked = self.checked_body(request).given()
        found = find_project_by_id(request.user, pk, write=True, manage="is_public" in asked)
        writer.write(partial(update_project, found, user=request.user, **asked))
        return Response(ProjectSerializer(found).data)

    @extend_schema(
        operation_id="manager_delete_project",
        summary="Delete a project",
        description="With all its runs. The trash gives it back.",
        parameters=[PROJECT_ID],
        responses={200: MessageSerializer, **PROJECT_REFUSALS},
    )
    def delete_project(self, request: Request, project_id: str) -> Response:
        found = find_project_by_id(request.user, read_id(project_id, "project_id"), manage=True)
        discard_projects(Project.objects.filter(pk=found.pk))
        return Response({"message": "Project deleted successfully"})


@extend_schema(tags=["Runs"])
class RunViewSet(ManagerViewSet):
    bodies = {"create_run": NewRunSerializer, "update_run": RunChangesSerializer}

    @extend_schema(
        operation_id="manager_list_runs",
        summary="List the runs one may see",
        description="Without archived ones; the oldest first.",
        parameters=[RunsQuery],
        responses={200: ListedRunSerializer(many=True), **REFUSALS},
    )
    def list_runs(self, request: Request) -> Response:
        query = checked_query(RunsQuery, request)
        runs = visible_runs(request.user).filter(archived_at=None).order_by("pk")
        if (project_id := query.validated_data.get("project_id")) is not None:
            runs = runs.filter(project=project_id)
        columns = ("name", "status", "started_at", "ended_at", "tags")
        return Response(ListedRunSerializer(query.cut(runs.only(*columns)), many=True).data)

    @extend_schema(
        operation_id="manager_create_run",
        summary="Create a new run",
        description="Names may repeat; the run's address in the dashboard then ends in a number.",
        parameters=[NewRunQuery],
        responses={200: RunSerializer, **PROJECT_REFUSALS},
    )
    def create_run(self, request: Request) -> Response:
        project_id = checked_query(NewRunQuery, request).validated_data["project_id"]
        project = find_project_by_id(request.user, project_id, write=True)
        start = self.checked_body(request).run_start()
        run, _ = writer.write(partial(start_run, project, start, user=request.user))
        return Response(RunSerializer(run).data)

    @extend_schema(
        operation_id="manager_get_run",
        summary="Get a specific run",
        parameters=[RUN_ID],
        responses={200: RunSerializer, **RUN_REFUSALS},
    )
    def get_run(self, request: Request, run_id: str) -> Response:
        return Response(RunSerializer(find_run_by_id(request.user, read_id(run_id, "run_id"))).data)

    @extend_schema(
        operation_id="manager_update_run",
        summary="Update a run",
        description="What is left out stays.",
        parameters=[RUN_ID],
        responses={200: RunSerializer, **RUN_REFUSALS},
    )
    def update_run(self, request: Request, run_id: str) -> Response:
        found = find_run_by_id(request.user, read_id(run_id, "run_id"), write=True)
        changes = self.checked_body(request).changes()
        return Response(RunSerializer(writer.write(partial(change_run, found, changes))).data)

    @extend_schema(
        operation_id="manager_delete_run",
        summary="Delete a run",
        description="With all its points, logs and files. The trash gives it back.",
        parameters=[RUN_ID],
        responses={200: MessageSerializer, **RUN_REFUSALS},
    )
    def delete_run(self, request: Request, run_id: str) -> Response:
        found = find_run_by_id(request.user, read_id(run_id, "run_id"), write=True)
        discard_runs(Run.objects.filter(pk=found.pk))
        return Response({"message": "Run deleted successfully"})
