"""What GraphQL's answers are made of: experiments with what hangs on them, and trees of nodes."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from tracking.api.ml_dash.file_serializers import FileNodeSerializer
from tracking.api.ml_dash.ids import experiment_id, folder_id
from tracking.api.ml_dash.shapes import write_experiment, write_project
from tracking.api.ml_dash.streams import TRACKS
from tracking.api.ml_dash.viewsets import name_of
from tracking.domain.access import Caller, visible_projects
from tracking.domain.values import flatten_map
from tracking.models import Artifact, Folder, LogLine, Project, RowBlock, Run

MAX_PROJECTS = 1_000  # of a namespace; what is beyond is found when it is opened
MAX_NODES = 10_000  # the newest experiments of a project
MAX_FILES = 1_000  # of one experiment; all of them come by pages
Groups = defaultdict[int, list[Any]]


def projects_in(user: Caller, namespace: str) -> QuerySet[Project]:
    """The newest first."""
    owned = Q(namespace="", owner__username=namespace)
    found = visible_projects(user).filter(Q(namespace=namespace) | owned)
    return found.select_related("owner").order_by("-pk")


def find_slug(user: Caller, namespace: str, slug: str) -> Project | None:
    """A project made elsewhere goes by its key, or by its name."""
    return projects_in(user, namespace).filter(Q(name=slug) | Q(namespace="", key=slug)).first()


def write_experiments(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """With their projects loaded. Three queries."""
    run_ids = [run.pk for run in runs]
    streams, files, logs = _streams(run_ids), _files(run_ids), _count_logs(run_ids)
    return [_write(run, streams[run.pk], files[run.pk], logs.get(run.pk, 0)) for run in runs]


def _write(run: Run, streams: list[Any], files: list[Any], log_count: int) -> dict[str, Any]:
    metrics = [(name, total) for name, total in streams if not name.startswith(TRACKS)]
    return write_experiment(run) | {
        "project": write_project(run.project),
        "logMetadata": {"totalLogs": log_count},
        "metrics": [
            {"name": name_of(name), "metricMetadata": {"totalDataPoints": str(total)}}
            for name, total in metrics
        ],
        "files": files,
        "trackCount": len(streams) - len(metrics),
    }


def write_detailed(run: Run) -> dict[str, Any]:
    """One experiment, with its parameters and all that is known of its files."""
    [written] = write_experiments([run])
    files: Any = run.artifacts.filter(deleted_at=None).select_related("run__project").order_by("pk")
    return written | {
        "files": FileNodeSerializer(files[:MAX_FILES], many=True).data,
        "parameters": {"id": experiment_id(run), "data": flatten_map(run.config)},
    }


def _streams(run_ids: list[int]) -> Groups:
    blocks = RowBlock.objects.filter(run__in=run_ids).order_by("run", "stream")
    sums = blocks.values("run", "stream").annotate(total=Sum("count"))
    return _by_run(
        (run, (name, total)) for run, name, total in sums.values_list("run", "stream", "total")
    )


def _files(run_ids: list[int]) -> Groups:
    files = Artifact.objects.filter(run__in=run_ids, deleted_at=None).order_by("run", "pk")
    found = files.values_list("run", "uid", "name")
    return _by_run((run, {"id": str(uid), "name": name}) for run, uid, name in found)


def _by_run(found: Any) -> Groups:
    groups: Groups = defaultdict(list)
    for run_id, item in found:
        groups[run_id].append(item)
    return groups


def _count_logs(run_ids: list[int]) -> dict[int, int]:
    lines = LogLine.objects.filter(run__in=run_ids).order_by()
    return dict(lines.values("run").annotate(n=Count("pk")).values_list("run", "n"))


def write_tree(project: Project) -> dict[str, Any]:
    """A project with its folders and experiments, nested. Two queries."""
    numbered = Folder.objects.filter(project=project, run=None)
    ids = {folder.path: folder_id(folder) for folder in numbered[:MAX_NODES]}
    top: list[dict[str, Any]] = []
    known: dict[str, list[dict[str, Any]]] = {"": top}
    # Not `project.runs`, which would ask for each run's project anew.
    runs = Run.objects.filter(project=project).only("pk", "name", "folder").order_by("-pk")
    for run in runs[:MAX_NODES]:
        node = _node(run.name, "EXPERIMENT", experiment_id(run), run.folder, ids)
        _children_of(run.folder, known, ids).append(node | {"experimentId": node["id"]})
    return write_project(project) | {"nodes": top}


def _children_of(
    path: str, known: dict[str, list[dict[str, Any]]], ids: dict[str, str]
) -> list[dict[str, Any]]:
    if path not in known:
        above, _, name = path.rpartition("/")
        node = _node(name, "FOLDER", ids.get(path), above, ids)
        _children_of(above, known, ids).append(node)
        known[path] = node["children"]
    return known[path]


def _node(
    name: str, kind: str, node_id: str | None, above: str, ids: dict[str, str]
) -> dict[str, Any]:
    """A folder that nobody has asked for by number has none."""
    return {
        "id": node_id,
        "name": name,
        "type": kind,
        "pPath": f"/{above}",
        "experimentId": None,
        "parentId": ids.get(above),
        "children": [],
    }
