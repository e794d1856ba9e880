"""Files of runs, as anybody may have written them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.reading import read_run

from tests.sdk.jobs import SDK

DAY_US = 86_400_000_000
NOON_US = 1_700_049_600_000_000  # 2023-11-15, 12:00 UTC


def make_run(
    root: Path, lines: bytes | str = "", *, name: str = "r", wal: bool = False
) -> RunPaths:
    """A run of the project `p` with these lines."""
    paths = RunPaths(root, "p", name)
    paths.folder.mkdir(parents=True, exist_ok=True)
    paths.rows.touch()
    data = lines if isinstance(lines, bytes) else lines.encode()
    (paths.wal if wal else paths.rows).write_bytes(data)
    return paths


def original_line(step: object, metrics: dict[str, Any], time_ms: object = NOON_US // 1000) -> str:
    return json.dumps({"timestamp": time_ms, "step": step, "metrics": metrics}) + "\n"


def points_of(root: Path, project: str, name: str) -> list[tuple[int | None, str, float]]:
    """All points of a run as (step, metric, value); in both backends they look alike."""
    run = read_run(root, project, name)
    found = [
        (row.step, metric, value)
        for _, row in run.records()
        for metric, value in row.values.items()
    ]
    assert run.problems == []
    return found


def read_meta(root: Path, project: str, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(RunPaths(root, project, name).meta.read_text())
    return document


def run_script(script: str, root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A job in a process of its own that logs into files below `root`."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SDK),
        "ASPARA_DATA_DIR": str(root),
        "RUNYARD_ENVIRONMENT": "0",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
