"""Looks at what others put on a disk: links, pipes, and what one may not look into."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def is_file(path: Path) -> bool:
    """False where one may not look, too."""
    return os.path.isfile(path)  # noqa: PTH113 -- Path.is_file raises there


def measure(path: Path) -> int:
    """In bytes; 0 where there is nothing."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """False for a link to itself, too."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def open_file(path: Path) -> BinaryIO:
    """To read it. Raises: OSError, for a pipe too: whoever opens one waits for its writer."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return open(fd, "rb")  # noqa: PTH123 -- of a descriptor; the caller closes it
    os.close(fd)
    raise OSError(errno.EINVAL, "it is not a file", str(path))
