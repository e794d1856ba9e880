"""Servers and trainings die in the middle of it, and every point is there exactly once."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import free_port, live_server
from tests.e2e.training import (
    expected_points,
    read_points,
    read_status,
    training,
    wait_for_points,
)

pytestmark = pytest.mark.e2e
SYNC_S = 60


def run_command(command: str) -> subprocess.CompletedProcess[str]:
    """A command as a person would type it, with the environment's programs at hand."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        shlex.split(command),
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=SYNC_S,
        check=False,
    )


def test_server_killed_three_times_in_mid_training_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    steps = 2_000
    with (
        live_server() as server,
        training(server.url, tmp_path, steps=steps, pause_s=0.004) as job,
    ):
        for lap in (1, 2, 3):
            wait_for_points(server, lap * 350)
            server.kill()
            job.wait_for_step(job.logged + 100)  # it trains on while nobody listens
            server.restart()
        errors = job.finish()

        assert job.process.returncode == 0, errors
        assert read_points(server) == expected_points(steps)
        assert read_status(server) == "completed"


def test_killed_training_is_brought_home_by_sync(tmp_path: Path) -> None:
    with (
        live_server() as server,
        training(server.url, tmp_path, steps=100_000, pause_s=0.002) as job,
    ):
        wait_for_points(server, 200)
        server.kill()
        job.wait_for_step(job.logged + 300)
        job.kill()
        server.restart()
        before = read_points(server)
        synced = run_command(f"runyard sync {tmp_path}")

        assert synced.returncode == 0, synced.stderr
        points = read_points(server)
        count = len(points["train/loss"])
        # The step it was killed in may have been logged, and not told of.
        assert count - 1 in (job.logged, job.logged + 1)
        assert points == expected_points(count)
        assert len(before["train/loss"]) < count
        assert read_status(server) == "wip"  # nothing has said that the run has ended


def test_training_without_a_server_ends_in_time_and_is_brought_home_by_sync(
    tmp_path: Path,
) -> None:
    steps, port = 500, free_port()
    url = f"http://127.0.0.1:{port}"
    patience = {"RUNYARD_INIT_TIMEOUT": "1", "RUNYARD_EXIT_DEADLINE": "1"}
    with training(url, tmp_path, steps=steps, **patience) as job:
        warnings = job.finish()

    assert job.process.returncode == 0, warnings
    assert job.logged == steps - 1
    command = re.search(r"runyard sync \S+", warnings)
    assert command, warnings
    with live_server(port) as server:
        synced = run_command(command[0])

        assert synced.returncode == 0, synced.stderr
        assert read_points(server) == expected_points(steps)
        assert read_status(server) == "completed"
