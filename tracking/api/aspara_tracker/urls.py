from django.urls import re_path

from tracking.api.aspara_tracker import serializers
from tracking.api.aspara_tracker.views import ArtifactViewSet, HealthViewSet, RunViewSet

RUNS = r"^projects/(?P<project>[^/]+)/runs"
RUN = rf"{RUNS}/(?P<run>[^/]+)"

health = re_path(r"^health/?$", HealthViewSet.as_view({"get": "health_check"}))

urlpatterns = [
    health,
    re_path(
        rf"{RUNS}/?$",
        RunViewSet.as_view(
            {"post": "create_run"}, serializer_class=serializers.CreateRunSerializer
        ),
    ),
    re_path(
        rf"{RUN}/metrics/?$",
        RunViewSet.as_view(
            {"post": "save_metrics"}, serializer_class=serializers.MetricsSerializer
        ),
    ),
    re_path(
        rf"{RUN}/artifacts/?$",
        ArtifactViewSet.as_view(
            {"post": "upload_artifact"}, serializer_class=serializers.UploadSerializer
        ),
    ),
    re_path(
        rf"{RUN}/config/?$",
        RunViewSet.as_view(
            {"post": "update_config"}, serializer_class=serializers.ConfigSerializer
        ),
    ),
    re_path(
        rf"{RUN}/summary/?$",
        RunViewSet.as_view(
            {"post": "update_summary"}, serializer_class=serializers.SummarySerializer
        ),
    ),
    re_path(
        rf"{RUN}/tags/?$",
        RunViewSet.as_view({"post": "update_tags"}, serializer_class=serializers.TagsSerializer),
    ),
    re_path(
        rf"{RUN}/finish/?$",
        RunViewSet.as_view({"post": "finish_run"}, serializer_class=serializers.FinishSerializer),
    ),
]
