from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tracking.api.aspara_dashboard import examples, streams
from tracking.api.aspara_dashboard.record_serializers import (
    ProjectMetadataSerializer,
    RunMetadataSerializer,
    RunSerializer,
)
from tracking.routing import http_urlpatterns

RUN = "/tracker/api/v1/projects/{project}/runs/{run}"


def test_each_documented_call_is_there_once_under_its_printed_path():
    GENERATOR_STATS.reset()

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]

    tracker = {
        path: operation["operationId"]
        for path, methods in paths.items()
        for operation in methods.values()
        if "v1" in path or "health" in path
    }
    assert tracker == {
        "/tracker/api/v1/health": "health_check",
        "/tracker/api/v1/projects/{project}/runs": "create_run",
        f"{RUN}/metrics": "save_metrics",
        f"{RUN}/artifacts": "upload_artifact",
        f"{RUN}/config": "update_config",
        f"{RUN}/summary": "update_summary",
        f"{RUN}/tags": "update_tags",
        f"{RUN}/finish": "finish_run",
    }
    assert not GENERATOR_STATS


PROJECT_PATH = "/api/projects/{project}"
RUN_PATH = f"{PROJECT_PATH}/runs/{{run}}"


def test_dashboard_calls_have_their_published_names_and_show_an_example():
    GENERATOR_STATS.reset()

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]

    dashboard = {
        (method, path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith(PROJECT_PATH) and "ML-Dash" not in operation["tags"]
    }
    assert {call: operation["operationId"] for call, operation in dashboard.items()} == {
        ("get", f"{PROJECT_PATH}/runs"): "list_runs_api",
        ("get", f"{PROJECT_PATH}/runs/metrics"): "runs_metrics_api",
        ("get", f"{PROJECT_PATH}/runs/stream"): "stream_multiple_runs",
        ("get", RUN_PATH): "get_run",
        ("get", f"{RUN_PATH}/metrics"): "get_metrics_api",
        ("get", f"{RUN_PATH}/params"): "get_params_api",
        ("get", f"{RUN_PATH}/stream"): "stream_metrics",
        ("get", f"{RUN_PATH}/artifacts/download"): "download_artifacts_zip",
        ("get", f"{RUN_PATH}/metadata"): "get_run_metadata_api",
        ("put", f"{RUN_PATH}/metadata"): "update_run_metadata_api",
        ("get", f"{RUN_PATH}/producers"): "list_producers",
        ("delete", RUN_PATH): "delete_run",
        ("get", f"{PROJECT_PATH}/metadata"): "get_project_metadata_api",
        ("put", f"{PROJECT_PATH}/metadata"): "update_project_metadata_api",
        ("delete", PROJECT_PATH): "delete_project",
    }
    without_example = [
        call
        for call, operation in dashboard.items()
        if "application/zip" not in operation["responses"]["200"]["content"]
        and not all(
            "examples" in body for body in operation["responses"]["200"]["content"].values()
        )
    ]
    assert without_example == []
    assert not GENERATOR_STATS


def test_documented_streams_are_answered_by_consumers():
    answered = [route.pattern.regex for route in http_urlpatterns]

    for path, *_ in streams.ENDPOINTS:
        printed = path.format(project="proj", run="run-1").removeprefix("/")
        assert sum(bool(regex.match(printed)) for regex in answered) == 1


def test_examples_have_the_keys_of_the_answers():
    assert set(examples.METADATA_VALUE) == set(RunMetadataSerializer().fields)
    assert set(examples.RUN_VALUE) == set(RunSerializer().fields)
    assert set(examples.PROJECT_METADATA.value) == set(ProjectMetadataSerializer().fields)
