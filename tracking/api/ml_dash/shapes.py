"""How projects, folders and experiments are told."""

from typing import Any

from tracking.api.ml_dash.ids import experiment_id, folder_id, project_id
from tracking.dialects import ML_DASH_STATUS, zulu_iso
from tracking.enums import RunStatus
from tracking.models import Folder, Project, Run

ROOT = "ROOT"  # the parent of what lies at the top of its project


def namespace_of(project: Project) -> str:
    """A project that was not made by ML-Dash is called by its owner."""
    return project.namespace or (project.owner.username if project.owner else "")


def slug_of(project: Project) -> str:
    return project.name if project.namespace else project.key


def path_of(run: Run) -> str:
    return f"{run.folder}/{run.name}" if run.folder else run.name


def write_project(project: Project) -> dict[str, Any]:
    return {
        "id": project_id(project),
        "name": project.name,
        "slug": slug_of(project),
        "description": project.description or None,
        "tags": project.tags,
        "namespace": {"slug": namespace_of(project)},
        "createdAt": zulu_iso(project.created_at),
        "updatedAt": zulu_iso(project.updated_at),
    }


def write_experiment(run: Run) -> dict[str, Any]:
    project = run.project
    return {
        "id": experiment_id(run),
        "name": run.name,
        "description": run.readme or None,
        "tags": run.tags,
        "bindrs": run.bindrs,
        "status": ML_DASH_STATUS[RunStatus(run.status)],
        "metadata": run.metadata.get("metadata"),
        "projectId": project_id(project),
        "displayPath": f"{namespace_of(project)}/{slug_of(project)}/{path_of(run)}",
        "startedAt": zulu_iso(run.started_at),
        "endedAt": zulu_iso(run.ended_at) if run.ended_at else None,
        "createdAt": zulu_iso(run.created_at),
        "updatedAt": zulu_iso(run.updated_at),
        "uid": str(run.uid),
        "key": run.key,
    }


def write_node(node: Project | Folder | Run) -> dict[str, Any]:
    """What all kinds of nodes have; files have their own."""
    if isinstance(node, Project):
        return write_project(node) | {"type": "PROJECT"}
    if isinstance(node, Run):
        return _write_run_node(node)
    return {
        "id": folder_id(node),
        "type": "FOLDER",
        "name": node.path.rpartition("/")[2],
        "pPath": f"/{node.path}",
        "projectId": project_id(node.project),
        "experimentId": experiment_id(node.run) if node.run else None,
    }


def _write_run_node(run: Run) -> dict[str, Any]:
    return {
        "id": experiment_id(run),
        "type": "EXPERIMENT",
        "name": run.name,
        "pPath": f"/{run.folder}" if run.folder else "/",
        "projectId": project_id(run.project),
        "experimentId": experiment_id(run),
        "status": ML_DASH_STATUS[RunStatus(run.status)],
        "createdAt": zulu_iso(run.created_at),
        "updatedAt": zulu_iso(run.updated_at),
        "deletedAt": None,
    }


def write_whole(run: Run) -> dict[str, Any]:
    """An experiment with its node and its project."""
    return {
        "experiment": write_experiment(run),
        "node": write_node(run),
        "project": write_project(run.project),
    }
