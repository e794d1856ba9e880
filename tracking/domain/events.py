"""News for watchers. The database is the truth; what goes through a channel is a hint to read it.

A hint is `{"type": "run.changed", "run_id": …, "revision": …}`. A channel that is full drops it,
and that is harmless: the next hint, or a reconnect, makes the watcher read what it lacks.

Channels belong to one process. What another process commits, it tells by the `wire`, where there is
Redis; and the `lookout` finds it in the database, where several processes may share that.
"""

import asyncio
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from tracking.domain.lookout import Lookout
from tracking.domain.wire import Hint, wire

GONE = 2**63 - 1  # above every revision: whoever looks for it finds that the run was deleted

# The loop the consumers of this process run on. The in-memory layer belongs to that loop and may
# not be touched from the writer's thread.
_loop: asyncio.AbstractEventLoop | None = None


def group_name(run_id: int) -> str:
    return f"run.{run_id}"


def attach_loop() -> None:
    """Called by every consumer: hints of this process go through its event loop from now on."""
    global _loop  # noqa: PLW0603 -- one process, one loop
    loop = asyncio.get_running_loop()
    if loop is _loop:
        return
    _loop = loop
    if settings.HAS_COMPANY:
        Lookout(watched=watched_runs, changed=_found, is_over=lambda: loop is not _loop).start()
    if settings.REDIS_URL:
        wire.listen(_heard)


def announce(run_id: int, revision: int) -> None:
    """Tell the run's watchers, once the transaction has been committed."""
    transaction.on_commit(lambda: _send(run_id, revision), robust=True)


def watched_runs() -> list[int]:
    """The runs that somebody watches in this process. Any thread may ask."""
    groups = list(getattr(get_channel_layer(), "groups", ()))
    return sorted(int(group.removeprefix("run.")) for group in groups if group.startswith("run."))


def _send(run_id: int, revision: int) -> None:
    _tell_watchers(run_id, revision)
    if settings.REDIS_URL:
        wire.tell(run_id, revision)


def _heard(hint: Hint) -> None:
    run_id, revision = hint
    if group_name(run_id) in getattr(get_channel_layer(), "groups", ()):
        _tell_watchers(run_id, revision)


def _found(run_id: int, revision: int | None) -> None:
    _tell_watchers(run_id, GONE if revision is None else revision)


def _tell_watchers(run_id: int, revision: int) -> None:
    if _loop is None or _loop.is_closed():
        return  # nobody in this process has ever watched
    hint = {"type": "run.changed", "run_id": run_id, "revision": revision}
    asyncio.run_coroutine_threadsafe(_group_send(group_name(run_id), hint), _loop)


async def _group_send(group: str, hint: dict[str, Any]) -> None:
    await get_channel_layer().group_send(group, hint)
