"""Whether this process can do its work: for proxies that share out requests, and for restarts.

Each part is looked at in a thread of its own, because a database or a store that hangs cannot be
interrupted. Nobody waits longer than WAIT_S, and one that still hangs is not asked a second time.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from tracking.domain.outages import is_refused

log = logging.getLogger(__name__)
WAIT_S = 1.5
FRESH_S = 1.0  # whoever asks more often gets the same answer, so that asking costs nothing
OK, FAILED, SLOW, BEHIND, LOW, UNUSED = "ok", "failed", "slow", "behind", "low", "not used"
READY, DEGRADED, NOT_READY = "ready", "degraded", "not ready"
# Points are taken in without Redis and without the store of files. Those are shared by all servers:
# were each to say that it is not ready, nobody would be served at all.
DISPENSABLE = {"redis", "artifacts"}


class Part:
    """Something the server stands on. `look` says how it is, or raises."""

    def __init__(self, look: Callable[[], str]) -> None:
        self._look = look
        self._thread = threading.Thread()
        self._state = FAILED

    def begin(self) -> None:
        if not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="readiness", daemon=True)
            self._thread.start()

    def end(self, until: float) -> str:
        self._thread.join(max(0.0, until - time.monotonic()))
        return SLOW if self._thread.is_alive() else self._state

    def _run(self) -> None:
        try:
            self._state = self._look()
        except Exception:  # noqa: BLE001 -- whatever it is: the part does not do its work
            self._state = FAILED
        finally:
            connection.close()


class Readiness:
    """Remembers the last look."""

    def __init__(self, parts: dict[str, Callable[[], str]]) -> None:
        self._parts = {name: Part(look) for name, look in parts.items()}
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._states: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def states(self) -> dict[str, str]:
        """How each part is. Takes WAIT_S at most, and for as long others wait for the same answer."""
        with self._lock:
            if time.monotonic() - self._looked_at >= FRESH_S:
                until = time.monotonic() + WAIT_S
                for part in self._parts.values():
                    part.begin()
                self._states = {name: part.end(until) for name, part in self._parts.items()}
                self._looked_at = time.monotonic()
                self._tell()
            return self._states

    def _tell(self) -> None:
        """Once as it changes: whoever asks, asks every few seconds."""
        troubled = {name: s for name, s in self._states.items() if s not in {OK, UNUSED}}
        if troubled == self._told:
            return
        self._told = troubled
        if troubled:
            parts = ", ".join(f"{name}: {state}" for name, state in troubled.items())
            log.warning("The server is %s (%s).", judge(troubled), parts)
        else:
            log.info("The server is ready again.")

    def forget(self) -> None:
        self._looked_at = float("-inf")


def judge(states: dict[str, str]) -> str:
    """What the states of the parts amount to."""
    troubled = {name for name, state in states.items() if state not in {OK, UNUSED}}
    if not troubled:
        return READY
    return DEGRADED if troubled <= DISPENSABLE else NOT_READY


_migrated: set[tuple[str, str]] = set()  # what was there when nothing was left to migrate


def look_at_database() -> str:
    """Loading the migrations takes 50 ms, so that is done until they are all there, once."""
    if is_refused():  # the pool would go on trying for longer than anybody waits
        return FAILED
    applied = set(MigrationRecorder(connection).applied_migrations())
    if _migrated and _migrated <= applied:
        return OK
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return BEHIND
    _migrated.update(applied)
    return OK


def look_at_redis() -> str:
    if not settings.REDIS_URL:
        return UNUSED
    from tracking.domain.redis_link import connect  # noqa: PLC0415 -- optional dependency

    return OK if connect().ping() else FAILED


def look_at_artifacts() -> str:
    find_fault = getattr(default_storage, "find_fault", None)
    if find_fault:
        return FAILED if find_fault()[0] else OK
    folder = _that_is_there(Path(settings.MEDIA_ROOT))
    return OK if os.access(folder, os.W_OK | os.X_OK) else FAILED


def look_at_disk() -> str:
    """The data directory: the database of one process, and uploads on their way."""
    free_bytes = shutil.disk_usage(_that_is_there(settings.DATA_DIR)).free
    return OK if free_bytes >= settings.MIN_FREE_BYTES else LOW


def _that_is_there(folder: Path) -> Path:
    """It is made when it is needed first."""
    return next(each for each in (folder, *folder.parents) if each.exists())


readiness = Readiness(
    {
        "database": look_at_database,
        "redis": look_at_redis,
        "artifacts": look_at_artifacts,
        "disk": look_at_disk,
    }
)
