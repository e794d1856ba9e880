"""Experiments: their status and parameters, and how the first releases created them."""

from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.ml_dash import examples, shapes
from tracking.api.ml_dash.ids import experiment_id, find_experiment, find_project, project_id
from tracking.api.ml_dash.serializers import (
    ExperimentStatusSerializer,
    ParametersSerializer,
    PlacedExperimentSerializer,
)
from tracking.api.ml_dash.viewsets import REFUSALS, DashViewSet
from tracking.api.viewsets import refusal
from tracking.dialects import zulu_iso
from tracking.domain import access, writer
from tracking.domain.run_states import set_status
from tracking.domain.runs import merge_config, open_run
from tracking.domain.trash import discard_projects
from tracking.domain.values import clean_name, flatten_map
from tracking.models import Project, Run


@extend_schema(tags=["ML-Dash"])
class ExperimentViewSet(DashViewSet):
    bodies = {
        "create_experiment": PlacedExperimentSerializer,
        "update_status": ExperimentStatusSerializer,
        "set_parameters": ParametersSerializer,
    }

    @extend_schema(
        operation_id="dash_create_experiment",
        summary="Create an experiment, or join it",
        description="As the first releases do. An experiment that had ended goes on.",
        responses={200: examples.EXPERIMENT, **REFUSALS},
    )
    def create_experiment(self, request: Request, project: str) -> Response:
        body = self.checked_body(request)
        owner, folder = body.place(project)
        names = {
            "namespace": owner or request.user.get_username(),
            "project_name": clean_name(project, "project"),
        }
        start = body.run_start(folder)
        opened = partial(open_run, "", start, project_tags=[], user=request.user, **names)
        return Response(shapes.write_whole(writer.write(opened)[0]))

    @extend_schema(
        operation_id="dash_update_status",
        summary="End an experiment, or let it go on",
        responses={200: examples.EXPERIMENT, **REFUSALS},
    )
    def update_status(self, request: Request, experiment: str) -> Response:
        found = find_experiment(request.user, experiment, write=True)
        status = self.checked_body(request).validated_data["status"]
        run = writer.write(partial(set_status, found.pk, status))
        return Response(shapes.write_whole(run))

    @extend_schema(
        operation_id="dash_get_experiment",
        summary="Describe an experiment",
        responses={200: examples.EXPERIMENT, **REFUSALS},
    )
    def get_experiment(self, request: Request, experiment: str) -> Response:
        return Response(shapes.write_whole(find_experiment(request.user, experiment)))

    @extend_schema(
        operation_id="dash_get_parameters",
        summary="Read the parameters",
        description="Flat: names of nested values are joined by dots.",
        responses={200: examples.PARAMETERS, **REFUSALS},
    )
    def get_parameters(self, request: Request, experiment: str) -> Response:
        return Response(_write_parameters(find_experiment(request.user, experiment)))

    @extend_schema(
        operation_id="dash_set_parameters",
        summary="Merge values into the parameters",
        responses={200: examples.PARAMETERS, **REFUSALS},
    )
    def set_parameters(self, request: Request, experiment: str) -> Response:
        found = find_experiment(request.user, experiment, write=True)
        body = self.checked_body(request)
        writer.write(partial(merge_config, found, body.validated_data["data"]))
        return Response(_write_parameters(find_experiment(request.user, experiment)))


def _write_parameters(run: Run) -> dict[str, Any]:
    return {
        "id": experiment_id(run),
        "experimentId": experiment_id(run),
        "data": flatten_map(run.config),
        "version": run.revision,
        "createdAt": zulu_iso(run.created_at),
        "updatedAt": zulu_iso(run.updated_at),
    }


@extend_schema(tags=["ML-Dash"])
class NumberedProjectViewSet(DashViewSet):
    """An address that the dashboard API has too: a project of that key comes first."""

    @extend_schema(
        operation_id="dash_delete_project",
        summary="Delete a project",
        description="With all its experiments; owners alone may. The trash gives it back.",
        request=None,
        responses={
            200: examples.DELETED,
            404: refusal("No such project.", "Project 1000000000000000001 not found"),
        },
    )
    def delete_project(self, request: Request, numbered_project: str) -> Response:
        found, told = _find_to_delete(request, numbered_project)
        answer: dict[str, Any] = {"message": f"Project '{told}' deleted successfully"}
        if told != numbered_project:
            count = found.runs.count()
            answer |= {"projectId": project_id(found), "deleted": count, "experiments": count}
        discard_projects(Project.objects.filter(pk=found.pk))
        return Response(answer)


def _find_to_delete(request: Request, text: str) -> tuple[Project, str]:
    """The project, and what it is called."""
    if access.visible_projects(request.user).filter(key=text).exists():
        return access.find_project(request.user, text, manage=True), text
    found = find_project(request.user, text, manage=True)
    return found, shapes.slug_of(found)
