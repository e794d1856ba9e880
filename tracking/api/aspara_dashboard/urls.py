from typing import Any

from django.urls import URLPattern, re_path

from tracking.api.aspara_dashboard import views
from tracking.api.aspara_dashboard.edit_views import EditViewSet

PROJECT = r"projects/(?P<project>[^/]+)"
RUNS = rf"{PROJECT}/runs"
RUN = rf"{RUNS}/(?P<run>[^/]+)"


def route(pattern: str, viewset: Any, **actions: str) -> URLPattern:
    """A slash at the end changes nothing. HEAD works wherever GET does."""
    return re_path(rf"^{pattern}/?$", viewset.as_view(actions))


urlpatterns = [
    route("edits", EditViewSet, get="list_edits"),
    route("projects", views.ProjectViewSet, get="list_projects"),
    route(PROJECT, views.ProjectViewSet, delete="delete_project"),
    route(rf"{PROJECT}/metadata", views.ProjectViewSet, get="get_metadata", put="update_metadata"),
    route(RUNS, views.RunViewSet, get="list_runs"),
    route(rf"{RUNS}/metrics", views.SeriesViewSet, get="runs_metrics"),
    route(RUN, views.RunViewSet, get="get_run", delete="delete_run"),
    route(rf"{RUN}/metrics", views.SeriesViewSet, get="get_metrics"),
    route(rf"{RUN}/params", views.RunViewSet, get="get_params"),
    route(rf"{RUN}/producers", views.RunViewSet, get="list_producers"),
    route(rf"{RUN}/metadata", views.RunViewSet, get="get_metadata", put="update_metadata"),
    route(rf"{RUN}/artifacts/download", views.ArtifactViewSet, get="download"),
]
