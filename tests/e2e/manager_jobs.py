"""Trainings with `ai_manager` in processes of their own, and a user they log in as."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.e2e.live import LiveServer

JOB_S = 120  # far above what any of them needs
PRINTED_URL = "http://localhost:8000"


def register(server: LiveServer, username: str = "user", password: str = "pass") -> None:
    answer = requests.post(
        f"{server.url}/auth/register",
        json={"email": f"{username}@example.com", "username": username, "password": password},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def job_settings(folder: Path) -> dict[str, str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("RUNYARD_")}
    home = {"HOME": str(folder), "RUNYARD_DIR": str(folder / "sdk"), "NO_PROXY": "localhost"}
    return {**own, **home, "PYTHONPATH": str(Path(__file__).parents[2] / "sdk")}


@contextmanager
def started_job(script: str, server: LiveServer, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Killed, should the test not see it to its end."""
    with subprocess.Popen(
        [sys.executable, "-c", script.replace(PRINTED_URL, server.url)],
        cwd=folder,
        env=job_settings(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as job:
        try:
            yield job
        finally:
            job.kill()


def run_job(script: str, server: LiveServer, folder: Path) -> tuple[int, str, str]:
    """Exit status, stdout, stderr."""
    with started_job(script, server, folder) as job:
        printed, errors = job.communicate(timeout=JOB_S)
        return job.returncode, printed, errors


def wait_for(job: subprocess.Popen[str], word: str) -> None:
    assert job.stdout
    for line in job.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"The job ended without {word!r}: {job.communicate()[1]}")
