"""Sixty-four writers on one run: none of them hears of a lock."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.chaos.findings import Finding
from tests.chaos.ingest import Sender, count_acknowledged, end
from tests.chaos.points import Tally
from tests.chaos.stage import LIMIT_S, Stage
from tests.e2e.live import wait_until
from tests.services.postgres import database, postgres

WRITERS = 64


def run(stage: Stage) -> Finding:
    faults: Counter[str] = Counter()
    count, said = 0, []
    for name, serve in (("SQLite", _one_server), ("PostgreSQL, two servers", _two_servers)):
        with serve(stage) as (here, ports):
            senders, tally, found = _write_together(here, ports)
            faults.update(found)
            count += tally.count
            said.append(f"{name}: {tally.count:,} points")
            said += [one.error for one in senders if one.error][:3]
    test = f"{WRITERS} writers on one run, on SQLite and on PostgreSQL by two servers"
    return Finding(test, dict(faults), count, "acknowledged points", "; ".join(said))


def _write_together(stage: Stage, ports: list[int]) -> tuple[list[Sender], Tally, dict[str, int]]:
    """Each sends as fast as it is answered, until it has been so often."""
    rows, uid = 100 * stage.choose(4, 40), str(uuid4())
    senders = [
        Sender(number, ports[number % len(ports)], 0, run_uid=uid) for number in range(WRITERS)
    ]
    for sender in senders:
        sender.start()
    wait_until(
        lambda: all(one.acked_rows >= rows or one.error for one in senders),
        LIMIT_S * 10,
        "all have written",
    )
    end(senders)
    tally, faults = count_acknowledged(stage, senders)
    return senders, tally, {**faults, "refused": sum(one.refused for one in senders)}


@contextmanager
def _one_server(stage: Stage) -> Iterator[tuple[Stage, list[int]]]:
    with stage.serving() as one:
        yield one, [one.server.port]


@contextmanager
def _two_servers(stage: Stage) -> Iterator[tuple[Stage, list[int]]]:
    with (
        postgres() as base,
        database(base, "chaos") as url,
        stage.serving_twice(DATABASE_URL=url) as (one, other),
    ):
        yield one, [one.server.port, other.port]
