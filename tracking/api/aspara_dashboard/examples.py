"""What the documentation of the dashboard API shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

COLUMNS = {
    "steps": [0, 1],
    "values": [1.0, 0.5],
    "timestamps": [1767225600000, 1767225601000],
}
METADATA_VALUE: dict[str, Any] = {
    "run_id": "run1",
    "tags": ["baseline"],
    "notes": "Experiment results were good",
    "params": {"lr": 0.001, "model.depth": 12},
    "config": {"lr": 0.001, "model": {"depth": 12}},
    "artifacts": [
        {
            "name": "trained_model.pt",
            "original_path": "trained_model.pt",
            "stored_path": "artifacts/trained_model.pt",
            "file_size": 12345,
            "timestamp": 1767225661000,
            "description": "Final trained model",
            "category": "model",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
    "summary": {"best_accuracy": 0.93},
    "is_finished": True,
    "exit_code": 0,
    "status": "completed",
    "start_time": 1767225600000,
    "finish_time": 1767225661000,
}
RUN_VALUE = METADATA_VALUE | {
    "project": "my_project",
    "name": "run1",
    "display_name": "run1",
    "folder": "",
    "state": "completed",
    "resolution": "full",
    "finish_reason": "",
    "metrics": {"accuracy": 0.93, "loss": 0.5},
}


def answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True)


METADATA = answer("A finished run", METADATA_VALUE)
RUN = answer("A finished run", RUN_VALUE)
PROJECT = answer(
    "A project",
    {
        "name": "my_project",
        "display_name": "my_project",
        "description": "",
        "tags": ["production", "v2"],
        "run_count": 3,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": "2026-01-01T00:01:01.000000Z",
    },
)
PRODUCER = answer(
    "A process that has ended",
    {
        "uuid": "0b7e9f7c-6f0a-4b0e-9b57-6d2f4c2b8a11",
        "last_seq": 1202,
        "logged_seq": 1202,
        "gaps": [],
    },
)
PROJECT_METADATA = answer(
    "A project",
    {
        "notes": "",
        "tags": ["production", "v2"],
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": "2026-01-01T00:01:01.000000Z",
    },
)
PARAMS = answer("Nested values", METADATA_VALUE["params"])
METRICS = answer(
    "Two points", {"project": "my_project", "run": "run1", "metrics": {"loss": COLUMNS}}
)
RUNS_METRICS = answer(
    "Two points", {"project": "my_project", "metrics": {"loss": {"run1": COLUMNS}}}
)
DELETED = answer("A run", {"message": "Run 'my_project/run1' deleted successfully"})
CHANGES = [
    OpenApiExample("Notes", {"notes": "Experiment results were good"}, request_only=True),
    OpenApiExample("Tags", {"tags": ["production", "v2"]}, request_only=True),
]
METRIC_EVENT = (
    "id: run1:7\n"
    "event: metric\n"
    'data: {"timestamp":"2026-01-01T00:00:01.000000Z","step":1,"metrics":{"loss":0.5},'
    '"run":"run1","project":"my_project"}\n\n'
)
STATUS_EVENT = (
    "id: run1:8\n"
    "event: status\n"
    'data: {"timestamp":"2026-01-01T00:01:01.000000Z","run":"run1","project":"my_project",'
    '"status":"completed","is_finished":true,"exit_code":0}\n\n'
)
EVENTS = [answer("A logged step", METRIC_EVENT), answer("The end of a run", STATUS_EVENT)]
