"""A person looks at a training that writes files and knows of no server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.live import LiveServer, live_server, wait_until

pytestmark = pytest.mark.e2e
PATIENCE_S = 60
LIVE_S = 1.0  # from a row in a file to the live stream, as promised
STEPS = """[...document.querySelector('metric-chart[data-metric="loss"]')?.plot?.data[0] ?? []]"""
JOB = """
import sys, time, aspara
run = aspara.init(project="local", name="job", dir=sys.argv[1], tags=["old"])
for step in range(int(sys.argv[2])):
    run.log({"loss": 1 / (step + 1)})
    time.sleep(0.05)
run.finish()
"""


@contextmanager
def job(root: Path, steps: int) -> Iterator[subprocess.Popen[bytes]]:
    """It is told of no server."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RUNYARD_")}
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, str(root), str(steps)], env=env, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(server: LiveServer, method: str, path: str, body: Any = None, token: str = "") -> Any:
    """None where it is not there (yet)."""
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request(method, path, "" if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        return json.loads(content) if answer.status == 200 else None


def children(pid: int) -> list[int]:
    found: list[str] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread may end meanwhile
            found += (task / "children").read_text().split()
    return sorted({int(one) for one in found})


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def watcher_of(server: LiveServer) -> int:
    return int(wait_until(lambda: children(server.pid), PATIENCE_S, "the watcher runs")[0])


def delays(server: LiveServer, count: int) -> list[float]:
    """Seconds from each row's time to its event."""
    found: list[float] = []
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as connection:
        connection.request("GET", "/api/projects/local/runs/job/stream")
        for line in connection.getresponse():
            if line.startswith(b"data: ") and b'"metrics"' in line:
                written = datetime.fromisoformat(json.loads(line[6:])["timestamp"])
                found.append((datetime.now(UTC) - written).total_seconds())
                if len(found) == count:
                    return found
    return found


def test_rows_are_in_the_live_stream_within_a_second(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with (
        live_server(arguments=["--watch", str(root)]) as server,
        job(root, 2_000),
    ):
        wait_until(lambda: ask(server, "GET", "/api/projects/local/runs/job"), PATIENCE_S, "a run")
        found = sorted(delays(server, 100)[20:])

    assert len(found) == 80
    assert found[len(found) // 2] < LIVE_S


def test_a_page_draws_what_a_job_writes_to_files(browser: Browser, tmp_path: Path) -> None:
    root, steps = tmp_path / "data", 200
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    with live_server(arguments=["--watch", str(root)]) as server, job(root, steps) as training:
        wait_until(lambda: ask(server, "GET", "/api/projects/local/runs/job"), PATIENCE_S, "a run")
        page.goto(f"{server.url}/projects/local")
        wait_until(lambda: len(page.evaluate(STEPS)) >= 2, PATIENCE_S, "a curve is drawn")
        seen = len(page.evaluate(STEPS))
        wait_until(lambda: len(page.evaluate(STEPS)) > seen + 10, PATIENCE_S, "it grows")
        is_training = training.poll() is None
        ask(server, "PUT", "/api/projects/local/runs/job/metadata", {"tags": ["new"]})
        meta = root / "local" / "job.meta.json"
        wait_until(
            lambda: json.loads(meta.read_text())["tags"] == ["new"], PATIENCE_S, "the tag is there"
        )
        wait_until(lambda: len(page.evaluate(STEPS)) == steps, PATIENCE_S, "all is drawn")
        expect(page.locator(".run-row")).to_contain_text(
            "completed", ignore_case=True, timeout=PATIENCE_S * 1000
        )
    page.close()

    assert is_training, "the curve was to be seen growing"
    assert json.loads(meta.read_text())["tags"] == ["new"]


def test_servers_and_watchers_are_killed_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    root, steps = tmp_path / "data", 300
    path = "/api/projects/local/runs/job"
    with live_server(arguments=["--watch", str(root)]) as server, job(root, steps) as training:
        wait_until(lambda: ask(server, "GET", path), PATIENCE_S, "a run")
        for _ in range(2):
            os.kill(first := watcher_of(server), signal.SIGKILL)
            wait_until(
                lambda first=first: watcher_of(server) != first, PATIENCE_S, "another watcher"
            )
        left = watcher_of(server)
        server.restart()
        wait_until(lambda: not is_running(left), PATIENCE_S, "the watcher ends with its server")
        training.wait(PATIENCE_S)
        wait_until(
            lambda: ask(server, "GET", path)["status"] == "completed", PATIENCE_S, "it is completed"
        )
        points = ask(server, "GET", f"{path}/metrics?raw=1")["metrics"]["loss"]
        last = watcher_of(server)
        server.end()

    assert points["steps"] == list(range(steps))
    assert not is_running(last)


def test_where_people_sign_in_the_watcher_has_a_token_that_ends(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with (
        live_server(arguments=["--watch", str(root)], RUNYARD_ACCESS="login") as server,
        job(root, 20) as training,
    ):
        pid = watcher_of(server)
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        token = dict(one.split("=", 1) for one in environment if "=" in one)["RUNYARD_TOKEN"]
        training.wait(PATIENCE_S)
        path = "/api/projects/local/runs/job"
        wait_until(lambda: ask(server, "GET", path, token=token), PATIENCE_S, "the run is there")
        nobody = ask(server, "GET", path)
        server.end()
        server.start()
        later = ask(server, "GET", path, token=token)

    assert (nobody, later) == (None, None)
