"""The few fixed GraphQL operations that clients send: each is known by its name, none is parsed."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tracking import errors
from tracking.api.errors import exception_handler
from tracking.api.ml_dash import examples
from tracking.api.ml_dash.file_serializers import list_files
from tracking.api.ml_dash.graph_shapes import (
    MAX_PROJECTS,
    find_slug,
    projects_in,
    write_detailed,
    write_experiments,
    write_tree,
)
from tracking.api.ml_dash.ids import experiment_id, find_experiment, find_project
from tracking.api.ml_dash.serializers import AnyField, StatusField
from tracking.api.ml_dash.shapes import namespace_of, path_of, slug_of, write_project
from tracking.api.ml_dash.viewsets import INVALID, DashViewSet
from tracking.domain.access import Caller, visible_projects, visible_runs
from tracking.domain.projects import list_projects
from tracking.domain.values import INT64
from tracking.errors import InvalidInput
from tracking.models import Project, Run, User

MAX_PAGE = 500
MAX_PATTERN = 1_000
MAX_MATCHES = 10_000  # that a search finds
OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)|\{\s*(\w+)")
Variables = dict[str, Any]


class QuerySerializer(serializers.Serializer[Any]):
    query = serializers.CharField()
    variables = serializers.DictField(child=AnyField(), required=False, allow_null=True)
    operationName = serializers.CharField(  # noqa: N815 -- the protocol's name
        required=False, allow_null=True
    )


class PageVariables(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=50, min_value=1)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=INT64.stop // 2)
    status = StatusField(required=False, allow_null=True)


@extend_schema(tags=["ML-Dash"])
class GraphViewSet(DashViewSet):
    bodies = {"query": QuerySerializer}

    @extend_schema(
        operation_id="dash_graphql",
        summary="One of the operations that clients of ML-Dash send",
        description="By the operation's name; it answers all fields that it knows. No engine reads"
        " the query, so others are refused.",
        responses={200: examples.GRAPH, 400: INVALID},
    )
    def query(self, request: Request) -> Response:
        asked = self.checked_body(request).validated_data
        name = asked.get("operationName") or _read_name(asked["query"])
        operation = OPERATIONS.get(name)
        if operation is None:
            raise InvalidInput(f"The operation {name[:60]!r} is not known here.")
        return Response({"data": operation(request.user, asked.get("variables") or {})})

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_error


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """As the protocol has it: what went wrong is told in an answer that is one."""
    response = exception_handler(error, context)
    told = errors.NotFound | errors.NotPermitted | errors.InvalidInput | serializers.ValidationError
    if response is not None and isinstance(error, told):
        message = response.data.get("detail", "")
        return Response({"data": None, "errors": [{"message": message}]})
    return response


def _read_name(query: str) -> str:
    """An operation without a name is known by its first field."""
    found = OPERATION.search(query)
    return (found[1] or found[2]) if found else ""


def _text(variables: Variables, name: str) -> str:
    value = variables.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""


def _me(user: User, _: Variables) -> dict[str, Any]:
    full_name = " ".join(filter(None, [user.first_name, user.last_name]))
    return {
        "me": {
            "id": str(user.pk),
            "username": user.get_username(),
            "email": user.email,
            "name": full_name or user.get_username(),
            "given_name": user.first_name or None,
            "family_name": user.last_name or None,
            "picture": None,
        }
    }


def _namespace(user: Caller, variables: Variables) -> dict[str, Any]:
    """Any namespace is there: the first project makes it."""
    slug = _text(variables, "namespace")
    projects = [write_project(one) for one in projects_in(user, slug)[:MAX_PROJECTS]]
    return {"namespace": {"id": slug, "slug": slug, "projects": projects}}


def _experiment_node(user: Caller, variables: Variables) -> dict[str, Any]:
    """One name for two questions: for a node, or for the tree that it is in."""
    if _text(variables, "projectId"):
        return {"project": write_tree(find_project(user, _text(variables, "projectId")))}
    run = find_experiment(user, _text(variables, "experimentId"))
    return {"experimentNode": {"id": experiment_id(run), "experimentId": experiment_id(run)}}


def _experiment_by_id(user: Caller, variables: Variables) -> dict[str, Any]:
    asked = _text(variables, "experimentId") or _text(variables, "id")
    return {"experimentById": write_detailed(find_experiment(user, asked))}


def _files(user: Caller, variables: Variables) -> dict[str, Any]:
    run = find_experiment(user, _text(variables, "experimentId"))
    return {
        "experimentById": {"id": experiment_id(run), "filesPaginated": list_files(run, variables)}
    }


def _project_of(user: Caller, variables: Variables) -> Project | None:
    namespace = _text(variables, "namespaceSlug") or user.get_username()
    return find_slug(user, namespace, _text(variables, "projectSlug"))


def _tree(user: Caller, variables: Variables) -> dict[str, Any]:
    project = _project_of(user, variables)
    return {"project": write_tree(project) if project else {"nodes": []}}


def _projects(user: Caller, variables: Variables) -> dict[str, Any]:
    namespace = _text(variables, "namespaceSlug") or user.get_username()
    wanted = projects_in(user, namespace).order_by().values("pk")
    found = list_projects(user).filter(pk__in=wanted).select_related("owner").order_by("key")
    page, told = _page(found, variables)
    projects = [write_project(one) | {"experimentCount": one.run_count} for one in page]
    return {"projectsPaginated": {"projects": projects} | told}


def _experiments(user: Caller, variables: Variables) -> dict[str, Any]:
    project = _project_of(user, variables)
    runs = project.runs.filter(archived_at=None) if project else Run.objects.none()
    if status := _checked(variables).get("status"):
        runs = runs.filter(status=status)
    page, told = _page(_with_projects(runs), variables)
    return {"experimentsPaginated": {"experiments": write_experiments(page)} | told}


def _experiment(user: Caller, variables: Variables) -> dict[str, Any]:
    project, name = _project_of(user, variables), _text(variables, "experimentName")
    folder, _, last = name.rpartition("/")
    runs = project.runs.filter(name=last) if project else Run.objects.none()
    run = _with_projects(runs.filter(folder=folder) if folder else runs).first()
    return {"experiment": write_detailed(run) if run else None}


def _search(user: Caller, variables: Variables) -> dict[str, Any]:
    runs = visible_runs(user).filter(pk__in=_matching(user, _text(variables, "pattern")))
    page, told = _page(_with_projects(runs), variables)
    return {"searchExperimentsPaginated": {"experiments": write_experiments(page)} | told}


def _matching(user: Caller, pattern: str) -> list[int]:
    """Runs of a pattern like `alice/*/sweep-?`, the newest first. Two queries."""
    if len(pattern) > MAX_PATTERN:
        raise InvalidInput(f"A pattern has at most {MAX_PATTERN} characters.", field="pattern")
    parts = pattern.strip("/").split("/", 2)
    owner, slug, path = (re.compile(translate(one)) for one in (*parts, "*", "*")[:3])
    projects: Iterable[Project] = visible_projects(user).select_related("owner")
    fitting = [
        one for one in projects if owner.match(namespace_of(one)) and slug.match(slug_of(one))
    ]
    runs = Run.objects.filter(project__in=[one.pk for one in fitting], archived_at=None)
    found = runs.only("pk", "name", "folder").order_by("-pk").iterator()
    fits = (run.pk for run in found if path.match(path_of(run)) or path.match(run.name))
    return list(islice(fits, MAX_MATCHES))


def _with_projects(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_related("project__owner").order_by("-started_at", "-pk")


def _checked(variables: Variables) -> dict[str, Any]:
    given = {key: value for key, value in variables.items() if value is not None}
    query = PageVariables(data=given)
    query.is_valid(raise_exception=True)
    found: dict[str, Any] = query.validated_data
    return found


def _page(found: "QuerySet[Any, Any]", variables: Variables) -> tuple[list[Any], dict[str, Any]]:
    asked, total = _checked(variables), found.count()
    start = asked["offset"]
    page = list(found[start : start + min(asked["limit"], MAX_PAGE)])
    has_more = bool(page) and start + len(page) < total
    return page, {"totalCount": total, "hasMore": has_more}


OPERATIONS: dict[str, Callable[[Any, Variables], dict[str, Any]]] = {
    "me": _me,
    "GetMyNamespace": _me,
    "GetCurrentUser": _me,
    "GetProject": _namespace,
    "GetExperimentNode": _experiment_node,
    "GetExperimentProject": _experiment_by_id,
    "GetExpInfo": _experiment_by_id,
    "GetExperiment": _experiment_by_id,
    "GetExperimentPath": _tree,
    "GetProjectHierarchy": _tree,
    "ListExperimentFilesPaginated": _files,
    "ProjectsPaginated": _projects,
    "ExperimentsPaginated": _experiments,
    "SearchExperimentsPaginated": _search,
    "Experiment": _experiment,
}
