"""Numbered JSON lines that threads, processes and forked children append to.

Each append holds the lock of the original for the time of one write. The number comes from the end
of the file, which is read anew whenever somebody else has written.
"""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runyard.dash.counters import Counter, close
from runyard.files.documents import lock, open_lock, unlock
from runyard.files.line_ends import find_line, mend, write_whole
from runyard.same_file import is_at


class LineFile:
    """For one thread at a time; a signal handler of that thread may come in between.

    `key`: what the number is called in a line. `counter`: tells others the next number.
    """

    def __init__(self, path: Path, lock_path: Path, key: str, counter: Counter) -> None:
        self.path = path
        self.next = 0
        self._lock_path = lock_path
        self._key = key
        self._counter = counter
        self._end = -1  # as far as we know the file
        self._is_anew = True  # somebody else may have written last
        self._fd = self._lock_fd = -1
        self._is_busy = False
        self._waiting: list[Callable[[int], bytes]] = []

    @property
    def is_open(self) -> bool:
        return self._fd >= 0

    def append(self, make_line: Callable[[int], bytes]) -> None:
        """The line is in the file, whole, when this returns. Raises: OSError."""
        if self._is_busy:  # a signal handler: its line follows the one it interrupted
            self._waiting.append(make_line)
            return
        self._is_busy = True
        try:
            self._lock()
            self._write(make_line)
        finally:
            unlock(self._lock_fd)
            self._is_busy = False
        if self._waiting:
            self.append(self._waiting.pop(0))

    def close(self) -> None:
        self._fd, self._lock_fd = close(self._fd), close(self._lock_fd)
        self._counter.close()
        self._is_busy = False

    def _lock(self) -> None:
        """Somebody may have deleted or changed the file meanwhile."""
        if not self.is_open:
            self._open()
        lock(self._lock_fd)
        if not is_at(self._fd, self.path):
            self.close()
            self._open()
            lock(self._lock_fd)
        status = os.fstat(self._fd)
        if status.st_size != self._end:
            self._read_end(status.st_size)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._lock_fd = open_lock(self._lock_path)
            self._fd = os.open(self.path, flags, 0o666)
        except OSError:
            self.close()
            raise

    def _write(self, make_line: Callable[[int], bytes]) -> None:
        line = make_line(self.next)
        end, self._end = self._end, -1  # whatever comes in between: the end is read anew
        end = write_whole(self._fd, line, end, self.path)
        self.next += 1
        self._end = end
        self._count()

    def _count(self) -> None:
        is_anew, self._is_anew = self._is_anew, True
        with contextlib.suppress(OSError):  # the lines themselves say it too
            self._counter.write(self.next, is_anew=is_anew)
            self._is_anew = False

    def _read_end(self, size: int) -> None:
        """Mends a line cut short, and finds the last number."""
        end = mend(self._fd, size, lambda line: self._parse(line) is not None)
        self.next = self._find_last(end) + 1
        self._end = end
        self._is_anew = True

    def _find_last(self, end: int) -> int:
        """The number of the last line that has one; else as many as there are lines, less one."""
        above = end
        while above > 0:
            start = find_line(self._fd, above - 1)
            number = self._parse(os.pread(self._fd, above - start, start))
            if number is not None:
                return number
            above = start
        return self._count_lines() - 1

    def _parse(self, line: bytes) -> int | None:
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError):
            return None
        number = row.get(self._key) if isinstance(row, dict) else None
        return number if isinstance(number, int) else None

    def _count_lines(self) -> int:
        with self.path.open("rb") as file:
            return sum(1 for _ in file)
