"""Spools whose process is gone: whoever finds them brings them home."""

import contextlib
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runyard.credentials import Credentials
from runyard.kept import sweep_kept
from runyard.memory import next_step_in, note_next_step
from runyard.sender import Sender
from runyard.spool import Meta, Spool, find_spools, read_meta, sweep
from runyard.transport import TIMEOUT_S, HttpTransport, parse_address

KEEP_STOPPED_S = 7 * 86_400  # spools of runs that were deleted on the server


def spool_paths(root: Path) -> list[Path]:
    """All spools below an SDK directory, the oldest first."""
    return find_spools(root / "spool")


def adopt(path: Path) -> Spool | None:
    """The spool if nobody holds it and the server may want it; else it goes after some days."""
    spool = Spool.adopt(path)
    stopped = path / "stopped"
    if spool is None or not stopped.exists():
        return spool
    if time.time() - stopped.stat().st_mtime > KEEP_STOPPED_S:
        spool.remove()
    else:
        spool.release()
    return None


def deliver(
    sender: Sender,
    *,
    patience_s: float,
    limit_s: float = math.inf,
    progress: Callable[[Sender], None] | None = None,
) -> bool:
    """Send a spool to its end and remove it. What the server does not take is kept: then False.

    `patience_s`: how long the server may fail to take anything. `limit_s`: for the whole.
    """
    spool = sender.spool
    sender.begin_at_end()
    end = give_up_at = time.monotonic() + limit_s
    try:
        while not sender.is_done and not sender.stopped:
            delay = sender.step()
            if progress:
                progress(sender)
            if not sender.is_failing:
                give_up_at = end
            elif give_up_at == end:
                give_up_at = min(end, time.monotonic() + patience_s)
            if time.monotonic() + delay > give_up_at:
                return False
            time.sleep(delay)
        if sender.is_done and (next_step := next_step_in(spool.path)):
            key = spool.meta.server_key or spool.meta.key
            note_next_step(spool.path.parent.parent, spool.meta.project, key, next_step)
        return sender.is_done
    finally:
        sender.close()


def adopt_in_background(root: Path, url: str, credentials: Credentials) -> None:
    """Bring home what earlier jobs left here for the same server in the name of the same user.

    Gives up when it does not answer.
    """

    def run() -> None:
        sweep_spools(root)
        with contextlib.suppress(OSError):
            whose = (url, credentials.user)
            _adopt(root, lambda meta: (meta.url, meta.user) == whose, credentials, patience_s=0.0)

    threading.Thread(target=run, name="runyard-orphans", daemon=True).start()


def adopt_of_run(root: Path, run_uid: str, credentials: Credentials, *, limit_s: float) -> None:
    """Bring home what workers of a run left, which ended without a word."""
    with contextlib.suppress(OSError):
        _adopt(
            root,
            lambda meta: meta.run_uid == run_uid,
            credentials,
            patience_s=limit_s,
            limit_s=limit_s,
        )


def sweep_spools(root: Path) -> None:
    """As `spool.sweep` and `kept.sweep_kept`; what cannot be removed stays."""
    with contextlib.suppress(OSError):
        sweep(root / "spool")
        sweep_kept(root)


def _adopt(
    root: Path,
    is_wanted: Callable[[Meta], bool],
    credentials: Credentials,
    *,
    patience_s: float,
    limit_s: float = math.inf,
) -> None:
    end = time.monotonic() + limit_s
    for path in spool_paths(root):
        meta = read_meta(path)
        spool = adopt(path) if meta and is_wanted(meta) else None
        if spool:
            left_s = max(1.0, end - time.monotonic())
            address, timeout_s = parse_address(spool.meta.url), min(TIMEOUT_S, left_s)
            transport = HttpTransport(address, credentials, timeout_s=timeout_s)
            deliver(Sender(spool, transport), patience_s=patience_s, limit_s=left_s)
