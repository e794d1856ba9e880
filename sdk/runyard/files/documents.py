"""Small JSON files that are replaced in one step, and the locks beside them."""

import contextlib
import errno
import fcntl
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runyard.files.probing import open_file
from runyard.notices import warn

_held: dict[tuple[int, Path], int] = {}  # who holds which lock, by which descriptor

# ASCII, for readers in any locale; NaN and Infinity stand as they are.
encode = json.JSONEncoder(separators=(",", ":")).encode


def utc_now() -> str:
    """As the original writes times: UTC without an offset, and a Z."""
    return utc_text(datetime.now(timezone.utc))  # noqa: UP017 -- the SDK supports Python 3.10


def utc_text(time: datetime) -> str:
    """A naive time is UTC already."""
    if time.tzinfo is not None:
        time = time.astimezone(timezone.utc).replace(tzinfo=None)  # noqa: UP017 -- as above
    return f"{time.isoformat(timespec='microseconds')}Z"


def open_draft(path: Path, flags: int = os.O_WRONLY, mode: int = 0o666) -> int:
    """A new file, for one that was left there may be a link to anything. Raises: OSError."""
    path.unlink(missing_ok=True)
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)


def read_document(path: Path) -> dict[str, Any] | None:
    """None if there is no such file. Raises: OSError, ValueError if it holds something else."""
    try:
        with open_file(path) as file:
            document = json.loads(file.read())
    except FileNotFoundError:
        return None
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path.name} does not hold a JSON object")
    return document


def read_shared(path: Path, lock_path: Path) -> dict[str, Any]:
    """Never half of what the original is writing in place. Damaged or missing: nothing."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # a read-only copy
            held.enter_context(locked(lock_path))
        try:
            return read_document(path) or {}
        except ValueError:
            return {}


def to_bytes(document: dict[str, Any]) -> bytes:
    return encode(document).encode()


def write_bytes(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Readers see the old file or the new one. To be called with the lock held. Raises: OSError."""
    draft = path.with_name(f".{path.name.lstrip('.')}.tmp")  # under the lock: one name will do
    try:
        with open(open_draft(draft), "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def replace_document(
    path: Path,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    to_bytes: Callable[[dict[str, Any]], bytes] = to_bytes,
    *,
    sync: bool = True,
) -> dict[str, Any]:
    """With the lock held: what `change` makes of what was there. A damaged file is kept beside.

    Raises: OSError.
    """
    try:
        found = read_document(path)
    except ValueError as error:
        kept = path.with_name(f"{path.name}.damaged")
        path.replace(kept)
        warn(f"{path} is damaged ({error}). It is kept as {kept.name}; a new one is begun.")
        found = None
    document = change(found or {})
    write_bytes(path, to_bytes(document), sync=sync)
    return document


def sync_file(path: Path) -> None:
    """What is in the file, or in the directory, survives a power cut. Raises: OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else, the original among them, is between the same lines. Raises: OSError.

    A signal handler may come back to a lock that its own thread holds: it would wait for ever.
    """
    holder = (threading.get_ident(), path)
    if holder in _held:
        yield
        return
    fd = open_lock(path)
    try:
        _held[holder] = fd
        lock(fd)
        yield
    finally:
        if _held.pop(holder, None) is not None:
            unlock(fd)  # a child that was forked meanwhile has the descriptor too
            _close(fd)


def _drop_inherited() -> None:
    """A forked child would wait for itself, once the parent is dead."""
    for fd in _held.values():
        _close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_drop_inherited)


def open_lock(path: Path) -> int:
    """Whoever may put files beside it may use it: a lock needs no more than an open file.

    -1, and a warning, where somebody keeps it to themselves. Raises: OSError.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        return _open_foreign(path)
    with contextlib.suppress(OSError):
        _share(fd, path)
    return fd


def _open_foreign(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None
    except PermissionError:
        warn(f"{path} belongs to another user: nobody keeps two writers apart.")
        return -1


def _share(fd: int, path: Path) -> None:
    """Group and others as far as the directory is theirs to write to, whatever the umask says."""
    status = os.fstat(fd)
    writers = path.parent.stat().st_mode & 0o022
    wanted = status.st_mode | writers | writers << 1
    if wanted != status.st_mode and status.st_uid == os.geteuid():
        os.fchmod(fd, stat.S_IMODE(wanted))


def lock(fd: int) -> None:
    """Where the file system knows no locks, or there is no descriptor, one goes on without."""
    with contextlib.suppress(OSError, ValueError):
        fcntl.flock(fd, fcntl.LOCK_EX)


def unlock(fd: int) -> None:
    """Nothing happens where there is no descriptor: it could not be opened."""
    with contextlib.suppress(OSError, ValueError):
        fcntl.flock(fd, fcntl.LOCK_UN)


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
