"""Who owns a spool: a lock that ends with its process, however that ends."""

import contextlib
import fcntl
import os
from pathlib import Path

_held: set[int] = set()


def hold_lock(path: Path, *, create: bool = False) -> int | None:
    """The descriptor that holds the lock until `let_go`; None if it cannot be had.

    Where the file system knows no locks, one may create a spool but never adopt one.
    """
    try:
        fd = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o644)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if isinstance(error, BlockingIOError) or not create:
            os.close(fd)
            return None
    with contextlib.suppress(OSError):  # a full disk; the text is for people only
        os.pwrite(fd, f"process {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
    _held.add(fd)
    return fd


def let_go(fd: int) -> None:
    """Nothing happens if it was let go of before."""
    if fd in _held:
        _held.remove(fd)
        os.close(fd)


def _drop_inherited() -> None:
    """A forked child closes what it inherited, which does not end its parent's locks."""
    for fd in list(_held):
        let_go(fd)


os.register_at_fork(after_in_child=_drop_inherited)
