"""A process on PostgreSQL, for tests.bench.postgres: `python -m tests.bench.on_postgres WAY …`."""

import sys
import time

import django


def ingest(senders: str, batches_each: str) -> None:
    """Says `ready`, waits for a line, sends; says how many points were sent."""
    from tests.bench.ingest import POINTS, prepare, send

    work = prepare(int(senders), int(batches_each))
    print("ready", flush=True)
    sys.stdin.readline()
    send(work)
    print(int(senders) * int(batches_each) * POINTS, flush=True)


def read(runs: str, points: str) -> None:
    """Says how many seconds reading the series of all runs took."""
    from tests.bench.postgres import read_all

    print(read_all(int(runs), int(points)), flush=True)


def migrate() -> None:
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    print(time.perf_counter() - began)


WAYS = {way.__name__: way for way in (ingest, read, migrate)}

if __name__ == "__main__":
    django.setup()
    _, name, *words = sys.argv
    WAYS[name](*words)
