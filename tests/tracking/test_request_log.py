"""The id of a request, in its answer and in the log; its line; its figures."""

import logging
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from config.asgi import application
from tests.factories import make_run
from tests.people import make_person
from tests.tracking.consumers.watching import open_stream
from tracking import telemetry
from tracking.domain.tokens import create_token
from tracking.request_log import note_route, request_id, watch_requests

pytestmark = pytest.mark.django_db(transaction=True)
log = logging.getLogger("tracking.tests")


@pytest.fixture(autouse=True)
def _lines_for_requests(settings):
    settings.LOG_REQUESTS = True


async def ask(
    path: str, *headers: tuple[bytes, bytes], app: Any = application, method: str = "GET"
) -> tuple[int, dict[bytes, bytes], bytes]:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(b"host", b"localhost"), *headers],
        "query_string": b"token=ry_hidden",
    }
    talk = ApplicationCommunicator(app, scope)
    await talk.send_input({"type": "http.request", "body": b""})
    start = await talk.receive_output(timeout=20)
    body = await talk.receive_output(timeout=20)
    await talk.wait(timeout=20)
    found = {name.lower(): value for name, value in start["headers"]}
    return start["status"], found, body["body"]


@pytest.mark.parametrize("path", ["/health", "/ingest/v1/batch", "/nowhere"])
async def test_callers_id_comes_back_from_views_and_consumers(path):
    _, headers, _ = await ask(path, (b"x-request-id", b"ci-4.2_x"))

    assert headers[b"x-request-id"] == b"ci-4.2_x"


@pytest.mark.parametrize("value", [b"", b"a b", b"a\nb", b"x" * 65, "é".encode(), b"a\n"])
async def test_id_that_may_not_stand_in_a_log_is_replaced(value):
    _, headers, _ = await ask("/health", (b"x-request-id", value))
    _, others, _ = await ask("/health")

    made = headers[b"x-request-id"]
    assert len(made) == 16
    assert made != others[b"x-request-id"]


async def test_lines_of_a_request_know_its_id_in_threads_and_not_after_it(caplog):
    seen = []

    async def app(scope, receive, send):
        await sync_to_async(lambda: seen.append(request_id()))()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await ask("/", (b"x-request-id", b"mine"), app=watch_requests(app))

    assert (seen, request_id()) == (["mine"], "")


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("method", "path", "status", "bytes", "user")}


async def test_access_line_tells_what_was_asked_without_the_query(caplog):
    alice = await sync_to_async(make_person)("alice")
    _, secret = await sync_to_async(create_token)(alice, name="job", can_write=True)
    bearer = (b"authorization", f"Bearer {secret}".encode())
    with caplog.at_level("INFO", "runyard.access"):
        _, _, page = await ask("/api/projects", bearer)
        _, _, refused = await ask("/ingest/v1/batch", bearer)
        _, _, wrong = await ask("/a\nb")

    assert [facts_of(record) for record in caplog.records if record.name == "runyard.access"] == [
        {"method": "GET", "path": "/api/projects", "status": 200, "bytes": len(page), "user": "alice"},
        {"method": "GET", "path": "/ingest/v1/batch", "status": 405, "bytes": len(refused), "user": "alice"},
        {"method": "GET", "path": "/a%0Ab", "status": 404, "bytes": len(wrong), "user": "-"},
    ]  # fmt: skip


async def test_nobody_is_looked_up_for_the_line(caplog, django_assert_num_queries):
    with caplog.at_level("INFO", "runyard.access"):
        await ask("/health")

    assert [record.user for record in caplog.records if record.name == "runyard.access"] == ["-"]


async def test_no_line_unless_asked_for(settings, caplog):
    settings.LOG_REQUESTS = False
    with caplog.at_level("INFO", "runyard.access"):
        await ask("/health")

    assert [record for record in caplog.records if record.name == "runyard.access"] == []


async def test_what_breaks_beyond_django_is_answered_with_the_id(caplog):
    async def app(scope, receive, send):
        raise ZeroDivisionError("of my own")

    status, headers, body = await ask("/x", app=watch_requests(app))

    number = headers[b"x-request-id"].decode()
    detail = "Something went wrong here; the server's log says what, under this id."
    assert (status, orjson.loads(body)) == (500, {"detail": detail, "request_id": number})
    [record] = [record for record in caplog.records if record.name == "runyard.requests"]
    assert "ZeroDivisionError" in caplog.text
    assert record.getMessage() == "Broke while answering GET /x"


async def test_what_breaks_once_the_answer_has_begun_is_not_answered_twice():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError("of my own")

    with pytest.raises(ZeroDivisionError):
        await ask("/x", app=watch_requests(app))


def figure(name: str, **labels: str) -> float:
    return telemetry.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_route_and_not_by_address():
    labels = {"route": "/projects/<project_key>", "method": "GET", "status": "4xx"}
    before = figure("runyard_http_requests_total", **labels)
    refused = figure("runyard_refused_total", kind="not found")

    for key in ("one", "two"):
        assert (await ask(f"/projects/{key}"))[0] == 404

    assert figure("runyard_http_requests_total", **labels) == before + 2
    assert figure("runyard_http_answer_seconds_count", route=labels["route"]) >= 2
    assert figure("runyard_refused_total", kind="not found") == refused + 2


async def test_methods_and_addresses_that_callers_invent_make_no_series():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 405, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    labels = {"route": "none", "method": "OTHER", "status": "4xx"}
    before = figure("runyard_http_requests_total", **labels)

    await ask("/brewery", app=watch_requests(app), method="BREW")

    assert figure("runyard_http_requests_total", **labels) == before + 1


async def test_watchers_count_as_long_as_they_stay():
    await sync_to_async(make_run)()
    before = figure("runyard_watchers", kind="sse")

    async with open_stream("/api/projects/proj/runs/run-1/stream") as (start, _):
        assert start["status"] == 200
        assert figure("runyard_watchers", kind="sse") == before + 1

    assert figure("runyard_watchers", kind="sse") == before


@pytest.mark.parametrize(
    ("pattern", "route"),
    [
        (r"^api/projects/(?P<project>[^/]+)/runs/stream/?$", "/api/projects/<project>/runs/stream"),
        (r"tracker/api/v1/^health/?$", "/tracker/api/v1/health"),
        ("projects/<str:project_key>", "/projects/<project_key>"),
        (r"^(api|tracker|auth)/", "/<var>"),
        ("", "/"),
    ],
)
async def test_routes_are_told_as_people_write_them(pattern, route):
    async def app(scope, receive, send):
        note_route(pattern)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    labels = {"route": route, "method": "GET", "status": "2xx"}
    before = figure("runyard_http_requests_total", **labels)
    await ask("/", app=watch_requests(app))

    assert figure("runyard_http_requests_total", **labels) == before + 1
