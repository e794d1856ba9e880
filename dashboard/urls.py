"""The pages people look at. Plural nouns, no verbs; a slash at the end changes nothing."""

from django.urls import URLPattern, path, re_path
from django.views.generic import RedirectView

from dashboard.decorators import View
from dashboard.views import projects, run_detail, run_table

PROJECT = r"projects/(?P<project_key>[^/]+)"
RUN = rf"{PROJECT}/runs/(?P<run_key>[^/]+)"


def route(pattern: str, view: View, name: str) -> URLPattern:
    return re_path(rf"^{pattern}/?$", view, name=name)


app_name = "dashboard"
urlpatterns = [
    path("", projects.project_list, name="project-list"),
    re_path("^projects/?$", RedirectView.as_view(pattern_name="dashboard:project-list")),
    re_path("^favicon.ico$", projects.favicon),
    route(PROJECT, projects.project_detail, "project-detail"),
    route(rf"{PROJECT}/metrics", projects.metric_detail, "metric-detail"),
    route(rf"{PROJECT}/runs", run_table.run_list, "run-list"),
    route(RUN, run_detail.run_detail, "run-detail"),
    route(rf"{RUN}/artifacts/(?P<artifact_id>\d+)", run_detail.artifact, "artifact"),
]
