"""What breaks is told with the id of its request, to people and to programs."""

import re

import pytest
from asgiref.testing import ApplicationCommunicator

from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(path: str, accept: str) -> tuple[int, bytes, str]:
    headers = [(b"host", b"localhost"), (b"accept", accept.encode()), (b"x-request-id", b"mine-1")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""}
    talk = ApplicationCommunicator(application, scope)
    await talk.send_input({"type": "http.request", "body": b""})
    start = await talk.receive_output(timeout=20)
    body = await talk.receive_output(timeout=20)
    await talk.wait(timeout=20)
    return start["status"], dict(start["headers"])[b"X-Request-ID"], body["body"].decode()


@pytest.fixture(autouse=True)
def _broken(monkeypatch):
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("password=of-somebody")

    monkeypatch.setattr("tracking.api.operations.views.readiness.states", break_down)


async def test_page_and_json_show_the_id_and_nothing_of_why():
    page = await ask("/ready", "text/html")
    data = await ask("/ready", "application/json")

    assert (page[:2], data[:2]) == ((500, b"mine-1"), (500, b"mine-1"))
    assert re.search(r"<code>mine-1</code>", page[2])
    assert '"request_id": "mine-1"' in data[2]
    assert "of-somebody" not in page[2] + data[2]
