"""The group-commit thread: whatever waits to be written goes into one transaction.

One thread per process writes what the doors take in, so that SQLite has one writer and a commit is
shared by all who wait for it. Jobs are functions; what a job raises is its caller's alone.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection, transaction

from tracking import telemetry
from tracking.domain import audit
from tracking.domain.access import local_user
from tracking.domain.metrics import StaleMetricIds, forget_metric_ids
from tracking.domain.packing import fold_queue
from tracking.errors import Overloaded

Result = TypeVar("Result")
GROUP_SIZE = 128  # more waiters share no more of a commit that is worth having
# Could not be serialised; waited in a circle; another process made it first, and it is found now.
CONFLICTS = {"40001", "40P01", "23505"}
CONFLICT_TRIES = 5
CONFLICT_WAIT_S = 0.05
WAIT_S = 30  # as long as clients usually wait for an answer
# Only for this one long-lived connection: a request's connection must be cheap to open.
CACHE_PRAGMAS = ("PRAGMA cache_size=-65536", "PRAGMA mmap_size=268435456")
FOLD_EVERY_S = 0.5  # one run at a time: a fold takes milliseconds, and batches wait for it

log = logging.getLogger(__name__)


class _Job:
    __slots__ = ("context", "future", "run_id", "work")

    def __init__(self, work: Callable[[], Any], run_id: int | None) -> None:
        self.work = work
        self.run_id = run_id
        self.context = copy_context()  # what is logged meanwhile names the request it is for
        self.future: Future[Any] = Future()


class Writer:
    """Start it by submitting; it lives as long as the process."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], Result], *, run_id: int | None = None) -> "Future[Result]":
        """Run `work` in the next transaction. The future resolves after its commit.

        `run_id` is the one run it writes to, where that is known. Raises: Overloaded, rather than let a queue grow that nobody's patience outlasts.
        """
        if self._jobs.qsize() >= settings.MAX_WAITING_BATCHES:
            raise Overloaded("Too much is waiting to be written; try again.")
        job = _Job(work, run_id)
        self._jobs.put(job)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        return job.future

    def count_waiting(self) -> int:
        return self._jobs.qsize()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        _keep_house(_tune_connection)
        _keep_house(fold_queue.load)
        fold_at = 0.0
        while True:
            # A job whose caller has gone away meanwhile is left out: he will ask again.
            jobs = [
                job for job in self._take_waiting() if job.future.set_running_or_notify_cancel()
            ]
            _commit_all(jobs)
            del jobs  # an idle thread keeps nobody's batch alive
            if time.monotonic() >= fold_at:
                _keep_house(partial(fold_queue.fold_next, time.monotonic()))
                fold_at = time.monotonic() + FOLD_EVERY_S

    def _take_waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
        try:
            jobs.append(self._jobs.get(timeout=FOLD_EVERY_S))
            while len(jobs) < GROUP_SIZE:
                jobs.append(self._jobs.get_nowait())
        except Empty:
            pass
        return jobs


def _commit_all(jobs: list[_Job]) -> None:
    for group in _group(jobs):
        _commit(group)


def _group(jobs: list[_Job]) -> list[list[_Job]]:
    """What may share a transaction. PostgreSQL has other writers, who must not wait in a circle:
    whoever locks several runs does so in the order of their ids.
    """
    if not connection.features.has_select_for_update:
        return [jobs] if jobs else []
    known = sorted((job for job in jobs if job.run_id), key=attrgetter("run_id"))
    return ([known] if known else []) + [[job] for job in jobs if not job.run_id]


def _commit(jobs: list[_Job], tries: int = CONFLICT_TRIES) -> None:
    """Run all jobs in one transaction; if any fails, each in one of its own."""
    began_at = time.perf_counter()
    results: list[Any] = []
    held = None
    try:
        connection.ensure_connection()
        held = connection.connection
        _run_in_transaction(jobs, results)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it belongs to the job's caller
        forget_metric_ids()
        is_lost = _note_failure(error, held)
        if is_lost and (len(results) == len(jobs) or tries < CONFLICT_TRIES):
            # Perhaps it was committed: whoever asked knows whether it may come twice. Or the
            # database is away, and not each of them need wait for it.
            _refuse(jobs, error)
        elif is_lost:  # before anything was committed, as where it has started again meanwhile
            _commit(jobs, tries - 1)
        elif len(jobs) > 1:
            for job in jobs:
                _commit([job])
        elif tries and (isinstance(error, StaleMetricIds) or is_conflict(error)):
            telemetry.database_retries.inc()
            time.sleep(random.uniform(0, CONFLICT_WAIT_S))  # noqa: S311 -- so as not to meet again
            _commit(jobs, tries - 1)
        else:
            _refuse(jobs, error)
        return
    telemetry.count_commit(len(jobs), time.perf_counter() - began_at)
    for job, result in zip(jobs, results, strict=True):
        job.future.set_result(result)


def _refuse(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        job.future.set_exception(error)


def _run_in_transaction(jobs: list[_Job], results: list[Any]) -> None:
    """Where it fails, `results` tells how far it came: all are there once it is committed."""
    local_user()  # before the transaction: what is remembered must outlive a rollback
    with transaction.atomic():
        results.extend(job.context.run(job.work) for job in jobs)


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way: what failed may be done again as it is."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


def _keep_house(work: Callable[[], None]) -> None:
    """What may fail without harm: the points are there all the same, and batches wait."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it may not end the writer
        log.warning("Housekeeping was put off: %r", error)
        _note_failure(error, connection.connection)


def _tune_connection() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for pragma in CACHE_PRAGMAS:
                cursor.execute(pragma)


def _note_failure(error: Exception, held: object) -> bool:
    """Whether the connection that was `held` is lost; the next job gets a new one.

    Django may have opened another one already, at the end of the transaction that failed.
    """
    if not isinstance(error, DatabaseFailure):
        return False
    telemetry.count_database_error(error)
    if connection.connection is held and connection.is_usable():
        return False
    connection.close()
    return True


_writer = Writer()
submit = _writer.submit
telemetry.watch_queue(_writer.count_waiting)


def write(work: Callable[[], Result], *, run_id: int | None = None) -> Result:
    """As `submit`, and wait for the commit: for callers that may block.

    Not from inside a transaction, which the writer would wait for. What is not begun within
    WAIT_S is not done at all. Raises: Overloaded then, else what `work` raises.
    """
    future = submit(audit.carry(work), run_id=run_id)
    try:
        return future.result(WAIT_S)
    except TimeoutError:
        if future.cancel():
            raise Overloaded("Too much is waiting to be written; try again.") from None
        return future.result()  # it is being written just now
