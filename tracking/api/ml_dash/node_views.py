"""Nodes: projects, folders, experiments and files under one address."""

from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.ml_dash import examples, shapes
from tracking.api.ml_dash.file_views import (
    change_file_node,
    create_file_node,
    delete_file_node,
    show_file_node,
)
from tracking.api.ml_dash.ids import (
    find_experiment,
    find_file,
    find_folder,
    find_node,
    find_project,
    project_id,
)
from tracking.api.ml_dash.parsers import AnyJSONParser
from tracking.api.ml_dash.serializers import NodeChangesSerializer, NodeSerializer
from tracking.api.ml_dash.shapes import ROOT
from tracking.api.ml_dash.viewsets import INVALID, DashViewSet
from tracking.api.viewsets import refusal
from tracking.domain import writer
from tracking.domain.numbered_folders import open_folder
from tracking.domain.projects import open_described_project
from tracking.domain.run_states import set_status
from tracking.domain.runs import open_run, open_run_at_path
from tracking.domain.values import clean_name
from tracking.errors import InvalidInput
from tracking.models import Artifact, Folder, Project, Run

NO_NODE = refusal("There is no such node, or it is not yours.", "File 7196743999488123 not found")
REFUSALS: dict[int, Any] = {400: INVALID, 404: NO_NODE}
TAKEN = refusal(
    "The project is somebody else's.",
    "The project 'alice/proj' is taken; ask its owner to let you in.",
)


@extend_schema(tags=["ML-Dash"])
class NodeViewSet(DashViewSet):
    bodies = {"create_node": NodeSerializer, "update_node": NodeChangesSerializer}
    parser_classes = [AnyJSONParser, MultiPartParser]

    @extend_schema(
        operation_id="dash_create_node",
        summary="Create a project, a folder or an experiment, or upload a file",
        description="What is there already is joined; an experiment that had ended goes on.",
        responses={200: examples.EXPERIMENT, **REFUSALS, 403: TAKEN},
    )
    def create_node(self, request: Request, namespace: str) -> Response:
        if request.content_type.startswith("multipart/"):
            return Response(create_file_node(request))
        said = self.checked_body(request)
        create = CREATE.get(said.validated_data["type"], _refuse_file)
        return Response(create(request, clean_name(namespace, "namespace"), said))

    @extend_schema(
        operation_id="dash_get_node",
        summary="Describe a node",
        responses={200: examples.NODE, **REFUSALS},
    )
    def get_node(self, request: Request, node: str) -> Response:
        found = find_node(request.user, node)
        if isinstance(found, Artifact):
            return Response(show_file_node(found))
        return Response(shapes.write_node(found))

    @extend_schema(
        operation_id="dash_update_node",
        summary="Change a file's words, or an experiment's status",
        responses={200: examples.NODE, **REFUSALS},
    )
    def update_node(self, request: Request, node: str) -> Response:
        found = find_node(request.user, node, write=True)
        if isinstance(found, Artifact):
            return Response(change_file_node(found, request.data))
        if not isinstance(found, Run):
            raise InvalidInput("Only experiments and files are changed here.")
        changes = self.checked_body(request).changes()
        run = writer.write(partial(set_status, found.pk, **changes))
        return Response(shapes.write_node(run) | shapes.write_whole(run))

    @extend_schema(
        operation_id="dash_delete_node",
        summary="Delete a file",
        request=None,
        responses={200: examples.DELETED_FILE, **REFUSALS},
    )
    def delete_node(self, request: Request, node: str) -> Response:
        return Response(delete_file_node(find_file(request.user, node, write=True)))


def _create_project(request: Request, namespace: str, said: Any) -> dict[str, Any]:
    asked = said.validated_data
    name = asked.get("slug") or asked["name"]
    project = writer.write(
        partial(
            open_described_project,
            namespace,
            name,
            description=asked.get("description") or "",
            user=request.user,
        )
    )
    return {"project": shapes.write_project(project), "node": shapes.write_node(project)}


def _create_folder(request: Request, _namespace: str, said: Any) -> dict[str, Any]:
    asked = said.validated_data
    project = find_project(request.user, asked.get("projectId") or "", write=True)
    parent = _find_parent(request, project, said)
    folder = writer.write(partial(open_folder, project, asked["name"], parent=parent))
    node = shapes.write_node(folder) | {"parentId": asked.get("parentId") or ROOT}
    return {"node": node}


def _find_parent(request: Request, project: Project, said: Any) -> Folder | Run | None:
    """Where a folder is to lie; None: at the top of its project.

    Raises: InvalidInput, NotFound, NotPermitted.
    """
    asked, run = said.validated_data, None
    parent_id = asked.get("parentId") or ROOT
    if asked.get("experimentId"):
        run = find_experiment(request.user, asked["experimentId"], write=True)
    is_top = parent_id in {ROOT, project_id(project)}
    parent = run if is_top else find_node(request.user, parent_id, write=True)
    if parent is None:
        return None
    if isinstance(parent, Folder | Run):
        owner = parent if isinstance(parent, Run) else parent.run
        if (owner or parent).project_id == project.pk and run in (None, owner):
            return parent
    raise InvalidInput("parentId: it is no folder of this project.", field="parentId")


def _create_experiment(request: Request, namespace: str, said: Any) -> dict[str, Any]:
    asked = said.validated_data
    if not asked.get("projectId"):
        if not asked.get("projectSlug"):
            raise InvalidInput("projectId or projectSlug is required.", field="projectId")
        start = said.run_start("")
        names = {"project_name": asked["projectSlug"], "namespace": namespace}
        opened = partial(open_run, "", start, project_tags=[], user=request.user, **names)
        return shapes.write_whole(writer.write(opened)[0])
    project = find_project(request.user, asked["projectId"], write=True)
    start = said.run_start(_folder_path(request, project, asked.get("parentId") or ROOT))
    return shapes.write_whole(
        writer.write(partial(open_run_at_path, project, start, user=request.user))[0]
    )


def _folder_path(request: Request, project: Project, parent_id: str) -> str:
    if parent_id == ROOT:
        return ""
    folder = find_folder(request.user, parent_id)
    if folder.project_id != project.pk or folder.run_id:
        raise InvalidInput("parentId: it is no folder of this project.", field="parentId")
    return folder.path


def _refuse_file(_request: Request, _namespace: str, _said: Any) -> dict[str, Any]:
    raise InvalidInput("type: a file comes as a form, with its bytes in `file`.", field="type")


CREATE = {
    "PROJECT": _create_project,
    "FOLDER": _create_folder,
    "EXPERIMENT": _create_experiment,
}
