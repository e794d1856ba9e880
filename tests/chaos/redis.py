"""kill -9 and FLUSHALL of Redis under load, with watchers of what is logged."""

import time
from contextlib import ExitStack

from redis import Redis as Client

from tests.chaos.findings import Finding
from tests.chaos.ingest import PROJECT, SENDERS, Sender, count_acknowledged, end, wait_for_batch
from tests.chaos.points import query
from tests.chaos.stage import LIMIT_S, Stage
from tests.chaos.visitors import tell, visiting
from tests.e2e.live import LiveServer, wait_until
from tests.e2e.watchers import SocketWatcher, StreamWatcher, Watcher, watching
from tests.services.postgres import database, postgres
from tests.services.redis import Redis, redis

RUN = "SELECT id FROM tracking_run WHERE key = ?"
PAUSE_S = 1.0  # of each sender between batches: the watchers are Python too
STREAM = f"/api/projects/{PROJECT}/runs/sender-0/stream?since=0"
ALL = f"/api/projects/{PROJECT}/runs/stream?runs=sender-0,sender-1&since=0"


def run(stage: Stage) -> Finding:
    rounds = stage.choose(3, 20)
    with ExitStack() as stack:
        hints, base = stack.enter_context(redis()), stack.enter_context(postgres())
        url = stack.enter_context(database(base, "chaos"))
        stage, other = stack.enter_context(
            stage.serving_twice(DATABASE_URL=url, REDIS_URL=hints.url)
        )
        senders = [
            Sender(number, one.port, PAUSE_S)
            for number, one in zip(range(SENDERS), [stage.server, other] * SENDERS, strict=False)
        ]
        for sender in senders:
            sender.start()
        wait_until(lambda: all(one.acked_rows for one in senders), LIMIT_S, "all have begun")
        [(run_id,)] = query(stage.store, RUN, "sender-0")
        watchers = _watchers(stage.server, run_id) + _watchers(other, run_id)
        stack.enter_context(watching(*watchers))
        with visiting(other.port, PROJECT, "sender-0") as visitors:
            for _ in range(rounds):
                stage.pause(0.3, 1)
                _flush(hints)
                stage.pause(0.3, 1)
                wait_for_batch(senders)
                hints.kill()
                stage.pause(0.1, 2)
                hints.start()
        end(senders)
        late_s = _wait_for_watchers(watchers, senders[0].acked_rows)
        wrong_answers, said = tell(visitors)
        found = {"missed by watchers": _count_missed(watchers, senders[0].acked_rows)}
        found["wrong answers"] = wrong_answers
        words = [f"{rounds} kills, {rounds} times emptied; the last watcher had all"]
        words += [f"{senders[0].acked_rows:,} steps {late_s:.1f} s after the last batch; {said}"]
        return _count(stage, senders, found, " ".join(words))


def _watchers(server: LiveServer, run_id: int) -> list[Watcher]:
    return [StreamWatcher(server.port, path, metric="m0") for path in (STREAM, ALL)] + [
        SocketWatcher(server.port, f"/ws/{run_id}?since=0", metric="m0")
    ]


def _flush(server: Redis) -> None:
    with Client.from_url(server.url) as client:
        client.flushall()


def _wait_for_watchers(watchers: list[Watcher], rows: int) -> float:
    """Seconds until they have seen all of the run, or the limit."""
    began = time.monotonic()
    while any(len(one.seen) < rows for one in watchers) and time.monotonic() < began + LIMIT_S:
        time.sleep(0.05)
    return time.monotonic() - began


def _count_missed(watchers: list[Watcher], rows: int) -> int:
    return sum(len(set(range(rows)) - one.seen.keys()) for one in watchers)


def _count(stage: Stage, senders: list[Sender], found: dict[str, int], detail: str) -> Finding:
    tally, faults = count_acknowledged(stage, senders)
    return Finding(
        "acknowledged points over kill -9 and FLUSHALL of Redis, two servers, six watchers",
        faults | found,
        tally.count,
        "acknowledged points",
        "; ".join([detail, *(one.error for one in senders if one.error)]),
    )
