"""What `runyard doctor` says of tokens, asking servers of their own in both modes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from typing import NamedTuple

import pytest
from runyard.cli import main
from runyard.tokens import store_token
from runyard.transport import parse_address

from tests.e2e.live import ROOT, LiveServer, live_server, server_env

pytestmark = pytest.mark.e2e
MAKE_TOKENS = """
import json
from tracking.domain.projects import create_project
from tracking.domain.tokens import create_token, revoke_token
from tracking.models import User
alice = User.objects.create_user("alice")
mine = create_project("mine", user=alice)
scopes = {
    "all": {"can_write": True},
    "reading": {"can_write": False},
    "narrow": {"can_write": True, "project": mine},
    "revoked": {"can_write": True},
}
made = {name: create_token(alice, name=name, **scope) for name, scope in scopes.items()}
revoke_token(made["revoked"][0])
print(json.dumps({name: secret for name, (_, secret) in made.items()}))
"""


class Closed(NamedTuple):
    """A server in login mode, and the tokens of Alice."""

    server: LiveServer
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def closed() -> Iterator[Closed]:
    with live_server(RUNYARD_ACCESS="login") as server:
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", MAKE_TOKENS],
            cwd=ROOT,
            env=server_env(server.data_dir),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        yield Closed(server, json.loads(made.stdout))


@pytest.fixture(scope="module")
def opened() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def examine(url: str) -> tuple[int, str]:
    """The exit status, and the line about the token."""
    with redirect_stderr(StringIO()) as said:
        status = main(["doctor", "--url", url])
    [line] = [line for line in said.getvalue().splitlines() if line[4:].startswith("token")]
    return status, line[:2] + line[14:]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("all", 0, "may read and write"),
        ("narrow", 0, "may read and write, only in project mine"),
        ("reading", 1, "may only read: jobs cannot log with it"),
    ],
)
def test_scope_of_a_good_token_is_told(
    closed: Closed, monkeypatch: pytest.MonkeyPatch, name: str, status: int, words: str
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", closed.tokens[name])
    mark = "!!" if status else "ok"

    told = examine(closed.server.url)

    assert told == (status, f"{mark} RUNYARD_TOKEN is sent; it is alice's and {words}")


def test_refused_token_is_told_with_the_reason(
    closed: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = closed.server.url
    advice = f"set RUNYARD_TOKEN to a valid token, or unset it and run: runyard login {url}"

    monkeypatch.setenv("RUNYARD_TOKEN", closed.tokens["revoked"])
    reason = "401 The API token “revoked” was revoked."
    assert examine(url) == (
        1,
        f"!! RUNYARD_TOKEN is sent, and {url} refuses it ({reason}): {advice}",
    )

    monkeypatch.setenv("RUNYARD_TOKEN", "ry_wrong")
    assert f"{url} refuses it (401 There is no such API token.)" in examine(url)[1]


def test_kept_token_that_is_refused_is_told_too(closed: Closed) -> None:
    url = closed.server.url
    path = store_token(parse_address(url).origin, closed.tokens["revoked"])

    status, line = examine(url)

    assert (status, line.partition(" refuses")[0]) == (
        1,
        f"!! that of runyard login is sent, from {path}, and {url}",
    )


def test_missing_token_is_told(closed: Closed, monkeypatch: pytest.MonkeyPatch) -> None:
    url = closed.server.url
    asks = (
        f"and {url} asks for one: set RUNYARD_TOKEN to a valid token, or run: runyard login {url}"
    )

    assert examine(url) == (1, f"!! none is set, {asks}")

    monkeypatch.setenv("RUNYARD_TOKEN", closed.tokens["all"])
    monkeypatch.setenv("RUNYARD_URL", "http://elsewhere:3141")
    elsewhere = "RUNYARD_TOKEN is for the server of RUNYARD_URL"
    assert examine(url) == (1, f"!! {elsewhere}, {asks}")

    monkeypatch.setenv("RUNYARD_TOKEN", "two words")
    assert examine(url) == (1, f"!! RUNYARD_TOKEN is no token, which is one word, {asks}")


def test_open_server_asks_for_none_and_refuses_a_wrong_one(
    opened: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examine(opened.url) == (0, "ok none is set, and none is asked for")

    monkeypatch.setenv("RUNYARD_TOKEN", "ry_wrong")
    status, line = examine(opened.url)
    assert (status, "(401 There is no such API token.)" in line) == (1, True)


def test_silent_server_says_nothing_about_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_any")

    assert examine("http://127.0.0.1:1") == (
        1,
        "!! RUNYARD_TOKEN is sent; http://127.0.0.1:1 cannot be asked about it",
    )
