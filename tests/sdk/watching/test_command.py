"""`runyard watch` as people and services start and stop it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import LiveServer
from tests.sdk.jobs import SDK


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_ends_quietly(
    server: LiveServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "runyard", "watch", str(tmp_path), "--url", server.url]
    environment = {**os.environ, "PYTHONPATH": str(SDK), "RUNYARD_DIR": str(tmp_path / "state")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as watcher:
        assert watcher.stdout
        said = watcher.stdout.readline()
        watcher.send_signal(number)
        _, errors = watcher.communicate(timeout=30)

    assert (watcher.returncode, errors) == (code, "")
    assert said == f"runyard watch: {tmp_path} → {server.url}\n"
