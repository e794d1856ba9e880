import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tracking.domain import writer

API = "/tracker/api/v1"
RUNS = f"{API}/projects/proj/runs"
RUN = f"{RUNS}/run-1"
DATA_STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@pytest.fixture
def post(client: Client) -> Callable[[str, Any], tuple[int, Any]]:
    """POST JSON, or text as it is; gives back the status and the answer."""

    def send(path: str, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        answer = client.post(path, data, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Statements of this thread and of the writer's, which has a connection of its own."""
    statements: list[str] = []
    _on_writer(_start_logging)
    with CaptureQueriesContext(connection) as captured:
        yield statements
    logged = [*captured.captured_queries, *_on_writer(_stop_logging)]
    statements += [query["sql"] for query in logged if is_about_data(query["sql"])]


def is_about_data(statement: str) -> bool:
    return statement.lstrip("0123456789 times:\n").startswith(DATA_STATEMENTS)


def _on_writer(work: Callable[[], Any]) -> Any:
    return writer.submit(work).result(30)


def _start_logging() -> None:
    connection.queries_log.clear()
    connection.force_debug_cursor = True


def _stop_logging() -> list[dict[str, str]]:
    connection.force_debug_cursor = False
    return list(connection.queries_log)
