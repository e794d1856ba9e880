"""What the SDK costs a job: `log()` beside a buffered JSON line and the original, and its import."""

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.bench.http import bench_server
from tests.bench.job import CALLS
from tests.bench.measure import Figure, best_of, percentile

BACKENDS = ("jsonl", "polars")
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


def job_times(*arguments: str, python: str = sys.executable) -> list[float]:
    """Microseconds of each call."""
    with tempfile.TemporaryDirectory(prefix="runyard-job-") as folder:
        kind, *others = arguments
        command = [python, "-m", "tests.bench.job", kind, folder, *others]
        job = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            env=local_environment(),
        )
    line = next(line for line in job.stdout.splitlines() if line.startswith("times "))
    return [nanoseconds / 1e3 for nanoseconds in json.loads(line.removeprefix("times "))]


def local_environment() -> dict[str, str]:
    """Nothing in it sends the job elsewhere."""
    ours = ("RUNYARD_", "ASPARA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def file_figures() -> list[Figure]:
    """Runs in files, beside the original where it can be installed."""
    with tempfile.TemporaryDirectory(prefix="runyard-original-") as home:
        original = install_original(Path(home))
        return [figure for backend in BACKENDS for figure in compare_files(backend, original)]


def compare_files(backend: str, original: str | None) -> list[Figure]:
    ours = job_times("files", backend)
    theirs = job_times("files", backend, python=original) if original else []
    rival = "original, 0.1.0" if theirs else "original not installed"
    return [
        Figure(
            f"log() p{share:.0%}, files, {backend}".replace("%", ""),
            percentile(ours, share),
            "µs",
            rival,
            percentile(theirs, share) if theirs else 0.0,
            "≤ 0.1",
            CALLS,
        )
        for share in (0.5, 0.99)
    ]


def install_original(home: Path) -> str | None:
    """Its interpreter; None without a way to packages."""
    python = str(home / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "aspara==0.1.0", "pydantic", "watchfiles"]
    try:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run(pip, check=True, capture_output=True, timeout=600)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return python


def import_seconds(code: str) -> float:
    """With compiled modules in the cache, as after a job's first import."""
    with tempfile.TemporaryDirectory(prefix="runyard-cache-") as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-c", code]
        run = partial(subprocess.run, command, check=True, env=environment)
        run()
        return best_of(10, run)


def figures() -> list[Figure]:
    line, down = job_times("line"), job_times("log", NOBODY)
    here, away = job_times("dash"), job_times("dash", NOBODY)
    with bench_server() as port:
        url = f"http://127.0.0.1:{port}"
        up, there = job_times("log", url), job_times("dash", url)
    bare, ours, dash = map(import_seconds, ("pass", "import aspara", "import ml_dash"))
    rival, p50, p99 = "buffered JSON line", 0.5, 0.99
    return [
        Figure("log() p50, server down", percentile(down, p50), "µs", rival, percentile(line, p50), "≤ 2", CALLS),
        Figure("log() p99, server down (goal 50 µs)", percentile(down, p99), "µs", rival, percentile(line, p99), "", CALLS),
        Figure("log() p50, server up", percentile(up, p50), "µs", rival, percentile(line, p50), "≤ 2", CALLS),
        Figure("log() p99, server up (goal 1 ms)", percentile(up, p99), "µs", rival, percentile(line, p99), "", CALLS),
        Figure("ml_dash metrics().log() p50, local", percentile(here, p50), "µs", rival, percentile(line, p50), "", CALLS),
        Figure("ml_dash metrics().log() p99, local", percentile(here, p99), "µs", rival, percentile(line, p99), "", CALLS),
        Figure("ml_dash metrics().log() p50, remote, server up", percentile(there, p50), "µs", rival, percentile(line, p50), "≤ 2", CALLS),
        Figure("ml_dash metrics().log() p99, remote, server up", percentile(there, p99), "µs", rival, percentile(line, p99), "", CALLS),
        Figure("ml_dash metrics().log() p50, remote, server down", percentile(away, p50), "µs", rival, percentile(line, p50), "", CALLS),
        Figure("import aspara over bare Python (goal 60 ms)", (ours - bare) * 1e3, "ms", "bare Python", bare * 1e3, "", 10),
        Figure("import ml_dash over bare Python (goal 60 ms)", (dash - bare) * 1e3, "ms", "bare Python", bare * 1e3, "", 10),
    ]  # fmt: skip
