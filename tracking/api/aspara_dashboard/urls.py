from django.urls import re_path

from tracking.api.aspara_dashboard.views import SeriesViewSet

PROJECT = r"^projects/(?P<project>[^/]+)"

urlpatterns = [
    re_path(rf"{PROJECT}/runs/metrics/?$", SeriesViewSet.as_view({"get": "runs_metrics"})),
]
