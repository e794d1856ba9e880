"""What people read of a watcher, beside the server's own lines."""

import sys
import time
from collections.abc import Iterable

from runyard.watching.mirror import Mirror

PROGRESS_S = 5.0
MANY = 10_000  # records that are worth a line
MAX_SAID = 1_000


class Console:
    """Each sentence is said once, until things are well again or much else was said."""

    def __init__(self, prefix: str = "runyard watch: ") -> None:
        self._prefix = prefix
        self._said: set[str] = set()
        self._trouble = ""
        self._shown_at = self._began = time.monotonic()
        self._shown_count = 0
        self._is_catching_up = False

    def say(self, text: str) -> None:
        if text in self._said:
            return
        if len(self._said) >= MAX_SAID:
            self._said.clear()
        self._said.add(text)
        self._write(text)

    def say_once(self, text: str) -> None:
        """Trouble, which may come again after all was well."""
        if text != self._trouble:
            self._trouble = text
            self._write(text)

    def is_well(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._write("All is well again.")

    def show_progress(self, mirrors: Iterable[Mirror], due_count: int) -> None:
        """A line every few seconds while there is much to catch up with, and one when that is done."""
        now = time.monotonic()
        if now < self._shown_at + PROGRESS_S and not (self._is_catching_up and not due_count):
            return
        mirrors = list(mirrors)
        count = sum(mirror.record_count for mirror in mirrors)
        is_much = count - self._shown_count >= MANY
        if due_count and (is_much or any(mirror.is_behind for mirror in mirrors)):
            rate = (count - self._shown_count) / max(now - self._shown_at, 0.001)
            self._is_catching_up = True
            self._write(
                f"{count:,} records brought ({rate:,.0f}/s); {due_count:,} of {len(mirrors):,}"
                " runs to catch up with."
            )
        elif self._is_catching_up and not due_count:
            self._is_catching_up = False
            self._write(f"{count:,} records brought; {len(mirrors):,} runs are as their files are.")
        self._shown_at, self._shown_count = now, count

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(f"{self._prefix}{text}\n")
            sys.stdout.flush()
        except (OSError, ValueError):  # nobody listens any more
            pass
