"""The pages people look at. Plural nouns, no verbs."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.project_list, name="project-list"),
    re_path("^projects/?$", RedirectView.as_view(pattern_name="dashboard:project-list")),
    re_path("^favicon.ico$", views.favicon),
    path("projects/<str:project_key>", views.project_detail, name="project-detail"),
    path("projects/<str:project_key>/metrics", views.metric_detail, name="metric-detail"),
    path("projects/<str:project_key>/runs", views.run_list, name="run-list"),
    path("projects/<str:project_key>/runs/<str:run_key>", views.run_detail, name="run-detail"),
    path(
        "projects/<str:project_key>/runs/<str:run_key>/artifacts/<int:artifact_id>",
        views.artifact,
        name="artifact",
    ),
]
