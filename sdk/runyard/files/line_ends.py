"""The end of a file of lines that is only ever added to."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

TAIL_BYTES = 16 * 1024  # read at once, backwards; more where lines are longer


def find_line(fd: int, before: int) -> int:
    """Where the line begins that reaches to `before`, which is not past its newline."""
    while before > 0:
        start = max(0, before - TAIL_BYTES)
        found = os.pread(fd, before - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        before = start
    return 0


def write_whole(fd: int, data: bytes, end: int, path: Path) -> int:
    """All of it behind `end`, or nothing. Returns where the end is. Raises: OSError."""
    written = os.write(fd, data)
    if written != len(data):  # the disk is full
        os.ftruncate(fd, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    return end + written


def mend(fd: int, size: int, is_whole: Callable[[bytes], bool]) -> int:
    """Take away a line cut short: nobody was told that it is there. Returns where the end is."""
    if not size or os.pread(fd, 1, size - 1) == b"\n":
        return size
    start = find_line(fd, size)
    if is_whole(os.pread(fd, size - start, start)):
        return size + os.write(fd, b"\n")
    os.ftruncate(fd, start)
    return start
