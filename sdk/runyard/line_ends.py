"""Lines of a file that is only ever added to, found from behind."""

import os

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
