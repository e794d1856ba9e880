"""`make demo`, small: it trains for all to see, stays up, and goes without a trace."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, free_port, server_env, wait_until

pytestmark = pytest.mark.e2e
TRAINED_S = 90  # scikit-learn's import on a busy machine included
END_S = 30


class Demo:
    """The process of examples/demo.py, with a home of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.port = free_port()
        self.log = home / "demo.log"
        own = {"HOME": str(home), "RUNYARD_DEMO_PORT": str(self.port), "RUNYARD_DEBUG": "0"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "examples/demo.py", *options],
                cwd=ROOT,
                env=server_env(home) | own | {"RUNYARD_STATIC_DIR": str(home / "static")},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def says(self, text: str) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return text in self.log.read_text()

    def get(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read()
        finally:
            connection.close()

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(END_S)

    def is_gone(self) -> bool:
        """No process of it is left: the server was told its port, the training its address."""
        marks = (f"--port\0{self.port}\0".encode(), f"http://127.0.0.1:{self.port}\0".encode())
        return not any(mark in line for line in command_lines() for mark in marks)


def command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            yield path.read_bytes()


@contextmanager
def demo(home: Path, *options: str) -> Iterator[Demo]:
    """A demo that does not outlive the test."""
    one = Demo(home, *options)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


def test_demo_trains_stays_up_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    with demo(tmp_path, "--steps", "30", "--runs", "2", "--pause", "0") as one:
        wait_until(lambda: one.says("The training is over"), TRAINED_S, "the training is over")
        names = re.findall(r"digits/(\S+) completed", one.log.read_text())
        charts = json.loads(one.get(f"/api/projects/digits/runs/metrics?runs={','.join(names)}"))
        page = one.get("/").decode()

        assert one.end(signal.SIGINT) == 0
        assert len(names) == 2
        steps = {run: series["steps"] for run, series in charts["metrics"]["train/loss"].items()}
        assert steps == {name: list(range(30)) for name in names}
        assert "/projects/digits" in page
        assert "Traceback" not in one.log.read_text()
        assert one.is_gone()


def test_demo_stopped_in_mid_training_marks_the_run(tmp_path: Path) -> None:
    with demo(tmp_path, "--steps", "10000", "--runs", "1", "--pause", "0.01") as one:
        wait_until(lambda: one.says("aspara: digits/"), TRAINED_S, "the training has begun")

        assert one.end(signal.SIGTERM) == 0
        assert "Traceback" not in one.log.read_text()
        assert one.is_gone()
        with closing(sqlite3.connect(tmp_path / "runyard.sqlite3")) as database:
            assert database.execute("SELECT status FROM tracking_run").fetchall() == [
                ("cancelled",)
            ]
