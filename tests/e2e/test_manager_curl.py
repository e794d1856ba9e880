"""The curl examples of the AI Manager API, as printed, in order, on a fresh server: those of its
document, and those of ours.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live import ROOT, LiveServer, live_server

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
]
PORT = 8000  # the one that the examples print
COMMAND_S = 60

REGISTER = """
curl -X POST "http://localhost:8000/auth/register" \\
  -H "Content-Type: application/json" \\
  -d '{"email": "user@example.com", "username": "your_username", "password": "your_password"}'
"""
LOGIN = """
curl -X POST "http://localhost:8000/auth/login" \\
  -H "Content-Type: application/x-www-form-urlencoded" \\
  -d "username=your_username&password=your_password"
"""
CREATE_PROJECT = """
curl -X POST "http://localhost:8000/projects/" \\
  -H "Authorization: Bearer <token>" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "My ML Project", "description": "Image classification"}'
"""
START_RUN = """
curl -X POST "http://localhost:8000/runs/?project_id=1" \\
  -H "Authorization: Bearer <token>" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "ResNet Training", "config": {"lr": 0.001}}'
"""
LOG_METRICS = """
curl -X POST "http://localhost:8000/metrics/1/batch" \\
  -H "Authorization: Bearer <token>" \\
  -H "Content-Type: application/json" \\
  -d '{"metrics": {"loss": 0.5, "accuracy": 0.85}, "step": 1}'
"""
COMPLETE_RUN = """
curl -X PUT "http://localhost:8000/runs/1" \\
  -H "Authorization: Bearer <token>" \\
  -H "Content-Type: application/json" \\
  -d '{"status": "completed"}'
"""
READ = """
curl "http://localhost:8000{path}" \\
  -H "Authorization: Bearer <token>"
"""


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"Something else listens on {PORT}, the port that the examples print.")
    with live_server(PORT) as server:
        yield server


def run(command: str, token: str = "") -> Any:
    """What a reader of the document gets, who puts his token in its place."""
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("<token>", token).strip()],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "no_proxy": "localhost"},
        text=True,
        timeout=COMMAND_S,
    )
    return json.loads(done.stdout)


def test_training_workflow_of_the_document_works_as_printed(server: LiveServer) -> None:
    user = run(REGISTER)
    answer = run(LOGIN)
    token = answer["access_token"]

    project = run(CREATE_PROJECT, token)
    started = run(START_RUN, token)
    logged = run(LOG_METRICS, token)
    completed = run(COMPLETE_RUN, token)

    assert answer == {"access_token": token, "token_type": "bearer"}
    assert (project["id"], project["name"], project["owner_id"]) == (1, "My ML Project", user["id"])
    assert (started["id"], started["status"], started["config"]) == (1, "running", {"lr": 0.001})
    assert logged == {"message": "Logged 2 metrics successfully"}
    assert completed["status"] == "completed"
    assert completed["ended_at"] >= completed["started_at"]


def test_addresses_of_the_document_can_be_read_as_printed(server: LiveServer) -> None:
    run(REGISTER)
    token = run(LOGIN)["access_token"]
    for command in (CREATE_PROJECT, START_RUN, LOG_METRICS):
        run(command, token)

    def read(path: str) -> Any:
        return run(READ.replace("{path}", path), token)

    assert [one["id"] for one in read("/projects/?skip=0&limit=10")] == [1]
    assert [one["name"] for one in read("/runs/?project_id=1")] == ["ResNet Training"]
    assert [one["value"] for one in read("/metrics/1/?metric_name=loss")] == [0.5]
    assert read("/auth/me")["username"] == "your_username"
    assert run(READ.replace("{path}", "/projects/"), "wrong") == {
        "detail": "Could not validate credentials"
    }


PRINTED_URL = "http://127.0.0.1:3141"  # of docs/manager-api.md


def answers_in(text: str) -> list[Any]:
    """JSON values, one after another with nothing between."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_commands_of_our_own_page_work_as_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs/manager-api.md").read_text()
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    assert commands.count(PRINTED_URL) == 1

    with live_server() as server:
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", commands.replace(PRINTED_URL, server.url)],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "no_proxy": "127.0.0.1",
            },
            text=True,
            timeout=COMMAND_S,
        )

    assert (done.returncode, done.stderr) == (0, "")
    user, *_, completed, runs, history, summary, files = answers_in(done.stdout)
    assert user["username"] == "ada"
    assert (completed["name"], completed["config"]) == ("ResNet Training", {"lr": 0.001})
    assert [(run["id"], run["status"], run["tags"]) for run in runs] == [
        (completed["id"], "completed", ["baseline"])
    ]
    assert (history["steps"], history["values"]) == ([1, 2], [0.5, 0.25])
    assert [(metric["name"], metric["min_value"]) for metric in summary] == [
        ("accuracy", 0.85),
        ("loss", 0.25),
    ]
    assert [(file["name"], file["type"], file["size"]) for file in files] == [
        ("model.txt", "model", 8)
    ]
