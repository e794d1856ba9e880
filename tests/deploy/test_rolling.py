"""Two servers behind nginx are restarted one after the other while jobs log, and nobody notices."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, LiveServer, free_port, wait_until
from tests.e2e.training import PROJECT, RUN, expected_points, read_points, training
from tests.services.__main__ import start
from tests.services.nginx import Nginx, nginx

pytestmark = [pytest.mark.full, pytest.mark.e2e]
SCRIPT = ROOT / "deploy" / "systemd" / "rolling-restart.sh"
STEPS = 1_000_000  # it goes on until it is told to stop
BOUNDARY = "not-in-the-file"
FILE = os.urandom(3 * 1024**2)
# In the place of systemd: it leaves a note with the port, and waits until that is gone.
SYSTEMCTL = """#!/bin/sh
[ "$1" = restart ] || exit 64
note="$NOTES/${2#runyard@}"
: > "$note"
while [ -e "$note" ]; do sleep 0.05; done
"""


class Company:
    """Two servers on the same PostgreSQL, Redis and S3, and nginx before them."""

    def __init__(self, servers: list[LiveServer], proxy: Nginx, folder: Path) -> None:
        self.servers = {server.port: server for server in servers}
        self.proxy = proxy
        self.folder = folder

    def restart_all(self) -> list[str]:
        """By the script of the recipe. Returns what it says."""
        notes, programs = self.folder / "notes", self.folder / "programs"
        for made in (notes, programs):
            made.mkdir(exist_ok=True)
        (programs / "systemctl").write_text(SYSTEMCTL)
        (programs / "systemctl").chmod(0o755)
        env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "NOTES": str(notes)}
        with subprocess.Popen(
            [SCRIPT, *map(str, self.servers)], env=env, stdout=subprocess.PIPE, text=True
        ) as script:
            while script.poll() is None:
                for note in notes.iterdir():
                    self._restart(note)
                threading.Event().wait(0.05)
            assert script.stdout
            said = script.stdout.read().splitlines()
        assert script.returncode == 0
        return said

    def _restart(self, note: Path) -> None:
        server = self.servers[int(note.name)]
        before = server.pid
        server.end()
        note.unlink()  # systemd, too, says so before the server answers
        server.start()
        assert server.pid != before


@contextmanager
def company(folder: Path) -> Iterator[Company]:
    with ExitStack() as stack:
        shared = start(["postgres", "redis", "s3"], stack) | {
            "RUNYARD_DEBUG": "0",
            "RUNYARD_SECRET_KEY": "of both servers",
            "RUNYARD_STATIC_DIR": str(ROOT / "var" / "static"),  # from `make setup`
            "RUNYARD_TRUST_PROXY": "1",
        }
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(LiveServer(free_port(), folder / name, shared))
            stack.callback(servers[-1].end)
            servers[-1].start()
        proxy = stack.enter_context(nginx([server.port for server in servers]))
        yield Company(servers, proxy, folder)


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Caller(threading.Thread):
    """Does something over and over; `failures` says what nobody should have met."""

    def __init__(self, act: Callable[[int], str]) -> None:
        super().__init__(daemon=True)
        self._act, self._over = act, threading.Event()
        self.failures: list[str] = []
        self.count = 0

    def run(self) -> None:
        while not self._over.wait(0.02):
            try:
                failure = self._act(self.count)
            except (OSError, HTTPException) as error:
                failure = repr(error)
            self.failures += [failure] if failure else []
            self.count += 1

    def end(self) -> None:
        self._over.set()
        self.join(60)
        assert not self.is_alive()


def reader(port: int, path: str) -> Callable[[int], str]:
    def read(number: int) -> str:
        status, body = ask(port, "GET", path)
        return "" if status == 200 else f"{path}: {status} {body[:200]!r}"

    return read


def uploader(port: int) -> Callable[[int], str]:
    """A file of a run, by the documented form; tried again as any client of a network would."""

    path = f"/api/v1/projects/{PROJECT}/runs/{RUN}/artifacts"
    said = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    form = 'Content-Disposition: form-data; name="file"; filename="{}.pt"\r\n\r\n'

    def upload(number: int) -> str:
        head, tail = f"--{BOUNDARY}\r\n{form.format(number)}", f"\r\n--{BOUNDARY}--\r\n"
        for _ in range(3):
            status, answer = ask(port, "POST", path, head.encode() + FILE + tail.encode(), **said)
            if status not in {502, 503}:
                break
        return "" if status == 200 else f"{number}: {status} {answer[:200]!r}"

    return upload


class Watcher(Caller):
    """A browser's EventSource: when a stream ends it comes back, and says what it saw last."""

    def __init__(self, port: int) -> None:
        super().__init__(self._watch)
        self.port, self.last_id = port, ""
        self.steps: set[int] = set()

    def _watch(self, number: int) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        said = {"Last-Event-ID": self.last_id} if self.last_id else {}
        try:
            connection.request(
                "GET", f"/api/projects/{PROJECT}/runs/{RUN}/stream?since=0", b"", said
            )
            answer = connection.getresponse()
            if answer.status != 200:
                return f"stream: {answer.status}"
            for line in answer:
                self._note(line.decode().rstrip())
                if self._over.is_set():
                    break
        finally:
            connection.close()
        return ""

    def _note(self, line: str) -> None:
        name, _, rest = line.partition(": ")
        if name == "id":
            self.last_id = rest
        elif name == "data" and "step" in (told := json.loads(rest)):
            self.steps.add(told["step"])


def test_rolling_restart_under_load_fails_nobody(tmp_path: Path) -> None:
    with (
        company(tmp_path) as at,
        training(at.proxy.url, tmp_path / "job", steps=STEPS, pause_s=0.01) as job,
    ):
        port = at.proxy.port
        wait_until(lambda: read_points(at.proxy), 30, "the training has begun")
        page, api = f"/projects/{PROJECT}", f"/api/projects/{PROJECT}/runs/metrics?runs={RUN}"
        callers = [Caller(reader(port, page)), Caller(reader(port, api)), Caller(uploader(port))]
        watcher = Watcher(port)
        for caller in (*callers, watcher):
            caller.start()

        said = at.restart_all()

        job.wait_for_step(job.logged + 100)
        job.process.send_signal(signal.SIGINT)  # its end waits until all it logged has arrived
        job.finish()
        for caller in callers:
            caller.end()
        logged = len(read_points(at.proxy)["train/loss"])
        wait_until(lambda: len(watcher.steps) >= logged, 30, "the watcher has seen all")
        watcher.end()
        ready = [f"runyard@{port} is ready." for port in at.servers]
        assert said == ready
        assert [failure for caller in (*callers, watcher) for failure in caller.failures] == []
        assert min(caller.count for caller in callers) > 5
        assert logged - 1 in {job.logged, job.logged + 1}  # it may have died before it told
        assert read_points(at.proxy) == expected_points(logged)
        assert watcher.steps == set(range(logged))
