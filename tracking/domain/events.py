"""News for watchers. The database is the truth; what goes through a channel is a hint to read it.

A hint is `{"type": "run.changed", "run_id": …, "revision": …}`. A channel that is full drops it,
and that is harmless: the next hint, or a reconnect, makes the watcher read what it lacks.
"""

import asyncio
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

GONE = 2**63 - 1  # above every revision: whoever looks for it finds that the run was deleted

# The loop the consumers of this process run on. The in-memory layer belongs to that loop and may
# not be touched from the writer's thread.
_loop: asyncio.AbstractEventLoop | None = None


def group_name(run_id: int) -> str:
    return f"run.{run_id}"


def attach_loop() -> None:
    """Called by every consumer: hints of this process go through its event loop from now on."""
    global _loop  # noqa: PLW0603 -- one process, one loop
    _loop = asyncio.get_running_loop()


def announce(run_id: int, revision: int) -> None:
    """Tell the run's watchers, once the transaction has been committed."""
    transaction.on_commit(lambda: _send(run_id, revision), robust=True)


def _send(run_id: int, revision: int) -> None:
    if _loop is None or _loop.is_closed():
        return  # nobody in this process has ever watched
    hint = {"type": "run.changed", "run_id": run_id, "revision": revision}
    asyncio.run_coroutine_threadsafe(_group_send(group_name(run_id), hint), _loop)


async def _group_send(group: str, hint: dict[str, Any]) -> None:
    await get_channel_layer().group_send(group, hint)
