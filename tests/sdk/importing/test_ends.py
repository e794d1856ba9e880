"""A directory says nothing of how its run ended; a server that was told by the job knows better."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from runyard.cli import main

from tests.chaos.points import query
from tests.e2e.live import LiveServer, live_server
from tests.sdk.importing.conftest import BEGIN, make_experiment, row, write_lines
from tests.sdk.jobs import run_job

pytestmark = pytest.mark.e2e
STATUS = "SELECT uid, status, ended_at FROM tracking_run WHERE name = ?"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def make_run(root: Path, name: str) -> Path:
    return make_experiment(root, f"alice/ends/{name}")


def log(home: Path, index: int, *, after_s: float = 0) -> None:
    time = datetime.now(UTC) + timedelta(seconds=after_s)
    line = row(index, loss=index) | {"createdAt": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    write_lines(home / "metrics" / "train" / "data.jsonl", [line])


def bring(server: LiveServer, root: Path, *, idle_minutes: float) -> str:
    """The status after an import."""
    options = ["--url", server.url, "--idle", str(idle_minutes)]
    assert main(["import", str(root), *options]) == 0
    [(_, status, _)] = query(server.data_dir, STATUS, root.name)
    return str(status)


def end(server: LiveServer, name: str, status: str) -> None:
    """As a job does that logs to the disk and to the server."""
    [(uid, *_)] = query(server.data_dir, STATUS, name)
    request = urllib.request.Request(
        f"{server.url}/api/experiments/{uid}/status",
        json.dumps({"status": status}).encode(),
        {"Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request, timeout=30).close()


def test_end_that_the_server_was_told_of_stays(server: LiveServer, tmp_path: Path) -> None:
    root = tmp_path / "told"
    log(make_run(root, "told"), 0)
    assert bring(server, root, idle_minutes=60) == "running"
    end(server, "told", "FAILED")
    before = query(server.data_dir, STATUS, "told")

    assert bring(server, root, idle_minutes=60) == "failed"
    assert bring(server, root, idle_minutes=0) == "failed"
    assert query(server.data_dir, STATUS, "told") == before


def test_reason_of_an_end_comes_along(server: LiveServer, tmp_path: Path) -> None:
    root = tmp_path / "why"
    ended = {"status": "FAILED", "status_at": BEGIN, "ended_at": BEGIN, "reason": "ValueError: x"}
    make_experiment(root, "alice/ends/why", **ended)

    assert bring(server, root, idle_minutes=60) == "failed"
    [(metadata,)] = query(
        server.data_dir, "SELECT metadata FROM tracking_run WHERE name = ?", "why"
    )
    assert json.loads(metadata)["finish_reason"] == "ValueError: x"


def test_times_of_an_end_are_compared_however_they_are_written(
    server: LiveServer, tmp_path: Path
) -> None:
    root = tmp_path / "zones"
    times = {"status_at": "2026-01-02T03:00:00Z", "updated_at": "2026-01-02T04:00:00+02:00"}
    make_experiment(root, "alice/ends/zones", status="FAILED", ended_at=BEGIN, **times)

    assert bring(server, root, idle_minutes=60) == "failed"


def test_run_that_was_continued_after_its_end_is_running_again(
    server: LiveServer, tmp_path: Path
) -> None:
    root = tmp_path / "continued"
    home = make_run(root, "continued")
    log(home, 0)
    assert bring(server, root, idle_minutes=0) == "completed"
    log(home, 1, after_s=60)

    assert bring(server, root, idle_minutes=60) == "running"
    assert bring(server, root, idle_minutes=-2) == "completed"


KILLED = """
import os
from ml_dash import Experiment

experiment = Experiment("alice/ends/killed", dash_root={root!r}, dash_url={url!r})
experiment.run.start()
experiment.metrics("train").log(loss=1)
experiment.flush()
os.kill(os.getpid(), 9)
"""


def test_killed_job_ended_with_its_last_line(server: LiveServer, tmp_path: Path) -> None:
    root = tmp_path / "killed"
    code, _ = run_job(KILLED.format(root=str(root), url=server.url), tmp_path / "sdk", server.url)
    assert code == -9
    [line] = (root / "alice/ends/killed/metrics/train/data.jsonl").read_text().splitlines()

    assert bring(server, root, idle_minutes=60) == "failed"
    [(_, _, ended_at)] = query(server.data_dir, STATUS, "killed")
    assert ended_at.replace(" ", "T") == json.loads(line)["createdAt"].rstrip("Z")


def test_copy_from_another_machine_may_go_on_there(server: LiveServer, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere"
    home = make_run(root, "elsewhere")
    log(home, 0)
    (home / ".life.lock").write_text("another-machine")

    assert bring(server, root, idle_minutes=60) == "running"
