"""A server of its own for a test: a real process on a real port, which may be killed and come back."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S = 60  # a busy machine, migrations included
END_S = 15
# Below the ports that the system gives to clients: one that knocks at the port of a server that is
# down could otherwise be given that very port, and be connected to itself.
PORTS = range(20_000, 32_000)


class LiveServer:
    """`manage.py serve` on loopback. Ended by its process id, and only ever by that."""

    def __init__(
        self, port: int, data_dir: Path, settings: Mapping[str, str], arguments: Sequence[str] = ()
    ) -> None:
        self.arguments = arguments
        self.port = port
        self.data_dir = data_dir
        self.settings = settings
        self.url = f"http://127.0.0.1:{port}"
        self.log = data_dir / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process, "the server is not running"
        return self.process.pid

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), *self.arguments],
                cwd=ROOT,
                env={**server_env(self.data_dir), **self.settings},
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_up, START_S, "the server answers")

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        assert self.process, "the server is not running"
        self.process.kill()
        self.process.wait(END_S)
        self.process = None

    def restart(self) -> None:
        """On the same port, with the same data."""
        if self.process:
            self.kill()
        self.start()

    def end(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def _is_up(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise AssertionError(f"The server ended at once:\n{self.log.read_text()[-2000:]}")
        return answers(self.port)


@contextlib.contextmanager
def live_server(
    port: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
    **settings: str,
) -> Iterator[LiveServer]:
    """A running server; without a `data_dir` its data goes when it ends.

    `settings`: of its environment, in the names that the server reads.
    """
    with contextlib.ExitStack() as stack:
        home = data_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="runyard-live-"))
        server = LiveServer(port or free_port(), Path(home), settings, arguments)
        stack.callback(server.end)
        server.start()
        yield server


def server_env(data_dir: Path) -> dict[str, str]:
    """The environment of the tests, without their own settings: servers stand on SQLite."""
    ours = ("RUNYARD_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "RUNYARD_DATA_DIR": str(data_dir), "RUNYARD_DEBUG": "1"}


def free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("No free port was found.")


def answers(port: int, path: str = "/health") -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """The first true answer of `condition`; fails when there is none in time."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, f"Waited {timeout_s} s in vain until {what}."
        time.sleep(0.05)
    return found
