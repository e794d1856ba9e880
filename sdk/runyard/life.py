"""Whether somebody logs to a run: its processes share a lock that ends with them."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from runyard.files.documents import open_lock
from runyard.same_file import is_at

LOOKS, LOOK_S = 3, 0.001


def hold(path: Path) -> int | None:
    """The descriptor that holds the lock; None where the file system knows no locks.

    Raises: OSError where the file cannot be made.
    """
    while True:
        fd = open_lock(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)
        except OSError:
            os.close(fd)
            return None
        except ValueError:  # no descriptor: others keep the file to themselves
            return None
        with contextlib.suppress(OSError):  # a full disk, or another user's file
            os.pwrite(fd, _machine(), 0)
        if is_at(fd, path):  # else the last one before us has just removed it
            return fd
        os.close(fd)


def release(path: Path, fd: int) -> None:
    """The last one takes the file away."""
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_at(fd, path):
            path.unlink()
    os.close(fd)


def is_held(path: Path) -> bool:
    """False where nobody can tell."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return all(_is_taken(fd) for _ in range(LOOKS))
    except OSError:
        return False
    finally:
        os.close(fd)


def is_left(path: Path) -> bool:
    """Whether its processes were killed: on this machine, not on one that the file was copied from."""
    try:
        return path.read_bytes() == _machine() and not is_held(path)
    except OSError:
        return False


def _machine() -> bytes:
    return os.uname().nodename.encode()


def _is_taken(fd: int) -> bool:
    """Perhaps by somebody who looks, too: that lasts for no millisecond. Raises: OSError."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(LOOK_S)
        return True
    return False
