"""The Python examples of the dashboard's documentation, run as printed by processes of their own."""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import msgpack
import pytest
import requests

from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
EXAMPLE_S = 60
EVENT_S = 30

RETRIEVAL = """
import requests

BASE_URL = "http://localhost:3141"

# Get run list for a specific project
runs = requests.get(f"{BASE_URL}/api/projects/{project_name}/runs").json()

# Get specific run details (JSON header required)
run_detail = requests.get(
    f"{BASE_URL}/projects/{project_name}/runs/{run_name}",
    headers={"Accept": "application/json"}
).json()

# Get metrics for a specific run
metrics = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/metrics"
).json()

# Get parameters for a specific run
params = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/params"
).json()
"""
COMPARISON = """
# Get metrics for multiple runs (useful for comparison)
runs_to_compare = "run1,run2,run3"
comparison = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/metrics",
    params={"runs": runs_to_compare}
).json()

# Response structure:
# {
#     "project": "my_project",
#     "metrics": {
#         "loss": {
#             "run1": {"steps": [...], "values": [...], "timestamps": [...]},
#             "run2": {"steps": [...], "values": [...], "timestamps": [...]}
#         }
#     }
# }

# MessagePack format for better performance
comparison_msgpack = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/metrics",
    params={"runs": runs_to_compare, "format": "msgpack"}
).content
"""
METADATA = """
# Get run metadata
metadata = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/metadata"
).json()

# Update run notes
updated_metadata = requests.put(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/metadata",
    json={"notes": "Experiment results were good"}
).json()

# Get project metadata
project_metadata = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/metadata"
).json()

# Update project tags
updated_project = requests.put(
    f"{BASE_URL}/api/projects/{project_name}/metadata",
    json={"tags": ["production", "v2"]}
).json()
"""
DOWNLOAD = """
# Download artifacts as ZIP
response = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/artifacts/download"
)
with open(f"{run_name}_artifacts.zip", "wb") as f:
    f.write(response.content)
"""
STREAM = """
import sseclient
import requests

# Stream metrics for a single run
response = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}/stream",
    stream=True
)
client = sseclient.SSEClient(response)
for event in client.events():
    if event.event == "metric":
        print(f"New metric: {event.data}")
"""
STREAM_MANY = """
import sseclient
import requests

# Stream metrics for multiple runs
runs_to_watch = "run1,run2,run3"
response = requests.get(
    f"{BASE_URL}/api/projects/{project_name}/runs/stream",
    params={"runs": runs_to_watch},
    stream=True
)
client = sseclient.SSEClient(response)
for event in client.events():
    if event.event == "metric":
        print(f"Metric update: {event.data}")
    elif event.event == "status":
        print(f"Status update: {event.data}")
"""
DELETION = """
# Delete a run (irreversible!)
response = requests.delete(
    f"{BASE_URL}/api/projects/{project_name}/runs/{run_name}"
)
print(response.json())  # {"message": "Run 'project/run' deleted successfully"}

# Delete an entire project (all runs will also be deleted!)
response = requests.delete(f"{BASE_URL}/api/projects/{project_name}")
print(response.json())  # {"message": "Project 'project' deleted successfully"}
"""
PRINTED_URL = "http://localhost:3141"
BEFORE = (
    f'import requests\nBASE_URL = "{PRINTED_URL}"\nproject_name, run_name = "my_project", "run1"\n'
)
REPORT = "\nimport json; print(json.dumps([{}]))\n"


@pytest.fixture(scope="module")
def shared() -> Iterator[LiveServer]:
    with live_server() as running:
        yield running


@pytest.fixture
def server(shared: LiveServer) -> LiveServer:
    """With three runs that were just logged to, and nothing else."""
    requests.delete(f"{shared.url}/api/projects/my_project", timeout=30)
    runs = f"{shared.url}/api/v1/projects/my_project/runs"
    for n in (1, 2, 3):
        body = {"name": f"run{n}", "config": {"lr": n / 10, "model": {"depth": n}}}
        requests.post(runs, json=body, timeout=30).raise_for_status()
        log(shared, f"run{n}", 0, 1.0)
        log(shared, f"run{n}", 1, 1 / (n + 1))
    return shared


def log(server: LiveServer, run: str, step: int, loss: float) -> None:
    url = f"{server.url}/api/v1/projects/my_project/runs/{run}/metrics"
    requests.post(url, json={"step": step, "metrics": {"loss": loss}}, timeout=30)


def command(server: LiveServer, example: str) -> list[str]:
    code = (BEFORE + example).replace(PRINTED_URL, server.url)
    return [sys.executable, "-u", "-c", code]


