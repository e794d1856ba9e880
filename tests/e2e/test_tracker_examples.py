"""The Python examples of the tracker's documentation, run as printed by a process of their own."""

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
PORT = 3142  # the one that the examples print
EXAMPLE_S = 90  # the client's own deadline at exit is 30 s

HEALTH = """
import requests

BASE_URL = "http://localhost:3142/tracker"

# Check if the tracker is running
response = requests.get(f"{BASE_URL}/api/v1/health")
print(response.json())  # {"status": "ok"}
"""
CREATE_RUN = """
import requests

BASE_URL = "http://localhost:3142/tracker"
project_name = "my_project"

# Create a new run with metadata
response = requests.post(
    f"{BASE_URL}/api/v1/projects/{project_name}/runs",
    json={
        "name": "experiment_001",
        "tags": ["baseline", "v1"],
        "notes": "Initial experiment",
        "config": {"learning_rate": 0.001, "batch_size": 32},
        "project_tags": ["production"]
    }
)
print(response.json())
# {"project": "my_project", "name": "experiment_001", "run_id": "experiment_001"}
"""
LOG_METRICS = """
import requests
from datetime import datetime

BASE_URL = "http://localhost:3142/tracker"
project_name = "my_project"
run_name = "experiment_001"

# Log metrics for a specific step
response = requests.post(
    f"{BASE_URL}/api/v1/projects/{project_name}/runs/{run_name}/metrics",
    json={
        "type": "metrics",
        "timestamp": datetime.now().isoformat(),
        "run": run_name,
        "project": project_name,
        "step": 100,
        "metrics": {"loss": 0.5, "accuracy": 0.85}
    }
)
print(response.json())  # {"status": "ok"}
"""
UPLOAD_ARTIFACT = """
import requests

BASE_URL = "http://localhost:3142/tracker"
project_name = "my_project"
run_name = "experiment_001"

# Upload a file as an artifact
with open("model.pt", "rb") as f:
    response = requests.post(
        f"{BASE_URL}/api/v1/projects/{project_name}/runs/{run_name}/artifacts",
        files={"file": ("model.pt", f)},
        data={
            "name": "trained_model.pt",
            "description": "Final trained model",
            "category": "model"
        }
    )
print(response.json())
# {"artifact_name": "trained_model.pt", "file_size": 12345}
"""
REMOTE_RUN = """
import aspara

# Connect to a remote tracker
run = aspara.init(
    project="my_project",
    name="experiment_001",
    tracker_uri="http://localhost:3142",
    config={"learning_rate": 0.001}
)

# Log metrics (automatically sent to the tracker)
for step in range(100):
    run.log({"loss": 0.5 - step * 0.005, "accuracy": 0.5 + step * 0.005})

run.finish()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """On the documented port with a fresh data directory; tests take turns at the port."""
    (tmp_path / "data").mkdir()
    with (Path(tempfile.gettempdir()) / f"runyard-port-{PORT}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        require_free_port()
        with live_server(PORT, tmp_path / "data") as running:
            yield running


def require_free_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            pytest.fail(f"Port {PORT} is needed, and something else has it: {error}")


def run_example(example: str, folder: Path) -> str:
    """What the example prints."""
    settings = {"HOME": str(folder), "RUNYARD_DIR": str(folder / "spool"), "NO_PROXY": "localhost"}
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=EXAMPLE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_rows(server: LiveServer, query: str) -> list[Any]:
    with closing(sqlite3.connect(server.data_dir / "runyard.sqlite3")) as database:
        return database.execute(query).fetchall()


def read_metrics(server: LiveServer) -> dict[str, Any]:
    answer = requests.get(
        f"{server.url}/api/projects/my_project/runs/metrics?runs=experiment_001", timeout=30
    )
    metrics = answer.json()["metrics"]
    return {
        name: (runs["experiment_001"]["steps"], runs["experiment_001"]["values"])
        for name, runs in metrics.items()
    }


def test_health_check(server, tmp_path):
    assert run_example(HEALTH, tmp_path) == "{'status': 'ok'}\n"


def test_creating_a_run(server, tmp_path):
    created = "{'project': 'my_project', 'name': 'experiment_001', 'run_id': 'experiment_001'}\n"

    assert run_example(CREATE_RUN, tmp_path) == created
    assert run_example(CREATE_RUN, tmp_path) == "{'detail': 'Run already exists'}\n"
    assert read_rows(server, "SELECT key, notes FROM tracking_run") == [
        ("experiment_001", "Initial experiment")
    ]


def test_logging_metrics_survives_kill(server, tmp_path):
    run_example(CREATE_RUN, tmp_path)

    assert run_example(LOG_METRICS, tmp_path) == "{'status': 'ok'}\n"
    server.restart()  # kill -9 the moment it was acknowledged

    assert read_metrics(server) == {"loss": ([100], [0.5]), "accuracy": ([100], [0.85])}


def test_uploading_an_artifact_survives_kill(server, tmp_path):
    content = os.urandom(12345)
    (tmp_path / "model.pt").write_bytes(content)
    run_example(CREATE_RUN, tmp_path)

    printed = run_example(UPLOAD_ARTIFACT, tmp_path)
    server.kill()

    assert printed == "{'artifact_name': 'trained_model.pt', 'file_size': 12345}\n"
    [row] = read_rows(server, "SELECT name, category, storage_key FROM tracking_artifact")
    assert row[:2] == ("trained_model.pt", "model")
    assert (server.data_dir / "artifacts" / row[2]).read_bytes() == content


def test_using_remote_run(server, tmp_path):
    run_example(REMOTE_RUN, tmp_path)

    steps = list(range(100))
    assert read_metrics(server) == {
        "loss": (steps, [0.5 - step * 0.005 for step in steps]),
        "accuracy": (steps, [0.5 + step * 0.005 for step in steps]),
    }
    assert read_rows(server, "SELECT key, status, config FROM tracking_run") == [
        ("experiment_001", "completed", '{"learning_rate": 0.001}')
    ]


def test_body_in_chunks_is_refused_clearly(server):
    """Only a real server shows what becomes of such a request."""
    answer = requests.post(
        f"{server.url}/api/v1/projects/my_project/runs",
        data=iter([b'{"name": ', b'"a"}']),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )

    assert (answer.status_code, answer.json()) == (
        411,
        {"detail": "Send the body with a Content-Length, not in chunks."},
    )
