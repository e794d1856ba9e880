"""Two threads beside a training: one sends what the spool holds, one brings it to the platters.

They are daemons, hold no lock that `log()` wants, and never raise.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runyard.kept import give_up, measure
from runyard.sender import RunInfo, Sender
from runyard.spool import Spool

SYNC_S = 0.8  # with a tick more, what is a second old survives a power cut
SYNC_BYTES = 1024**2
KEEPER_TICK_S = 0.2
MEASURE_S = 5.0  # between looks at the room on the disk
MAX_SPOOL_BYTES = 10 * 1024**3
DISK_SHARE = 0.2


class BackgroundSender:
    """A sender in a thread of its own."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._changed = (
            threading.Condition()
        )  # its lock is re-entrant: a signal handler waits on it
        self._is_over = False
        self._kicked = False
        self._thread = threading.Thread(target=self._run, name="runyard-sender", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        sender = self.sender
        while not sender.is_done and not sender.stopped:
            try:
                delay = sender.step()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the training goes on
                delay = sender.recover(error)
            self._pause(delay)
        with contextlib.suppress(OSError):
            sender.close()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _pause(self, delay_s: float) -> None:
        with self._changed:
            self._changed.notify_all()
            if delay_s and not self._kicked:
                self._changed.wait(delay_s)
            self._kicked = False

    def wait_for_start(self, timeout_s: float) -> RunInfo | None:
        """What the server says about the run; None if it does not say so in time.

        Afterwards a name that is taken gives way. Raises: RunExists, StartRefused.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.sender.has_tried or self._is_over, timeout_s)
        refusal = self.sender.accept_any_name()
        if refusal:
            raise refusal
        return self.sender.run

    def flush(self, timeout_s: float) -> int:
        """Wait until what is there now has arrived. Returns the number of records that have not."""
        goal = self.sender.spool.mark.seq
        self._wait_until(lambda: self.sender.next_seq > goal, timeout_s)
        return max(0, goal + 1 - self.sender.next_seq)

    def drain(self, timeout_s: float) -> int:
        """Wait until all has arrived and the spool is gone. Returns the number of records left."""
        self.sender.is_denied = False  # asked once more: somebody may have logged in meanwhile
        self._wait_until(lambda: self._is_over, timeout_s)
        return self.sender.backlog

    def _wait_until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Not beyond the point where waiting is of no use: no entry, or no more sending."""
        sender, end = self.sender, time.monotonic() + timeout_s
        sender.is_draining = True
        try:
            with self._changed:
                self._kicked = True
                self._changed.notify_all()
                while not (condition() or self._is_over or sender.is_denied):
                    left_s = end - time.monotonic()
                    if left_s <= 0:
                        break
                    self._changed.wait(left_s)
        finally:
            sender.is_draining = False

    def stop(self, reason: str) -> None:
        """End the thread after what it is doing now."""
        self.sender.stopped = self.sender.stopped or reason
        with self._changed:
            self._kicked = True
            self._changed.notify_all()


class Keeper:
    """Syncs a spool to disk every second or megabyte, and watches the room that spools take."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._synced_at = self._measured_at = time.monotonic()
        threading.Thread(target=self._run, name="runyard-keeper", daemon=True).start()

    def _run(self) -> None:
        self._measure()
        while not self._spool.is_closed:
            time.sleep(KEEPER_TICK_S)
            self._tick()
        self._sync()

    def _tick(self) -> None:
        now = time.monotonic()
        unsynced = self._spool.unsynced_bytes
        if unsynced >= SYNC_BYTES or (unsynced and now - self._synced_at >= SYNC_S):
            self._sync()
        if now - self._measured_at >= MEASURE_S:
            self._measure()

    def _sync(self) -> None:
        with contextlib.suppress(OSError):  # a failing disk: `append` notices by itself
            self._spool.sync()
        self._synced_at = time.monotonic()

    def _measure(self) -> None:
        with contextlib.suppress(OSError):
            spools = self._spool.path.parent
            is_full = is_room_used_up(spools)
            if is_full:
                self._spool.give_up_kept()
                give_up(spools.parent)
                is_full = is_room_used_up(spools)  # while it is, new records are in memory alone
            self._spool.set_full(is_full)
        self._measured_at = time.monotonic()


def is_room_used_up(root: Path) -> bool:
    """Whether the spools below take more than their share of the disk."""
    used_bytes = measure(root)
    disk = os.statvfs(root)
    free_bytes = disk.f_bavail * disk.f_frsize
    return used_bytes > min(MAX_SPOOL_BYTES, DISK_SHARE * (free_bytes + used_bytes))
