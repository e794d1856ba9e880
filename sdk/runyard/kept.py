"""Spools that have arrived, kept for a while: a server may be restored from an older backup.

They lie in `sent`, beside `spool`. `runyard sync` asks with the last record of each whether the
server still has it, and sends again what it lacks.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path

from runyard import config
from runyard.locks import hold_lock, let_go
from runyard.spool import SENT, find_spools, sweep

MAX_BYTES = 1024**3  # of all of them
DISK_SHARE = 0.05  # of what is free, at most


def kept_paths(root: Path) -> list[Path]:
    """All below an SDK directory, the newest first."""
    return find_spools(root / SENT)[::-1]


def sweep_kept(root: Path) -> None:
    """Remove those that are too old, or more than there is room for."""
    sweep(root / SENT)
    paths = kept_paths(root)
    if not paths:
        return
    disk = os.statvfs(root)
    room = min(MAX_BYTES, DISK_SHARE * disk.f_bavail * disk.f_frsize)
    oldest_at = time.time() - config.keep_sent_s()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            room -= measure(path)
            if room < 0 or path.stat().st_mtime < oldest_at:
                remove_kept(path)


def give_up(root: Path) -> None:
    """The disk is wanted for what is new."""
    for path in kept_paths(root):
        remove_kept(path)


def remove_kept(path: Path) -> None:
    """Not one that is being sent again."""
    lock_fd = hold_lock(path / "lock", create=True)
    if lock_fd is None:
        return
    with contextlib.suppress(OSError):
        gone = path.rename(path.with_name(f".{path.name}"))  # nobody adopts what is half removed
        shutil.rmtree(gone, ignore_errors=True)
    let_go(lock_fd)


def measure(root: Path) -> int:
    """The bytes of all files below a directory; files may come and go meanwhile."""
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(folder) / name).stat().st_size
    return total
