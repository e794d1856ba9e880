"""What the documentation of the AI Manager API shows: the examples that its document prints."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

MIDNIGHT = "2023-01-01T00:00:00"
USER_VALUE = {
    "id": 1,
    "email": "user@example.com",
    "username": "username",
    "is_active": True,
    "is_superuser": False,
    "created_at": MIDNIGHT,
    "updated_at": MIDNIGHT,
}
PROJECT_VALUE = {
    "id": 1,
    "name": "My Project",
    "description": "A machine learning project",
    "owner_id": 1,
    "is_public": False,
    "created_at": MIDNIGHT,
    "updated_at": MIDNIGHT,
}
RUN_VALUE: dict[str, Any] = {
    "id": 1,
    "name": "Training Run 1",
    "project_id": 1,
    "status": "running",
    "config": {"learning_rate": 0.001, "batch_size": 32},
    "tags": ["demo", "test"],
    "started_at": MIDNIGHT,
    "ended_at": None,
    "created_at": MIDNIGHT,
    "updated_at": MIDNIGHT,
}
LISTED_RUN_VALUE = {
    key: RUN_VALUE[key] for key in ("id", "name", "status", "started_at", "ended_at", "tags")
}
POINT_VALUE = {
    "id": 1_000_000_000,
    "run_id": 1,
    "name": "loss",
    "value": 0.5,
    "step": 1,
    "timestamp": MIDNIGHT,
}
ARTIFACT_VALUE = {
    "id": 1,
    "run_id": 1,
    "name": "model.pt",
    "type": "model",
    "path": "model.pt",
    "size": 12345,
    "metadata": {"epoch": 3},
    "created_at": MIDNIGHT,
}


def asked(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True)


REGISTER = asked(
    "A user", {"email": "user@example.com", "username": "username", "password": "password"}
)
LOGIN = asked("A user", {"username": "your_username", "password": "your_password"})
TOKEN = answer("A token", {"access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOi…", "token_type": "bearer"})
USER = answer("A user", USER_VALUE)
NEW_PROJECT = asked(
    "A project",
    {"name": "My Project", "description": "A machine learning project", "is_public": False},
)
PROJECT_CHANGES = asked(
    "Name and description", {"name": "Updated Project Name", "description": "Updated description"}
)
PROJECT = answer("A project", PROJECT_VALUE)
NEW_RUN = asked(
    "A run",
    {
        "name": "Training Run 1",
        "config": {"learning_rate": 0.001, "batch_size": 32},
        "tags": ["demo", "test"],
    },
)
RUN_CHANGES = asked("The end", {"status": "completed", "ended_at": "2023-01-01T01:00:00"})
RUN = answer("A run", RUN_VALUE)
LISTED_RUN = answer("A run", LISTED_RUN_VALUE)
NEW_POINT = asked("A point", {"name": "loss", "value": 0.5, "step": 1})
POINT = answer("A point", POINT_VALUE)
NEW_ROW = asked(
    "Three metrics",
    {"metrics": {"loss": 0.5, "accuracy": 0.85, "learning_rate": 0.001}, "step": 1},
)
LOGGED = answer("Three metrics", {"message": "Logged 3 metrics successfully"})
HISTORY = answer(
    "Three points",
    {
        "name": "loss",
        "values": [0.5, 0.4, 0.3],
        "steps": [1, 2, 3],
        "timestamps": [MIDNIGHT, "2023-01-01T00:01:00", "2023-01-01T00:02:00"],
    },
)
SUMMARY = answer(
    "A metric",
    {
        "name": "loss",
        "current_value": 0.3,
        "min_value": 0.1,
        "max_value": 0.8,
        "mean_value": 0.4,
        "total_points": 100,
    },
)
ARTIFACT = answer("A file", ARTIFACT_VALUE)
DELETED = answer("Done", {"message": "Run deleted successfully"})
