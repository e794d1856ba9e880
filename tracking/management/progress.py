"""How far a long command is: a bar on a terminal, else a line now and then."""

import sys
import time
from typing import TextIO

from tracking.domain.copying.transfer import Progress

BAR = 24  # characters
TTY_S, PLAIN_S = 0.2, 10.0


class ProgressLine:
    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_tty = stream.isatty()
        self._begun_at = self._told_at = time.monotonic()
        self._doing = ""

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.doing != self._doing:
            self.end()
            self._doing, self._begun_at, self._told_at = progress.doing, now, now
        if now - self._told_at >= (TTY_S if self._is_tty else PLAIN_S):
            self._told_at = now
            self._write(describe(progress, now - self._begun_at, with_bar=self._is_tty))

    def _write(self, text: str) -> None:
        self._stream.write(f"\r{text}\x1b[K" if self._is_tty else f"{text}\n")
        self._stream.flush()

    def end(self) -> None:
        """Take the bar away."""
        if self._is_tty and self._doing:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def describe(progress: Progress, seconds: float, *, with_bar: bool) -> str:
    """`copied 12 % ██░░ tracking_run  1,200 rows, 30.1 MB, 0:12 left`."""
    share = min(1.0, progress.done / progress.total) if progress.total else 1.0
    left_s = round(seconds / share * (1 - share)) if share else 0
    full = round(BAR * share)
    bar = f"{'█' * full}{'░' * (BAR - full)} " if with_bar else ""
    return (
        f"{bar}{share:4.0%} {progress.doing}: {progress.row_count:,} rows,"
        f" {progress.byte_count / 1e6:,.1f} MB; {progress.what};"
        f" {left_s // 60}:{left_s % 60:02} left"
    )
