"""Files that are watched: from a row to the event in a watcher's hands, also while much is caught up with.

The rows are those of a job that knows of no server; beside them, the same job with one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.bench import live
from tests.bench.http import bench_server
from tests.bench.measure import Figure, cpu_seconds, percentile

IDLE_RUNS, IDLE_S = 1_000, 20
BIG_ROWS = 1_000_000
PATIENCE_S = 600
JOB = """
import sys, time, aspara
run = aspara.init(project="live", name=sys.argv[2], dir=sys.argv[1])
time.sleep(3)
for step in range(int(sys.argv[3])):
    run.log({"loss": 0.5})
    time.sleep(float(sys.argv[4]))
run.finish()
"""


@contextmanager
def watching(root: Path, port: int, state: str) -> Iterator[int]:
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "runyard", "watch", str(root), "--url", url, "--state", state]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def answer(port: int, path: str) -> tuple[int, object]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    found = connection.getresponse()
    body = found.read()
    connection.close()
    return found.status, json.loads(body)


def wait_for(port: int, path: str, status: str = "") -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        code, body = answer(port, path)
        if code == 200 and (not status or body["status"] == status):  # type: ignore[index]
            return
        time.sleep(0.1)
    raise RuntimeError(f"{path} is not there.")


def log_rows(root: Path, name: str, port: int) -> list[float]:
    """Milliseconds from each row to its event."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("RUNYARD_")}
    command = [sys.executable, "-c", JOB, str(root), name, str(live.ROWS), str(live.PAUSE_S)]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    wait_for(port, f"/api/projects/live/runs/{name}")
    found = live.measure(port, name, lambda: None)
    job.wait(PATIENCE_S)
    return found


def write_big(root: Path) -> float:
    """A finished run of four metrics; its megabytes."""
    folder = root / "big"
    folder.mkdir()
    path = folder / "run.jsonl"
    with path.open("w") as file:
        for n in range(BIG_ROWS):
            values = f'{{"loss": {1 / (n + 1)!r}, "acc": {n / 7!r}, "lr": 0.001, "t": {n}}}'
            file.write(
                f'{{"timestamp": {1_767_225_600_000 + n}, "step": {n}, "metrics": {values}}}\n'
            )
    end = {"run_id": "big", "status": "completed", "is_finished": True, "exit_code": 0}
    (folder / "run.meta.json").write_text(json.dumps(end))
    os.utime(path, (time.time() - 3600,) * 2)
    os.utime(folder / "run.meta.json", (time.time() - 3600,) * 2)
    return path.stat().st_size / 1e6


def write_idle(root: Path) -> None:
    folder = root / "idle"
    folder.mkdir()
    for n in range(IDLE_RUNS):
        row = '{"timestamp": 1767225600000, "step": 0, "metrics": {"loss": 1.0}}\n'
        (folder / f"run-{n}.jsonl").write_text(row)
        end = {"run_id": f"idle-{n}", "status": "completed", "is_finished": True, "exit_code": 0}
        (folder / f"run-{n}.meta.json").write_text(json.dumps(end))


def measure_idle(root: Path, port: int, state: str) -> float:
    """Share of a core while nothing happens."""
    write_idle(root)
    with watching(root, port, state) as pid:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not is_complete(port):
            time.sleep(0.5)
        time.sleep(10)
        before = cpu_seconds(pid)
        time.sleep(IDLE_S)
        return (cpu_seconds(pid) - before) / IDLE_S


def is_complete(port: int) -> bool:
    code, body = answer(port, "/api/projects")
    counts = {one["name"]: one["run_count"] for one in body} if code == 200 else {}  # type: ignore[attr-defined]
    return counts.get("idle") == IDLE_RUNS


def figures() -> list[Figure]:
    with bench_server() as port, tempfile.TemporaryDirectory(prefix="runyard-watch-") as home:
        root, state = Path(home) / "data", f"{home}/state"
        root.mkdir()
        live.post(port, "", {"name": "sdk"})
        beside = live.measure(port, "sdk", lambda: live.log_rows(port))
        with watching(root, port, state):
            alone = log_rows(root, "alone", port)
            size_mb = write_big(root)
            began = time.monotonic()
            wait_for(port, "/api/projects/big/runs/run")
            crowded = log_rows(root, "crowded", port)
            wait_for(port, "/api/projects/big/runs/run", "completed")
            taken_s = time.monotonic() - began
        idle = measure_idle(root, port, state)
    sdk = percentile(beside, 0.95)
    return [
        Figure("row in a file to event p50", percentile(alone, 0.5), "ms", "SDK with a server", percentile(beside, 0.5), "", len(alone)),
        Figure("row in a file to event p95", percentile(alone, 0.95), "ms", "SDK with a server", sdk, "≤ 1000 ms", len(alone)),
        Figure(f"  while {size_mb:.0f} MB are caught up with, p95", percentile(crowded, 0.95), "ms", "SDK with a server", sdk, "≤ 1000 ms", len(crowded)),
        Figure("  and that: points of 4 metrics", BIG_ROWS * 4 / taken_s, "points/s", "rows/s", BIG_ROWS / taken_s, "", BIG_ROWS),
        Figure(f"watching {IDLE_RUNS:,} idle runs", idle * 100, "% of a core", "goal", 3, "≤ 3 %", IDLE_RUNS),
    ]  # fmt: skip
