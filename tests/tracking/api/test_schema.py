from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

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
