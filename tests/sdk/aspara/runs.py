"""Starts runs below the data directory, here or in jobs of their own."""

import tempfile
from pathlib import Path
from typing import Any

import aspara
from runyard.aspara_store.reading import About, read_run

from tests.sdk.jobs import Job

LOG_TEN = """
    run = aspara.init(project="p", name="r")
    for step in range(10):
        aspara.log({"loss": step})
"""
TEN = [(step, "loss", float(step)) for step in range(10)]


def start(backend: str, **arguments: Any) -> aspara.Run:
    """The run `p/r`."""
    return aspara.init(**{"project": "p", "name": "r", "storage_backend": backend, **arguments})


def job(script: str, data: Path, **variables: str) -> Job:
    variables = {"ASPARA_DATA_DIR": str(data), "RUNYARD_ENVIRONMENT": "0", **variables}
    own = Path(tempfile.mkdtemp(dir=data.parent))  # several at a time must not share their script
    return Job(script, own / "spool", "", **variables)


def run_to_its_end(script: str, data: Path, backend: str = "jsonl", **variables: str) -> None:
    code, errors = job(script, data, ASPARA_STORAGE_BACKEND=backend, **variables).end()
    assert code == 0, errors


def about(data: Path) -> About:
    return read_run(data, "p", "r").about
