"""Files of experiments: as the first releases of ML-Dash ask for them, and as nodes."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tracking.api.downloads import send_artifact
from tracking.api.ml_dash.file_serializers import (
    DeletedFileSerializer,
    FileChangesSerializer,
    FileNodeFormSerializer,
    FileNodeSerializer,
    FileSerializer,
    FilesQuery,
    FilesSerializer,
    FoundFilesSerializer,
    SearchQuery,
    UploadSerializer,
)
from tracking.api.ml_dash.ids import Node, find_experiment, find_file, find_node
from tracking.api.ml_dash.viewsets import NO_EXPERIMENT, DashViewSet, checked_query
from tracking.api.viewsets import check_upload_length, refusal
from tracking.dialects import zulu_iso
from tracking.domain.access import visible_runs
from tracking.domain.artifacts import describe_artifact, store_artifact, withdraw_artifact
from tracking.domain.file_search import match_files
from tracking.errors import InvalidInput, NotFound
from tracking.models import Artifact, Folder, Run

INVALID = refusal("What is asked is wrong; the text says what.", "file: No file was submitted.")
NO_FILE = refusal("There is no such file, or it is not yours.", "File 7196743999488123 not found")
BYTES: dict[Any, Any] = {(200, "application/octet-stream"): OpenApiTypes.BINARY, 404: NO_FILE}


# ── Nodes: the views of all kinds of nodes call these ────────────────────────


def create_file_node(request: Request) -> dict[str, Any]:
    """A file that came as a form. Raises: InvalidInput, NotFound, NotPermitted, ValidationError."""
    check_upload_length(request)
    form = FileNodeFormSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    run, folder = _find_place(request, form.validated_data)
    asked = form.artifact()
    path = "/".join(filter(None, [folder, asked["path"]]))
    node = show_file_node(store_artifact(run, **asked | {"path": path}))
    return {"node": node, "physicalFile": node["physicalFile"]}


def show_file_node(file: Artifact) -> dict[str, Any]:
    return dict(FileNodeSerializer(file).data)


def change_file_node(file: Artifact, changes: Any) -> dict[str, Any]:
    """`changes`: the body. Raises: InvalidInput, ValidationError."""
    _change(file, changes)
    return show_file_node(file)


def delete_file_node(file: Artifact) -> dict[str, Any]:
    """Its bytes are freed at once; who deletes it again is told that there is none."""
    withdraw_artifact(file)
    return {"id": str(file.uid), "deletedAt": zulu_iso(file.deleted_at)} if file.deleted_at else {}


def _change(file: Artifact, changes: Any) -> None:
    body = FileChangesSerializer(data=changes)
    body.is_valid(raise_exception=True)
    describe_artifact(file, **body.validated_data)


def _find_place(request: Request, asked: Mapping[str, Any]) -> tuple[Run, str]:
    """The run, and the folder in it, that a new node belongs to."""
    parent_id = asked.get("parentId") or "ROOT"
    parent = None if parent_id == "ROOT" else find_node(request.user, parent_id, write=True)
    if asked.get("experimentId"):
        run: Run | None = find_experiment(request.user, asked["experimentId"], write=True)
    else:
        run = _run_of(parent)
    if run is None:
        raise InvalidInput("experimentId: a file belongs to an experiment.", field="experimentId")
    if isinstance(parent, Folder) and parent.run_id == run.pk:
        return run, parent.path
    if parent in (None, run, run.project):
        return run, ""
    raise InvalidInput("parentId is no folder of this experiment.", field="parentId")


def _run_of(parent: Node | None) -> Run | None:
    return parent.run if isinstance(parent, Folder) else parent if isinstance(parent, Run) else None


# ── Addresses of their own ───────────────────────────────────────────────────


@extend_schema(tags=["ML-Dash"])
class FilesViewSet(DashViewSet):
    bodies = {"upload_file": UploadSerializer}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="dash_upload_file",
        summary="Upload a file; one of the same path and name is replaced",
        description="With an `id` the call may be repeated at will: what is known is not kept again.",
        responses={
            200: FileSerializer,
            400: INVALID,
            404: NO_EXPERIMENT,
            409: refusal("The id is taken.", "The id 7 belongs to another file; make a new one."),
            413: refusal("Too many bytes.", "File too large: exceeds limit of 10737418240 bytes"),
        },
    )
    def upload_file(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment, write=True)
        check_upload_length(request)
        file = store_artifact(run, **self.checked_body(request).artifact())
        return Response(FileSerializer(file).data)

    @extend_schema(
        operation_id="dash_list_files",
        summary="List the files of an experiment",
        parameters=[FilesQuery],
        responses={200: FilesSerializer, 400: INVALID, 404: NO_EXPERIMENT},
    )
    def list_files(self, request: Request, experiment: str) -> Response:
        run = find_experiment(request.user, experiment)
        query = FilesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(query.answer(run, FileSerializer))


@extend_schema(tags=["ML-Dash"])
class FileViewSet(DashViewSet):
    bodies = {"update_file": FileChangesSerializer}

    @extend_schema(
        operation_id="dash_get_file",
        summary="Describe a file",
        responses={200: FileSerializer, 404: NO_FILE},
    )
    def get_file(self, request: Request, experiment: str, file: str) -> Response:
        return Response(FileSerializer(find_file_of(request, experiment, file)).data)

    @extend_schema(
        operation_id="dash_update_file",
        summary="Change what is said of a file",
        responses={200: FileSerializer, 400: INVALID, 404: NO_FILE},
    )
    def update_file(self, request: Request, experiment: str, file: str) -> Response:
        found = find_file_of(request, experiment, file, write=True)
        _change(found, request.data)
        return Response(FileSerializer(found).data)

    @extend_schema(
        operation_id="dash_delete_file",
        summary="Delete a file",
        description="Its bytes are freed at once; that it was there is kept.",
        request=None,
        responses={200: DeletedFileSerializer, 404: NO_FILE},
    )
    def delete_file(self, request: Request, experiment: str, file: str) -> Response:
        return Response(delete_file_node(find_file_of(request, experiment, file, write=True)))

    @extend_schema(operation_id="dash_download_file", summary="Download a file", responses=BYTES)
    def download_file(self, request: Request, experiment: str, file: str) -> HttpResponseBase:
        found = find_file_of(request, experiment, file)
        return send_artifact(found, is_head=request.method == "HEAD")


@extend_schema(tags=["ML-Dash"])
class FileNodeViewSet(DashViewSet):
    @extend_schema(operation_id="dash_download_node", summary="Download a file", responses=BYTES)
    def download_node(self, request: Request, node: str) -> HttpResponseBase:
        found = find_file(request.user, node)
        return send_artifact(found, is_head=request.method == "HEAD")

    @extend_schema(
        operation_id="dash_search_files",
        summary="Find files by a pattern, the newest first",
        description="At most the newest 100,000 files are looked at.",
        parameters=[SearchQuery],
        responses={200: FoundFilesSerializer, 400: INVALID, 404: NO_EXPERIMENT},
    )
    def search_files(self, request: Request) -> Response:
        asked = checked_query(SearchQuery, request)
        files = _searched(request, asked.get("experimentId") or "")
        found = match_files(files, asked["pattern"], offset=asked["offset"], limit=asked["limit"])
        return Response(FoundFilesSerializer({"files": found}).data)


def _searched(request: Request, experiment: str) -> QuerySet[Artifact]:
    if experiment:
        run = find_experiment(request.user, experiment)
        return run.artifacts.filter(deleted_at=None)
    return Artifact.objects.filter(run__in=visible_runs(request.user), deleted_at=None)


def find_file_of(request: Request, experiment: str, file: str, *, write: bool = False) -> Artifact:
    """A file of just this experiment. Raises: NotFound, NotPermitted."""
    run = find_experiment(request.user, experiment, write=write)
    found = find_file(request.user, file, write=write)
    if found.run_id != run.pk:
        raise NotFound(f"File {file[:40]} not found")
    return found
