"""A service as a process: started, killed, started again on the same port, ended by its id."""

import os
import pwd
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

START_S = 30
STOP_S = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def unprivileged() -> str | None:
    """Whom to run as what refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


class Service:
    """A command that listens on `port`. What it says is in `folder`/log."""

    def __init__(self, folder: Path, command: list[str], port: int, *, user: str | None = None):
        self.folder, self.command, self.port, self.user = folder, command, port, user
        self._process: subprocess.Popen[bytes] | None = None

    def is_ready(self) -> bool:
        return accepts(self.port)

    def start(self) -> None:
        """Raises: AssertionError with the end of its log, if it does not answer in time."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        while not self.is_ready():
            late = time.monotonic() > end or self._process.poll() is not None
            assert not late, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def send(self, number: int) -> None:
        assert self._process
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """As a power cut would: the whole family, without a word."""
        if self._process is None:
            return
        self.send(signal.SIGKILL)
        self._process.wait(STOP_S)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
