"""What breaks is told with the id of its request, to people and to programs."""

import re
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError

from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)
SORRY = "The database is away; try again."


async def ask(path: str, accept: str, **more: str) -> tuple[int, bytes, str]:
    start, body = await talk_to(path, accept, more)
    return start["status"], dict(start["headers"])[b"X-Request-ID"], body


async def talk_to(path: str, accept: str, more: dict[str, str]) -> tuple[dict[str, Any], str]:
    headers = [(b"host", b"localhost"), (b"accept", accept.encode()), (b"x-request-id", b"mine-1")]
    headers += [(name.encode(), value.encode()) for name, value in more.items()]
    path, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    scope["query_string"] = query.encode()
    talk = ApplicationCommunicator(application, scope)
    await talk.send_input({"type": "http.request", "body": b""})
    start = await talk.receive_output(timeout=20)
    body = await talk.receive_output(timeout=20)
    await talk.wait(timeout=20)
    return start, body["body"].decode()


@pytest.fixture
def _broken(monkeypatch):
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("password=of-somebody")

    monkeypatch.setattr("tracking.api.operations.views.readiness.states", break_down)


@pytest.mark.usefixtures("_broken")
async def test_page_and_json_show_the_id_and_nothing_of_why():
    page = await ask("/ready", "text/html")
    data = await ask("/ready", "application/json")

    assert (page[:2], data[:2]) == ((500, b"mine-1"), (500, b"mine-1"))
    assert re.search(r"<code>mine-1</code>", page[2])
    assert '"request_id": "mine-1"' in data[2]
    assert "of-somebody" not in page[2] + data[2]


@pytest.mark.parametrize(
    ("path", "accept", "headers"),
    [
        ("/", "text/html", {"cookie": "sessionid=0123456789abcdef0123456789abcdef"}),
        ("/", "text/html", {"hx-request": "true"}),
        ("/projects/", "application/json", {"authorization": "Bearer ry_0123456789abcdef"}),
        ("/api/projects", "*/*", {"authorization": "Bearer ry_0123456789abcdef"}),
        ("/api/projects", "*/*", {"cookie": "sessionid=0123456789abcdef0123456789abcdef"}),
        (
            "/api/projects/p/runs/stream?runs=r",
            "*/*",
            {"authorization": "Bearer ry_0123456789abcdef"},
        ),
        ("/api/projects/p/runs/stream?runs=r", "*/*", {}),
    ],
)
async def test_where_the_database_is_away_all_are_asked_to_come_again(
    monkeypatch, path, accept, headers
):
    """Whoever is looked up where: in a middleware, before a consumer or in a view."""

    def be_away(*_: object, **__: object) -> None:
        raise OperationalError("connection to somewhere failed")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper._cursor", be_away)
    start, body = await talk_to(path, accept, headers)

    assert (start["status"], SORRY in body) == (503, True)
    assert dict(start["headers"])[b"Retry-After"] == b"2"
    assert ("<" in body) == (accept == "text/html")
    assert "somewhere" not in body
