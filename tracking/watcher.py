"""What watches directories for the server: a process beside it, which ends with it."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LONG_S = 60.0  # one that ran for so long did not fail at its start
END_S = 5.0

log = logging.getLogger(__name__)

HOW_TO_GET_IT = "--watch needs the package runyard beside the server: install it into this Python."


class Watcher:
    """`python -m runyard watch`, started again when it dies. The server never imports it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command = command
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_ended = threading.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        threading.Thread(target=self._keep, name="watcher", daemon=True).start()

    def end(self) -> None:
        """By its process id. Its input ends too, as it does where the server is killed."""
        self._is_ended.set()
        with self._lock:
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._is_ended.is_set():
            began = time.monotonic()
            code = self._run()
            if self._is_ended.is_set():
                return
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > LONG_S else pause_s
            log.warning("The watcher ended (%s); it starts again in %.0f s.", code, pause_s)
            self._is_ended.wait(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _run(self) -> int | str:
        """Returns when it has ended: its exit code, or why it could not be started."""
        with self._lock:
            if self._is_ended.is_set():
                return 0
            try:
                # A session of its own: Ctrl-C is for the server, which ends it.
                self._process = subprocess.Popen(  # noqa: S603 -- our own command
                    self._command, env=self._env, stdin=subprocess.PIPE, start_new_session=True
                )
            except OSError as error:
                return str(error)
        code = self._process.wait()
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        return code


def is_installed() -> bool:
    return find_spec("runyard") is not None


def make_watcher(paths: Sequence[str], *, url: str, token: str, state_dir: Path) -> Watcher:
    """`token`: "" where nobody has to say who they are."""
    # -P: a `runyard` in the directory one happens to stand in is somebody else's.
    command = [sys.executable, "-P", "-m", "runyard", "watch", *paths, "--url", url]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RUNYARD_", "DJANGO_"))  # the server's secrets are none of its own
    }
    env = {**kept, "RUNYARD_URL": url, **({"RUNYARD_TOKEN": token} if token else {})}
    return Watcher([*command, "--state", str(state_dir), "--until-input-ends"], env)
