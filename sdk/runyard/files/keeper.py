"""Brings what was written onto the disk within a second, beside the job."""

import contextlib
import threading
from collections.abc import Callable

KEEP_S = 1.0


class Keeper:
    """Calls `keep` soon after `touch`, and at most once a second. Starts anew in a forked child."""

    def __init__(self, keep: Callable[[], None]) -> None:
        self._keep = keep
        self.reset()

    def reset(self) -> None:
        """What a forked child does: its parent's thread is not there."""
        self._is_dirty = False
        self._wake = threading.Event()
        self._is_stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def touch(self) -> None:
        if self._is_dirty:
            return
        self._is_dirty = True
        self._wake.set()
        if self._thread is None:
            self._is_stopped.clear()
            self._thread = threading.Thread(target=self._run, name="runyard-keeper", daemon=True)
            with contextlib.suppress(RuntimeError):  # the process is ending, or may have no more
                self._thread.start()

    def stop(self) -> None:
        """The thread ends by itself; the next `touch` starts another."""
        self._is_stopped.set()
        self._wake.set()
        self._thread = None
        self._is_dirty = False
        self._is_stopped, self._wake = threading.Event(), threading.Event()

    def _run(self) -> None:
        wake, is_stopped = self._wake, self._is_stopped
        while not is_stopped.is_set():
            wake.wait()
            wake.clear()
            self._is_dirty = False
            if not is_stopped.is_set():
                self._keep()
            is_stopped.wait(KEEP_S)
