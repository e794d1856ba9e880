"""Servers in both modes, and who may log there."""

import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.e2e.live import ROOT, LiveServer, live_server, server_env

OWNER = "alice"  # who signs in, and whose experiments they are
TOKEN_CODE = """
from tracking.domain.access import local_user
from tracking.domain.tokens import create_token
from tracking.models import User
user = local_user() if {open} else User.objects.create_user("alice", password="correct horse 9")
print(create_token(user, name="ml-dash", can_write=True)[1])
"""


class Place(NamedTuple):
    """A server and a token that may write there."""

    server: LiveServer
    token: str


@pytest.fixture(scope="module", params=["open", "login"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with live_server(RUNYARD_ACCESS=request.param) as server:
        yield Place(server, make_token(server, is_open=request.param == "open"))


def make_token(server: LiveServer, *, is_open: bool) -> str:
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", TOKEN_CODE.format(open=is_open)],
        cwd=ROOT,
        env={**server_env(server.data_dir), **server.settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return said.stdout.split()[-1]
