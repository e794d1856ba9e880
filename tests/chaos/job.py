"""The jobs that get into trouble: `python -m tests.chaos.job SCENARIO URL PROGRESS …`.

A job logs `value(metric, step)` for steps from 0 on. What it writes to the file PROGRESS survives
its death: the last step whose `log()` has returned.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import aspara

from tests.chaos.values import value


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def listen() -> None:
    sys.stdin.readline()


def start(url: str, project: str, name: str, *, resume: bool = False) -> aspara.Run:
    return aspara.init(project=project, name=name, tracker_uri=url, resume=resume)


def log(run: aspara.Run, metric: int, steps: range) -> None:
    for step in steps:
        run.log({f"m{metric}": value(metric, step)}, step=step)


# ── Killed at any moment ─────────────────────────────────────────────────────

LIFE_METRICS = 8


def life(url: str, progress: str, project: str, number: str) -> None:
    """One of many that log to the same run, each to metrics of its own, until it is killed."""
    run = start(url, project, "many-lives", resume=True)
    told = os.open(progress, os.O_WRONLY)
    metrics = range(int(number) * LIFE_METRICS, (int(number) + 1) * LIFE_METRICS)
    for step in range(1_000_000):
        run.log({f"m{metric}": value(metric, step) for metric in metrics}, step=step)
        os.pwrite(told, step.to_bytes(8, "little", signed=True), 0)
        time.sleep(0.0003)


# ── In front of a silent server ──────────────────────────────────────────────


def stages(url: str, progress: str, project: str, name: str) -> None:
    run = start(url, project, name)
    log(run, 0, range(100))
    say("middle")
    listen()
    log(run, 0, range(100, 200))
    run.flush(timeout=1)
    say("finish")
    listen()
    log(run, 0, range(200, 300))
    run.finish()


# ── Ways to end ──────────────────────────────────────────────────────────────


def returns(url: str, progress: str, project: str, name: str) -> None:
    log(start(url, project, name), 0, range(100))


def raises(url: str, progress: str, project: str, name: str) -> None:
    log(start(url, project, name), 0, range(100))
    raise ValueError("diverged")


def leaves(url: str, progress: str, project: str, name: str) -> None:
    log(start(url, project, name), 0, range(100))
    os._exit(3)


def waits(url: str, progress: str, project: str, name: str) -> None:
    """For a signal."""
    log(start(url, project, name), 0, range(100))
    say("logged")
    time.sleep(60)


def forks(url: str, progress: str, project: str, name: str) -> None:
    """Children that log in the middle of it, and are gone without a word."""
    run = start(url, project, name)
    log(run, 0, range(50))
    for metric in (1, 2, 3):
        if os.fork() == 0:
            log(run, metric, range(100))
            os._exit(0)
    log(run, 0, range(50, 100))
    for _ in range(3):
        os.wait()


def serve_indices(indices: Queue, metric: int, are_done: Barrier) -> None:
    """As a DataLoader's worker: takes indices until there are no more."""
    run = aspara._current
    assert run
    while (step := indices.get()) is not None:
        log(run, metric, range(step, step + 1))
        if step == 99:
            are_done.wait(60)


def workers(url: str, progress: str, project: str, name: str, *, are_joined: bool = True) -> None:
    run = start(url, project, name)
    fork = multiprocessing.get_context("fork")
    queues, are_done = [fork.Queue() for _ in range(3)], fork.Barrier(4)
    processes = [
        fork.Process(target=serve_indices, args=[queue, metric, are_done], daemon=True)
        for metric, queue in enumerate(queues, 1)
    ]
    for process in processes:
        process.start()
    for step in range(100):
        log(run, 0, range(step, step + 1))
        for queue in queues:
            queue.put(step)
    are_done.wait(60)
    for queue, process in zip(queues, processes, strict=True) if are_joined else ():
        queue.put(None)
        process.join()


def abandons(url: str, progress: str, project: str, name: str) -> None:
    """Workers that are still waiting for work when the program ends, as with `persistent_workers`."""
    workers(url, progress, project, name, are_joined=False)


def log_in_child(url: str, project: str, metric: int) -> None:
    log(aspara.init(project=project, tracker_uri=url), metric, range(100))


def spawns(url: str, progress: str, project: str, name: str) -> None:
    run = start(url, project, name)
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=log_in_child, args=[url, project, n]) for n in (1, 2)]
    for child in children:
        child.start()
    log(run, 0, range(100))
    for child in children:
        child.join()


# ── Files ────────────────────────────────────────────────────────────────────


def uploads(url: str, progress: str, project: str, name: str, path: str) -> None:
    run = start(url, project, name)
    log(run, 0, range(100))
    run.log_artifact(path, name="model.bin", category="model")
    log(run, 0, range(100, 200))


SCENARIOS: list[Callable[..., None]] = [
    *(life, stages, returns, raises, leaves, waits),
    *(forks, workers, abandons, spawns, uploads),
]

if __name__ == "__main__":
    _, scenario, *words = sys.argv
    next(one for one in SCENARIOS if one.__name__ == scenario)(*words)
