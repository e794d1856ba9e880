"""Lines at the end of a file, each written whole and at once.

Each append holds the file's lock for the time of one write, so that a line cut short by the death of
its writer can be taken away, and rows can move into an archive, while others log.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from runyard.files.documents import lock, open_draft, unlock
from runyard.files.line_ends import mend, write_whole
from runyard.notices import warn
from runyard.same_file import is_at

MEMORY_BYTES = 64 * 1024**2  # of lines that the disk would not take
RETRY_S = 1.0  # a full disk is not asked for each row


class AppendFile:
    """For one thread at a time; a signal handler of that thread may come in between."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost_count = 0
        self._fd = -1
        self._end = -1  # as far as we know the file
        self._is_busy = False
        self._was_there = False
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._retry_at = 0.0

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    @property
    def fd(self) -> int:
        """Of the open file; for whoever holds its lock."""
        return self._fd

    @property
    def size(self) -> int:
        """As far as we know; -1 before the first line."""
        return self._end

    def append(self, line: bytes) -> None:
        """The line is in the file when this returns. What a bad disk does not take waits in memory."""
        if self._is_busy:  # a signal handler: its line follows the one it interrupted
            self._waiting.append(line)
            return
        if self._waiting:
            self._keep(line)
        else:
            self._try(line)
        if self._waiting and time.monotonic() >= self._retry_at:
            self.push()

    def push(self) -> None:
        """Once more what waits."""
        if not self._waiting:
            return
        self._retry_at = time.monotonic() + RETRY_S
        with contextlib.suppress(OSError), self.hold():
            lines = tuple(self._waiting)  # a signal handler may add to them meanwhile
            self._write(b"".join(lines))
            del self._waiting[: len(lines)]
            self._waiting_bytes, self._retry_at = sum(map(len, self._waiting)), 0.0

    def _try(self, line: bytes) -> None:
        try:
            with self.hold():
                self._write(line)
        except OSError as error:
            warn(f"cannot write to {self.path} ({error}); rows wait in memory.")
            self._retry_at = time.monotonic() + RETRY_S
            self._keep(line)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Nobody else writes meanwhile; a torn end is mended. Raises: OSError."""
        was_busy, self._is_busy = self._is_busy, True
        try:
            self._lock()
            yield
        finally:
            unlock(self._fd)
            self._is_busy = was_busy

    def cut(self, size: int) -> None:
        """What is behind is gone. To be called with the lock held. Raises: OSError."""
        os.ftruncate(self._fd, size)
        self._end = size

    def replace(self, data: bytes, draft: Path) -> None:
        """The file holds this alone. With the lock held, which is held on. Raises: OSError."""
        fd = open_draft(draft, os.O_RDWR | os.O_APPEND)
        try:
            lock(fd)  # before others can open it
            write_whole(fd, data, 0, draft)
            os.fsync(fd)
            draft.replace(self.path)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._end = fd, len(data)

    def sync(self) -> None:
        """What is in the file survives a power cut. A failing disk shows at the next line."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.fsync(self._fd)

    def close(self) -> None:
        """A forked child does it as well, and opens the file anew."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = self._end = -1
        self._is_busy = False

    def forget_parent(self) -> None:
        """In a forked child: what waits is its parent's to write."""
        self.close()
        self._waiting, self._waiting_bytes = [], 0

    def _keep(self, line: bytes) -> None:
        if self._waiting_bytes + len(line) > MEMORY_BYTES:
            self.lost_count += 1
            return
        self._waiting.append(line)
        self._waiting_bytes += len(line)

    def _lock(self) -> None:
        """Somebody may have deleted or replaced the file meanwhile."""
        while True:
            if self._fd < 0:
                self._open()
            lock(self._fd)
            status = os.fstat(self._fd)
            if is_at(self._fd, self.path):
                break
            self.close()
            self._is_busy = True
        if status.st_size != self._end:
            self._end = mend(self._fd, status.st_size, _is_whole)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            self._fd = os.open(self.path, flags)
        except FileNotFoundError:
            if self._was_there:
                warn(f"{self.path} was deleted while its run goes on: a new one is begun.")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, flags | os.O_CREAT, 0o666)
        self._was_there = True

    def _write(self, data: bytes) -> None:
        end, self._end = self._end, -1  # whatever comes in between: the end is read anew
        self._end = write_whole(self._fd, data, end, self.path)


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
