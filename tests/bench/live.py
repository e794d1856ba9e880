"""From `log()` to the event in a watcher's hands, beside rows posted one by one over plain HTTP."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection

from tests.bench.http import bench_server
from tests.bench.measure import Figure, percentile

ROWS, PAUSE_S = 300, 0.02
PATIENCE_S = 60


def watch(port: int, run: str, latencies: list[float], is_open: threading.Event) -> None:
    """Milliseconds from each row's time to its arrival here, for ROWS rows."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", f"/api/projects/live/runs/{run}/stream")
    for line in connection.getresponse():
        is_open.set()
        if line.startswith(b"data: ") and b'"metrics"' in line:
            logged = datetime.fromisoformat(json.loads(line[6:])["timestamp"])
            latencies.append((datetime.now(UTC) - logged).total_seconds() * 1e3)
            if len(latencies) == ROWS:
                return


def measure(port: int, run: str, log_rows: Callable[[], None]) -> list[float]:
    latencies: list[float] = []
    is_open = threading.Event()
    watcher = threading.Thread(target=watch, args=[port, run, latencies, is_open])
    watcher.start()
    is_open.wait(PATIENCE_S)
    log_rows()
    watcher.join(PATIENCE_S)
    return latencies


def post(port: int, path: str, body: dict[str, object]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json"}
    connection.request(
        "POST", f"/tracker/api/v1/projects/live/runs{path}", json.dumps(body), headers
    )
    connection.getresponse().read()
    connection.close()


def post_rows(port: int, run: str) -> None:
    for step in range(ROWS):
        moment = datetime.now(UTC).isoformat()
        post(port, f"/{run}/metrics", {"step": step, "timestamp": moment, "metrics": {"loss": 0.5}})
        time.sleep(PAUSE_S)


JOB = """
import sys, time, aspara
run = aspara.init(project="live", name="sdk", tracker_uri=sys.argv[1], dir=sys.argv[2], resume=True)
for step in range(int(sys.argv[3])):
    run.log({"loss": 0.5})
    time.sleep(float(sys.argv[4]))
"""


def log_rows(port: int) -> None:
    with tempfile.TemporaryDirectory(prefix="runyard-live-") as folder:
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-c", JOB, url, folder, str(ROWS), str(PAUSE_S)]
        subprocess.run(command, check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL)


def figures() -> list[Figure]:
    with bench_server() as port:
        for run in ("plain", "sdk"):
            post(port, "", {"name": run})
        plain = measure(port, "plain", lambda: post_rows(port, "plain"))
        ours = measure(port, "sdk", lambda: log_rows(port))
    return [
        Figure("log() to event p95 (goal 300 ms)", percentile(ours, 0.95), "ms", "row by plain HTTP", percentile(plain, 0.95), "", len(ours)),
        Figure("log() to event p50", percentile(ours, 0.5), "ms", "row by plain HTTP", percentile(plain, 0.5), "", len(ours)),
    ]  # fmt: skip
