from typing import Any

from django.urls import URLPattern, re_path

from tracking.api.ai_manager.artifact_views import ArtifactViewSet, RunArtifactViewSet
from tracking.api.ai_manager.auth_views import LoginViewSet, MeViewSet, RegisterViewSet
from tracking.api.ai_manager.metric_views import MetricViewSet
from tracking.api.ai_manager.views import ProjectViewSet, RunViewSet

RUN = "(?P<run_id>[^/]+)"


def route(pattern: str, viewset: Any, **actions: str) -> URLPattern:
    """A slash at the end changes nothing. HEAD works wherever GET does."""
    return re_path(rf"^{pattern}/?$", viewset.as_view(actions))


projects = ProjectViewSet.as_view({"get": "list_projects", "post": "create_project"})
project = ProjectViewSet.as_view(
    {"get": "get_project", "put": "update_project", "delete": "delete_project"}
)
run_artifacts = {"get": "list_artifacts", "post": "upload_artifact"}

urlpatterns = [
    route("auth/register", RegisterViewSet, post="register"),
    route("auth/login", LoginViewSet, post="login"),
    route("auth/me", MeViewSet, get="get_current_user"),
    re_path("^projects/?$", projects),
    re_path("^projects/(?P<project_id>[^/]+)/?$", project),
    route("runs", RunViewSet, get="list_runs", post="create_run"),
    route(f"runs/{RUN}", RunViewSet, get="get_run", put="update_run", delete="delete_run"),
    route(f"runs/{RUN}/artifacts", RunArtifactViewSet, **run_artifacts),
    route(f"artifacts/{RUN}/artifacts", RunArtifactViewSet, **run_artifacts),
    route(
        "artifacts/artifacts/(?P<artifact_id>[^/]+)",
        ArtifactViewSet,
        get="download_artifact",
        delete="delete_artifact",
    ),
    route(f"metrics/{RUN}", MetricViewSet, get="get_metrics", post="log_metric"),
    route(f"metrics/{RUN}/batch", MetricViewSet, post="log_batch"),
    route(f"metrics/{RUN}/summary", MetricViewSet, get="get_summary"),
    # Names may have slashes in them: one at the end is the view's to judge.
    re_path(
        f"^metrics/{RUN}/history/(?P<metric_name>.+)$",
        MetricViewSet.as_view({"get": "get_history"}),
    ),
]
