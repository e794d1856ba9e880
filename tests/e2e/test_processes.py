"""Several server processes on one PostgreSQL: watchers of one see what another takes in."""

import json
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.e2e.live import LiveServer, live_server, wait_until
from tests.e2e.round_robin import RoundRobin
from tests.e2e.training import METRICS, RUN, expected_points, read_points, training
from tests.e2e.training import PROJECT as TRAININGS
from tests.e2e.watchers import SocketWatcher, StreamWatcher, Watcher, watching
from tests.services.postgres import Postgres, database, postgres
from tests.services.redis import Redis, redis

pytestmark = [pytest.mark.e2e, pytest.mark.full]
PROJECT = "shared"
LATE_S = 2.0  # at most, whatever happens to Redis
CALL_S = 2.0  # as long as a call may take on a busy machine
END_S = 40


@pytest.fixture(scope="module")
def database_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@contextmanager
def two_servers(
    database_server: Postgres, name: str, **settings: str
) -> Iterator[tuple[LiveServer, LiveServer]]:
    """Each with a data directory of its own, as on two machines."""
    secret = "a key that all servers of an installation share, and nobody else"
    with database(database_server, name) as url, ExitStack() as stack:
        shared = {"DATABASE_URL": url, "RUNYARD_SECRET_KEY": secret, **settings}
        started = [stack.enter_context(live_server(**shared)) for _ in range(2)]
        yield started[0], started[1]


class Job:
    """Plain HTTP without a retry: each call has to be answered, and soon. `sent`: when each step began."""

    def __init__(self, url: str, keys: tuple[str, ...] = ("one", "two")) -> None:
        self.url = f"{url}/api/v1/projects/{PROJECT}/runs"
        self.keys, self.session = keys, requests.Session()
        self.sent: list[float] = []
        self.slowest_s = 0.0
        for key in keys:
            self._post("", {"name": key})

    def log_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            step = len(self.sent)
            self.sent.append(time.monotonic())
            for key in self.keys:
                self._post(f"/{key}/metrics", {"metrics": {"loss": 1.0}, "step": step})
            time.sleep(0.05)

    def _post(self, path: str, body: object) -> None:
        began = time.monotonic()
        answer = self.session.post(self.url + path, json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)


def watchers_of(server: LiveServer) -> list[Watcher]:
    """One of each kind. Nothing else has made runs: they are the first two."""
    runs = f"/api/projects/{PROJECT}/runs"
    return [
        StreamWatcher(server.port, f"{runs}/one/stream?since=0"),
        StreamWatcher(server.port, f"{runs}/stream?runs=one,two&since=0"),
        SocketWatcher(server.port, "/ws/1?since=0"),
    ]


def delays(job: Job, watcher: Watcher, steps: range) -> list[float]:
    wait_until(lambda: steps[-1] in watcher.seen, END_S, f"{watcher.path} sees all")
    assert sorted(watcher.seen) == list(range(len(watcher.seen)))
    return [watcher.seen[step] - job.sent[step] for step in steps]


def log_in_phases(
    job: Job, watchers: list[Watcher], phases: dict[str, Callable[[], None]], seconds: float
) -> dict[str, list[float]]:
    """By phase, how much later than the job each watcher knew of each step."""
    found = {}
    for name, begin in phases.items():
        begin()
        first = len(job.sent)
        job.log_for(seconds)
        steps = range(first, len(job.sent))
        found[name] = [late for one in watchers for late in delays(job, one, steps)]
    return found


def tell(found: dict[str, list[float]]) -> None:
    for name, late in found.items():
        cuts = [1000 * cut for cut in statistics.quantiles(late, n=20)]
        print(f"{name}: p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, max {1000 * max(late):.0f} ms")


def flush(server: Redis) -> None:
    import redis as client

    with client.Redis.from_url(server.url) as one:
        one.flushall()


