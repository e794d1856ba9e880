"""What every test here needs: a server to kill, a folder, a seeded random, jobs and commands."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from tests.e2e.live import ROOT, LiveServer, live_server, server_env, wait_until

LIMIT_S = 120  # for anything that ends by itself
SYNC_TRIES = 5
FAREWELL_S = 5  # for children to notice that their parent has ended
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    server: LiveServer  # there is none yet in the tests of services: `serving` starts theirs
    folder: Path
    random: Random
    is_long: bool

    def choose(self, short: T, long: T) -> T:
        return long if self.is_long else short

    def pause(self, least_s: float, most_s: float) -> None:
        time.sleep(self.random.uniform(least_s, most_s))

    @contextmanager
    def serving(self, data_dir: Path | None = None, **settings: str) -> Iterator["Stage"]:
        """The same with a server of its own, as it is run: without the pages for developers."""
        with live_server(data_dir=data_dir, RUNYARD_DEBUG="0", **settings) as server:
            yield replace(self, server=server)

    @contextmanager
    def serving_twice(self, **settings: str) -> Iterator[tuple["Stage", LiveServer]]:
        """Two servers of one installation, each with a data directory of its own."""
        shared = {"RUNYARD_SECRET_KEY": "known to all servers of an installation"} | settings
        with self.serving(**shared) as one, live_server(RUNYARD_DEBUG="0", **shared) as other:
            yield one, other

    @property
    def store(self) -> Path | str:
        """Where the server keeps points: its data directory, or the URL of its database."""
        return self.server.settings.get("DATABASE_URL") or self.server.data_dir

    def store_faults(self) -> int:
        """What `manage.py checkstore` finds."""
        command = ["manage.py", "checkstore", "--data-dir", str(self.server.data_dir)]
        said = run_python(*command, data_dir=self.server.data_dir, **self.server.settings)
        assert said.stdout.strip(), said.stderr
        return int(said.stdout.splitlines()[-1].split()[0])


class Job:
    """A process of tests.chaos.job, which is killed if it does not end in time."""

    def __init__(
        self, scenario: str, url: str, root: Path, *arguments: object, limit_s: float = LIMIT_S,
        **env: str,
    ) -> None:  # fmt: skip
        root.mkdir(parents=True, exist_ok=True)
        self.progress = root / f"{scenario}.progress"
        self.progress.write_bytes(b"")
        self.log = root / f"{scenario}.log"
        words = [scenario, url, str(self.progress), *map(str, arguments)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.job", *words],
                cwd=ROOT,
                env=server_env(root) | {"RUNYARD_DIR": str(root)} | env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # so that its children can be ended with it
            )
        self.is_hung = False
        self._watchdog = threading.Timer(limit_s, self._give_up)
        self._watchdog.daemon = True
        self._watchdog.start()

    def _give_up(self) -> None:
        self.is_hung = True
        self._kill_family()

    def _kill_family(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _has_family(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def told(self) -> int:
        """The last step whose `log()` has returned; -1 before the first."""
        return int.from_bytes(self.progress.read_bytes() or b"\xff", "little", signed=True)

    def wait_for_step(self, step: int) -> None:
        wait_until(lambda: self.told >= step or self.is_over, LIMIT_S, f"step {step} is logged")
        assert self.told >= step, self.log.read_text()

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def wait_for_word(self, word: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip() == word.encode():
                return
        raise AssertionError(f"The job ended without saying {word}:\n{self.log.read_text()}")

    def go_on(self) -> None:
        """Let it return from `listen()`."""
        assert self.process.stdin
        self.process.stdin.write(b"\n")

    def kill(self) -> None:
        """kill -9, it and its children."""
        self._kill_family()
        self.end()

    def end(self) -> int:
        """Wait for its end. Returns its exit code; children that outlive it count as hung."""
        self.process.wait()
        self._watchdog.cancel()
        end = time.monotonic() + FAREWELL_S
        while self._has_family() and time.monotonic() < end:
            time.sleep(0.01)
        if self._has_family():
            self._give_up()
        return self.process.returncode


@contextmanager
def job(scenario: str, url: str, root: Path, *arguments: object, **more: Any) -> Iterator[Job]:
    """A job that does not outlive the test."""
    one = Job(scenario, url, root, *arguments, **more)
    with one.process:  # closes its pipes
        try:
            yield one
        finally:
            one.kill()


def sync(root: Path) -> int:
    """`runyard sync`, until nothing is left. Returns the number of spools that are left all the same."""
    for _ in range(SYNC_TRIES):
        if run_python("-m", "runyard", "sync", str(root), data_dir=root).returncode == 0:
            break
    return len(list((root / "spool").glob("*"))) + len(list((root / "dead-letter").glob("*")))


def run_python(*arguments: str, data_dir: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=server_env(data_dir) | env,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