def run_example(server: LiveServer, example: str, folder: Path, *names: str) -> Any:
    """What the example prints, or what is in those of its variables that are named."""
    code = example + (REPORT.format(", ".join(names)) if names else "")
    done = subprocess.run(
        command(server, code),
        cwd=folder,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=EXAMPLE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if names else done.stdout


@contextmanager
def running(server: LiveServer, example: str, folder: Path) -> Iterator[Callable[[], str]]:
    """A function that gives the next line the example prints, while it goes on."""
    process = subprocess.Popen(
        command(server, example),
        cwd=folder,
        env=os.environ | {"NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines: Queue[str] = Queue()
    assert process.stdout
    reader = threading.Thread(target=lambda out: [lines.put(x) for x in out], args=[process.stdout])
    reader.start()
    try:
        yield lambda: lines.get(timeout=EVENT_S)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def columns(n: int, series: dict[str, Any]) -> bool:
    """Whether these are the points that run n was given, with the times of their arrival."""
    times = series["timestamps"]
    return series == {"steps": [0, 1], "values": [1.0, 1 / (n + 1)], "timestamps": sorted(times)}


def test_basic_data_retrieval(server, tmp_path):
    names = ("runs", "run_detail", "metrics", "params")

    runs, detail, metrics, params = run_example(server, RETRIEVAL, tmp_path, *names)

    assert [run["name"] for run in runs] == ["run3", "run2", "run1"]
    assert detail == runs[2]
    assert (detail["project"], detail["status"], detail["metrics"]) == (
        "my_project",
        "wip",
        {"loss": 0.5},
    )
    assert (metrics["project"], metrics["run"], list(metrics["metrics"])) == (
        "my_project",
        "run1",
        ["loss"],
    )
    assert columns(1, metrics["metrics"]["loss"])
    assert params == {"lr": 0.1, "model.depth": 1}


def test_metrics_of_multiple_runs(server, tmp_path):
    names = ("comparison", "comparison_msgpack.hex()")

    comparison, packed = run_example(server, COMPARISON, tmp_path, *names)

    assert set(comparison) == {"project", "metrics"}
    assert set(comparison["metrics"]) == {"loss"}
    loss = comparison["metrics"]["loss"]
    assert all(columns(n, loss[f"run{n}"]) for n in (1, 2, 3))
    assert msgpack.unpackb(bytes.fromhex(packed)) == comparison


def test_metadata(server, tmp_path):
    names = ("metadata", "updated_metadata", "project_metadata", "updated_project")

    before, after, project, tagged = run_example(server, METADATA, tmp_path, *names)

    assert (before["run_id"], before["notes"]) == ("run1", "")
    assert after == before | {"notes": "Experiment results were good"}
    assert (project["notes"], project["tags"]) == ("", [])
    assert tagged == project | {
        "tags": ["production", "v2"],
        "updated_at": tagged["updated_at"],
    }
    assert tagged["updated_at"] > project["updated_at"]


def test_downloading_artifacts(server, tmp_path):
    files = {"model.pt": os.urandom(3_000_000), "notes.txt": b"good"}
    url = f"{server.url}/api/v1/projects/my_project/runs/run1/artifacts"
    for name, content in files.items():
        requests.post(url, files={"file": (name, content)}, timeout=30).raise_for_status()

    run_example(server, DOWNLOAD, tmp_path)

    with zipfile.ZipFile(io.BytesIO((tmp_path / "run1_artifacts.zip").read_bytes())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_streaming_a_run(server, tmp_path):
    with running(server, STREAM, tmp_path) as next_line:
        until_it_prints(server, next_line, "run1")

        log(server, "run1", 1000, 0.25)
        line = next_line()
        while '"step":1000' not in line:
            line = next_line()

    told = json.loads(line.removeprefix("New metric: "))
    assert told == {
        "timestamp": told["timestamp"],
        "step": 1000,
        "metrics": {"loss": 0.25},
        "run": "run1",
        "project": "my_project",
    }


def test_streaming_runs(server, tmp_path):
    with running(server, STREAM_MANY, tmp_path) as next_line:
        first = [json.loads(next_line().removeprefix("Status update: ")) for _ in range(3)]
        log(server, "run2", 7, 0.125)
        news = json.loads(next_line().removeprefix("Metric update: "))
        url = f"{server.url}/api/v1/projects/my_project/runs/run3/finish"
        requests.post(url, json={"exit_code": 0}, timeout=30)
        end = json.loads(next_line().removeprefix("Status update: "))

    assert {(event["run"], event["status"]) for event in first} == {
        ("run1", "wip"),
        ("run2", "wip"),
        ("run3", "wip"),
    }
    assert (news["run"], news["step"], news["metrics"]) == ("run2", 7, {"loss": 0.125})
    assert (end["run"], end["status"], end["is_finished"]) == ("run3", "completed", True)


def until_it_prints(server: LiveServer, next_line: Callable[[], str], run: str) -> None:
    """This example says nothing until it has news: log until it is there to hear them."""
    heard = threading.Event()

    def keep_logging() -> None:
        for step in range(2, 900):
            if heard.wait(0.1):
                break
            log(server, run, step, 0.5)

    logger = threading.Thread(target=keep_logging)
    logger.start()
    try:
        assert next_line().startswith("New metric: ")
    finally:
        heard.set()
        logger.join()


def test_deleting(server, tmp_path):
    printed = run_example(server, DELETION, tmp_path)

    assert printed.splitlines() == [
        str({"message": "Run 'my_project/run1' deleted successfully"}),
        str({"message": "Project 'my_project' deleted successfully"}),
    ]
    assert requests.get(f"{server.url}/api/projects/my_project/runs", timeout=30).status_code == 404
