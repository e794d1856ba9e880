"""A server comes back from a backup that is older than what it had acknowledged, and lacks nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, live_server, server_env
from tests.e2e.test_crash import run_command
from tests.e2e.training import (
    expected_points,
    read_points,
    read_status,
    training,
    wait_for_points,
)

pytestmark = pytest.mark.e2e
COMMAND_S = 120


def manage(data_dir: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=server_env(data_dir),
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_running_job_sends_again_what_the_restored_server_lacks(tmp_path: Path) -> None:
    steps, backup, place = 3_000, tmp_path / "backup", tmp_path / "restored"
    with (
        live_server() as server,
        training(server.url, tmp_path / "job", steps=steps, pause_s=0.01) as job,
    ):
        wait_for_points(server, 200)
        manage(server.data_dir, "backup", str(backup))
        backed_up = len(read_points(server)["train/loss"])
        wait_for_points(server, backed_up + 300)  # acknowledged, and not in the backup
        server.kill()
        manage(place, "restore", str(backup))
        server.data_dir = place
        server.start()
        errors = job.finish()

        assert job.process.returncode == 0, errors
        assert read_points(server) == expected_points(steps)
        assert read_status(server) == "completed"


def test_ended_job_is_sent_again_by_sync(tmp_path: Path) -> None:
    steps, backup, place = 400, tmp_path / "backup", tmp_path / "restored"
    with (
        live_server() as server,
        training(server.url, tmp_path / "job", steps=steps, pause_s=0.02) as job,
    ):
        wait_for_points(server, 50)
        manage(server.data_dir, "backup", str(backup))
        errors = job.finish()
        assert job.process.returncode == 0, errors
        assert read_points(server) == expected_points(steps)
        server.kill()
        manage(place, "restore", str(backup))
        server.data_dir = place
        server.start()
        before = read_points(server)
        synced = run_command(f"runyard sync {tmp_path / 'job'}")

        assert synced.returncode == 0, synced.stderr
        assert "sent again" in synced.stderr
        assert len(before["train/loss"]) < steps
        assert read_points(server) == expected_points(steps)
        assert read_status(server) == "completed"