def test_redis_may_die_freeze_and_forget(database_server: Postgres) -> None:
    with (
        redis() as hints,
        two_servers(database_server, "hints", REDIS_URL=hints.url) as (taking, showing),
    ):
        job, watchers = Job(taking.url), watchers_of(showing)
        with watching(*watchers):
            found = log_in_phases(
                job,
                watchers,
                {
                    "with Redis": lambda: None,
                    "flushed": lambda: flush(hints),
                    "frozen": lambda: hints.send(signal.SIGSTOP),
                    "thawed": lambda: hints.send(signal.SIGCONT),
                    "killed": hints.kill,
                    "back": hints.start,
                },
                3.0,
            )

    tell(found)
    assert job.slowest_s < CALL_S
    assert max(late for each in found.values() for late in each) < LATE_S
    assert statistics.median(found["with Redis"]) < 0.5
    for server in (taking, showing):
        log = server.log.read_text() if server.log.exists() else ""
        assert "Traceback" not in log


def test_without_redis_each_looks_once_a_second(database_server: Postgres) -> None:
    with two_servers(database_server, "looks") as (taking, showing):
        job, watchers = Job(taking.url), watchers_of(showing)
        with watching(*watchers):
            found = log_in_phases(job, watchers, {"without Redis": lambda: None}, 5.0)

    tell(found)
    assert max(found["without Redis"]) < LATE_S


class Plain:
    """A job without our package, that tries again as `requests` can be told to."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1/projects/{PROJECT}/runs"
        self.session = requests.Session()
        retry = Retry(
            total=8, backoff_factor=0.1, status_forcelist=[502, 503], allowed_methods=None
        )
        self.session.mount("http://", HTTPAdapter(max_retries=retry))
        self.is_over = threading.Event()
        self.failures: list[str] = []
        self.count = 0
        self._post("", {"name": "plain"})
        self._thread = threading.Thread(target=self._log, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.is_over.set()
        self._thread.join(END_S)
        self.session.close()

    def _log(self) -> None:
        for step in count():
            if self.is_over.is_set():
                return
            self._post("/plain/metrics", {"metrics": {"loss": 1.0}, "step": step})
            self.count = step + 1
            time.sleep(0.02)

    def _post(self, path: str, body: object) -> None:
        try:
            answer = self.session.post(self.url + path, json=body, timeout=20)
        except requests.RequestException as error:
            self.failures.append(repr(error))
        else:
            if answer.status_code != 200:
                self.failures.append(answer.text)


def restart_in_order(server: LiveServer) -> None:
    """It has to end by itself, in time, and with no error."""
    assert server.process
    server.process.terminate()
    assert server.process.wait(15) == 0
    server.process = None
    server.start()


def test_servers_are_restarted_one_after_the_other(
    database_server: Postgres, tmp_path: Path
) -> None:
    """Under load, behind a proxy that knows nothing: nobody notices."""
    with (
        redis() as hints,
        two_servers(database_server, "rolling", REDIS_URL=hints.url) as servers,
        RoundRobin([server.port for server in servers]) as proxy,
        training(proxy.url, tmp_path, steps=3_000, pause_s=0.01) as job,
    ):
        plain = Plain(proxy.url)
        job.wait_for_step(10)
        stream = f"/api/projects/{TRAININGS}/runs/{RUN}/stream?since=0"
        watchers = [
            StreamWatcher(proxy.port, stream, metric=METRICS[0]),
            StreamWatcher(proxy.port, f"/api/projects/{PROJECT}/runs/plain/stream?since=0"),
        ]
        with watching(*watchers):
            plain.start()
            for server in servers:
                restart_in_order(server)
            plain.end()
            errors = job.finish()

            assert (job.process.returncode, plain.failures) == (0, []), errors
            assert read_points(servers[0]) == expected_points(3_000)
            path = f"/api/projects/{PROJECT}/runs/metrics?runs=plain&raw=1"
            answer = requests.get(servers[1].url + path, timeout=30)
            points = json.loads(answer.content)["metrics"]["loss"]["plain"]["steps"]
            assert points == list(range(plain.count))
            assert plain.count > 100
            for one, steps in zip(watchers, (3_000, plain.count), strict=True):
                wait_until(lambda one=one, n=steps: len(one.seen) == n, END_S, "all were seen")
