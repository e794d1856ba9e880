"""A training as a process of its own, and what a server says of it afterwards.

As a program it trains: `python -m tests.e2e.training URL STEPS PAUSE`. After each `log()` it says on
its standard output which step has been logged; what is in a pipe survives the death of its writer.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aspara

from tests.e2e.live import ROOT, LiveServer, server_env, wait_until

PROJECT, RUN = "crashes", "steady"
METRICS = ("train/loss", "train/accuracy", "val/loss", "optim/lr")
END_S = 60


def value(metric: str, step: int) -> float:
    """What the metric is at a step: no two points are alike."""
    return METRICS.index(metric) + step / 7


class Training:
    """The process, seen from outside. `root` is where its records wait."""

    def __init__(self, url: str, root: Path, *, steps: int, pause_s: float, **env: str) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.training", url, str(steps), str(pause_s)],
            cwd=ROOT,
            env=server_env(root) | {"RUNYARD_DIR": str(root)} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what is read ahead would be lost to communicate()
        )
        self.logged = -1  # the last step that it has told of

    def wait_for_step(self, step: int) -> None:
        """Until it has logged this step."""
        assert self.process.stdout
        while self.logged < step:
            line = self.process.stdout.readline()
            assert line, f"The training ended after step {self.logged}: {self.finish()}"
            self._note(line)

    def kill(self) -> None:
        """kill -9, if it runs. Afterwards `logged` is the last step of which it has told."""
        self.process.kill()
        self.finish()

    def finish(self) -> str:
        """Wait for its end. Returns what it said on stderr."""
        out, err = self.process.communicate(timeout=END_S)
        for line in out.splitlines():
            self._note(line)
        return err.decode()

    def _note(self, line: bytes) -> None:
        if line.startswith(b"logged "):
            self.logged = int(line.split()[1])


@contextmanager
def training(
    url: str, root: Path, *, steps: int, pause_s: float = 0.0, **env: str
) -> Iterator[Training]:
    """A training that does not outlive the test."""
    job = Training(url, root, steps=steps, pause_s=pause_s, **env)
    try:
        yield job
    finally:
        job.kill()


def get(server: LiveServer, path: str) -> Any:
    """The JSON there is; None where there is nothing yet."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in {200, 404}, body
        return json.loads(body) if answer.status == 200 else None
    finally:
        connection.close()


def read_points(server: LiveServer) -> dict[str, list[tuple[int, float]]]:
    """Every point of every metric as it arrived, repeats and all."""
    answer = get(server, f"/api/projects/{PROJECT}/runs/metrics?runs={RUN}&raw=1")
    return {
        metric: list(zip(runs[RUN]["steps"], runs[RUN]["values"], strict=True))
        for metric, runs in (answer["metrics"].items() if answer else ())
    }


def expected_points(steps: int) -> dict[str, list[tuple[int, float]]]:
    return {name: [(step, value(name, step)) for step in range(steps)] for name in METRICS}


def read_status(server: LiveServer) -> str:
    """The first thing a stream says."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", f"/api/projects/{PROJECT}/runs/{RUN}/stream")
        for line in connection.getresponse():
            if line.startswith(b"data:"):
                return str(json.loads(line.removeprefix(b"data:"))["status"])
        raise AssertionError("The stream ended without a word.")
    finally:
        connection.close()


def wait_for_points(server: LiveServer, count: int, timeout_s: float = END_S) -> None:
    """Until the server has so many points of the first metric."""
    wait_until(
        lambda: len(read_points(server).get(METRICS[0], ())) >= count,
        timeout_s,
        f"{count} points have arrived",
    )


def main(url: str, steps: int, pause_s: float) -> None:
    with aspara.init(project=PROJECT, name=RUN, config={"steps": steps}, tracker_uri=url) as run:
        for step in range(steps):
            run.log({name: value(name, step) for name in METRICS})
            os.write(1, f"logged {step}\n".encode())
            time.sleep(pause_s)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
