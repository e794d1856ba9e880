"""ML-Dash's wire. Names of metrics and topics of tracks may have slashes in them."""

from typing import Any

from django.urls import URLPattern, re_path

from tracking.api.ml_dash.experiment_views import ExperimentViewSet, NumberedProjectViewSet
from tracking.api.ml_dash.file_views import FileNodeViewSet, FilesViewSet, FileViewSet
from tracking.api.ml_dash.graph_views import GraphViewSet
from tracking.api.ml_dash.log_views import LogViewSet
from tracking.api.ml_dash.metric_views import MetricRowsViewSet, MetricViewSet
from tracking.api.ml_dash.node_views import NodeViewSet
from tracking.api.ml_dash.track_views import TrackViewSet

NODE = r"nodes/(?P<node>[^/]+)"
EXPERIMENT = r"experiments/(?P<experiment>[^/]+)"
FILE = rf"{EXPERIMENT}/files/(?P<file>[^/]+)"
METRIC = rf"{EXPERIMENT}/metrics/(?P<metric>[\s\S]+)"
TRACK = rf"{EXPERIMENT}/tracks/(?P<topic>[\s\S]+)"


def route(pattern: str, viewset: Any, **actions: str) -> URLPattern:
    """A slash at the end changes nothing. HEAD works wherever GET does."""
    return re_path(rf"^{pattern}/?$", viewset.as_view(actions))


urlpatterns = [
    route(r"api/namespaces/(?P<namespace>[^/]+)/nodes", NodeViewSet, post="create_node"),
    route(rf"api/{NODE}", NodeViewSet, get="get_node", patch="update_node", delete="delete_node"),
    route(rf"api/{NODE}/download", FileNodeViewSet, get="download_node"),
    route("api/search/files", FileNodeViewSet, get="search_files"),
    route(
        r"api/projects/(?P<numbered_project>1[0-9]{18})",
        NumberedProjectViewSet,
        delete="delete_project",
    ),
    route(
        r"api/projects/(?P<project>[^/]+)/experiments", ExperimentViewSet, post="create_experiment"
    ),
    route(rf"api/{EXPERIMENT}", ExperimentViewSet, get="get_experiment"),
    route(rf"api/{EXPERIMENT}/status", ExperimentViewSet, patch="update_status"),
    route(
        rf"api/{EXPERIMENT}/parameters",
        ExperimentViewSet,
        get="get_parameters",
        post="set_parameters",
    ),
    route(rf"api/{EXPERIMENT}/logs", LogViewSet, get="query_logs", post="create_logs"),
    route(rf"api/{EXPERIMENT}/files", FilesViewSet, get="list_files", post="upload_file"),
    route(rf"api/{FILE}", FileViewSet, get="get_file", patch="update_file", delete="delete_file"),
    route(rf"api/{FILE}/download", FileViewSet, get="download_file"),
    route(rf"api/{EXPERIMENT}/metrics", MetricViewSet, get="list_metrics"),
    route(rf"api/{METRIC}/append", MetricViewSet, post="append"),
    route(rf"api/{METRIC}/append-batch", MetricViewSet, post="append_batch"),
    route(rf"api/{METRIC}/data", MetricViewSet, get="read_data"),
    route(rf"api/{METRIC}/stats", MetricViewSet, get="get_stats"),
    route(rf"api/{METRIC}/rows", MetricRowsViewSet, get="read_rows"),
    route(rf"api/{METRIC}/chunks/(?P<chunk>[0-9]{{1,12}})", MetricViewSet, get="get_chunk"),
    route(rf"api/{METRIC}", MetricViewSet, post="append_cut"),  # after all others
    route(rf"api/{EXPERIMENT}/tracks", TrackViewSet, get="list_tracks", post="create_track"),
    route(rf"api/{TRACK}/append", TrackViewSet, post="append"),
    route(rf"api/{TRACK}/append_batch", TrackViewSet, post="append_batch"),
    route(rf"api/{TRACK}/data", TrackViewSet, get="get_data"),
    route("graphql", GraphViewSet, post="query"),
]
