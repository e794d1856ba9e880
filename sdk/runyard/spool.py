"""Records on disk until the server has them.

One directory per producer, locked while its process lives:

    lock         held by the process that writes or delivers
    meta.json    whose records these are
    <number>.seg records from that number on; see runyard.records for the layout
    files/       copies of artifacts that wait
    stopped      says why the server will never take them, if so

Once all of it has arrived, the directory moves to `sent`; see runyard.kept.

A record counts once `append` has returned. `mark` says how far the records reach. It is replaced in
one step, so that other threads may read it at any time, and an `append` cut short by Ctrl-C leaves
no trace: the next one writes over it.
"""

import contextlib
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from runyard import config
from runyard.locks import hold_lock, let_go
from runyard.overflow import Overflow
from runyard.records import split_frames

SEGMENT_BYTES = 4 * 1024**2
# Of what was acknowledged, in case the server comes back from a backup; and of files as much again.
KEPT_BYTES = 256 * 1024**2
DRAFT_S = 60.0  # far longer than a spool is in the making
DISK_RETRY_S = 1.0  # before a disk that failed is tried again
FORMAT = 1
SENT = "sent"


class Mark(NamedTuple):
    """The segment being written, by its first record; its size; the last record."""

    segment: int
    size: int
    seq: int


class Meta(NamedTuple):
    """Whose records these are. `start` is the payload of the first record.

    `user`: who logs in to send them; nobody where a token of the machine is used.
    """

    project: str
    key: str
    run_uid: str
    producer: str
    url: str
    start: dict[str, Any]
    server_key: str = ""  # what the server calls the run, once it has said so; and its project
    server_project: str = ""
    user: str = ""
    server_uid: str = ""  # as server_key; of a run that is known by a path the server makes it


class Spool:
    """`append` is for one thread at a time; reading, syncing and forgetting may go on beside it."""

    def __init__(self, path: Path, meta: Meta, lock_fd: int) -> None:
        self.path = path
        self.meta = meta
        self.mark = Mark(1, 0, 0)
        self.segments: list[int] = []
        self.overflow = Overflow()
        self.is_closed = False
        self._fd = -1
        self._room = 0  # the size at which a segment is full; 0 sends each append the slow way
        self._is_full = False
        self._disk_retry_at = 0.0
        self._lock_fd = lock_fd
        self._files_lock = threading.RLock()  # a signal handler may interrupt its holder
        self._retired_fds: list[int] = []  # of full segments, not yet synced
        self._synced = Mark(0, 0, 0)
        self._synced_copies: set[Path] = set()
        self._acked_seq = 0
        self._keep_s = config.keep_sent_s()
        self._kept_copies: list[tuple[Path, int]] = []

    # ── Opening and leaving ──────────────────────────────────────────────────

    @classmethod
    def create(cls, root: Path, meta: Meta) -> "Spool":
        """Under a name that nobody adopts until the lock is held. Raises: OSError."""
        path, draft = root / meta.producer, root / f".{meta.producer}"
        draft.mkdir(parents=True)
        lock_fd = hold_lock(draft / "lock", create=True)
        if lock_fd is None:
            raise OSError(f"{draft} is in use.")
        spool = cls(draft, meta, lock_fd)
        spool._write_meta()
        draft.rename(path)
        spool.path = path
        spool._open_segment(1)
        return spool

    @classmethod
    def adopt(cls, path: Path) -> "Spool | None":
        """A spool whose process is gone, to be read; None if it is in use or was never completed."""
        lock_fd = hold_lock(path / "lock")
        if lock_fd is None:
            return None
        meta = read_meta(path)
        if meta is None:
            let_go(lock_fd)
            return None
        spool = cls(path, meta, lock_fd)
        spool.segments, spool.mark = find_end(path)
        spool.is_closed = True
        return spool

    def release(self) -> None:
        """Let go of all files; whoever comes next may adopt what is there."""
        with self._files_lock:
            self.is_closed = True
            self._room = 0
            fds, self._fd, self._retired_fds = [self._fd, *self._retired_fds], -1, []
            for fd in fds:
                if fd >= 0:
                    os.close(fd)
            let_go(self._lock_fd)

    def drop_inherited(self) -> None:
        """In a forked child: close what is the parent's, whoever held the lock while forking."""
        self._files_lock = threading.RLock()
        self.release()

    def remove(self) -> None:
        """Forget the spool altogether. What is left if the process dies here, `sweep` takes away."""
        with self._files_lock:
            gone = self.path.with_name(f".{self.path.name}")  # nobody adopts what is half removed
            self.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            self.release()

    def retire(self) -> None:
        """All has arrived: for a while it is kept where nobody takes it for news."""
        kept = self.path.parent.parent / SENT / self.path.name
        with self._files_lock:
            try:
                if not self._may_keep:
                    raise OSError("nothing is to be kept")
                kept.parent.mkdir(exist_ok=True)
                if kept != self.path:
                    os.utime(self.path)
                    self.path.rename(kept)
                    self.path = kept
            except OSError:
                self.remove()
                return
            self.release()

    def note_server_keys(self, project: str, key: str, uid: str) -> None:
        """Keep what the server calls the run: artifacts go there, also after a restart."""
        meta = self.meta._replace(server_project=project, server_key=key, server_uid=uid)
        if meta != self.meta:
            self.meta = meta
            with contextlib.suppress(OSError):  # a full disk: this process knows it all the same
                self._write_meta()

    def _write_meta(self) -> None:
        draft = self.path / "meta.json.new"
        draft.write_text(json.dumps({"format": FORMAT, **self.meta._asdict()}))
        draft.replace(self.path / "meta.json")

    # ── Writing ──────────────────────────────────────────────────────────────

    def append(self, frame: bytes, *, is_vital: bool = False) -> None:
        """Add a framed record. When this returns, it survives the death of the process.

        A disk without room does not raise: records then wait in memory up to a bound, beyond which
        only vital ones are taken and the others are counted.
        """
        segment, size, seq = self.mark
        end = size + len(frame)
        if end > self._room:
            self._append_slowly(frame, is_vital=is_vital)
            return
        try:
            written = os.pwrite(self._fd, frame, size)
        except OSError:
            written = -1
        if written == len(frame):
            self.mark = Mark(segment, end, seq + 1)
        else:
            self._leave_disk()
            self._append_slowly(frame, is_vital=is_vital)

    def close(self) -> None:
        """No more records will come."""
        with self._files_lock:
            self._report_dropped()
        self.is_closed = True

    def set_full(self, is_full: bool) -> None:
        """Told from outside: the share of the disk that spools may take is used up, or not."""
        if is_full != self._is_full:
            self._is_full = is_full
            self._room = 0
            self.forget(self._acked_seq)

    def _append_slowly(self, frame: bytes, *, is_vital: bool) -> None:
        with self._files_lock:
            if self.is_closed:  # the server will not have the run: nobody would read it
                return
            if not self.overflow and self._next_segment(len(frame)):
                self._report_dropped()
                self.append(frame, is_vital=is_vital)
                return
            if not self.overflow:
                self._report_dropped()
            if self.overflow.add(self.mark.seq + 1, frame, is_vital=is_vital):
                self.mark = self.mark._replace(seq=self.mark.seq + 1)

    def _report_dropped(self) -> None:
        """Leave a record in the place of those that were dropped."""
        if self.overflow.dropped_count:
            self.append(self.overflow.take_report(self.mark.seq + 1), is_vital=True)

    def _next_segment(self, size: int) -> bool:
        if self._is_full or time.monotonic() < self._disk_retry_at:
            return False
        try:
            self._open_segment(self.mark.seq + 1, size)
        except OSError:
            self._leave_disk()
            return False
        return True

    def _open_segment(self, first: int, size: int = 0) -> None:
        path = self.segment_path(first)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        if self._fd >= 0:
            self._retired_fds.append(self._fd)
        if first not in self.segments:
            self.segments = [*self.segments, first]
        self._fd, self._room = fd, max(SEGMENT_BYTES, 2 * size)
        self.mark = Mark(first, 0, first - 1)

    def _leave_disk(self) -> None:
        self._room = 0
        self._disk_retry_at = time.monotonic() + DISK_RETRY_S

    # ── Beside the writing ───────────────────────────────────────────────────

    def segment_path(self, first: int) -> Path:
        return self.path / f"{first:020}.seg"

    @property
    def unsynced_bytes(self) -> int:
        mark, synced = self.mark, self._synced
        return mark.size - synced.size if mark.segment == synced.segment else SEGMENT_BYTES

    def sync(self) -> None:
        """Make what was appended so far survive a power cut. Appending goes on meanwhile."""
        with self._files_lock:
            fds, self._retired_fds = self._retired_fds, []
            if self._fd < 0:
                return
            mark = self.mark
            fds.append(os.dup(self._fd))
        try:
            for fd in fds:
                os.fsync(fd)
            self._sync_beside(mark)
            self._synced = mark
        finally:
            for fd in fds:
                os.close(fd)

    def _sync_beside(self, mark: Mark) -> None:
        """Copies of artifacts since the last time; names, when there is a new segment."""
        copies = {path for path in self.path.glob("files/*") if path not in self._synced_copies}
        names = () if mark.segment == self._synced.segment else (self.path, self.path.parent)
        is_first = self._synced.segment == 0
        for path in (*copies, *names, *([self.path / "meta.json"] if is_first else [])):
            sync_path(path)
        self._synced_copies |= copies

    def forget(self, acked_seq: int) -> None:
        """Let go of what the server has, but for the last of it."""
        with self._files_lock:
            self._acked_seq = acked_seq
            self.overflow.forget(acked_seq)
        self._let_go(may_keep=self._may_keep)

    def give_up_kept(self) -> None:
        """Let go of all that the server has: the disk is wanted for what is new."""
        self._let_go(may_keep=False)

    def _let_go(self, *, may_keep: bool) -> None:
        with self._files_lock:
            acked_count = sum(first - 1 <= self._acked_seq for first in self.segments[1:])
            acked = self.segments[:acked_count]
            gone_count = self._count_too_many(acked) if may_keep else acked_count
            gone, self.segments = self.segments[:gone_count], self.segments[gone_count:]
            copies = self._take_copies(KEPT_BYTES if may_keep else 0)
        for path in (*map(self.segment_path, gone), *copies):
            path.unlink(missing_ok=True)

    def _take_copies(self, room: int) -> list[Path]:
        """The oldest, for which there is no room."""
        kept, count = self._kept_copies, 0
        while sum(size for _, size in kept[count:]) > room:
            count += 1
        gone, self._kept_copies = kept[:count], kept[count:]
        return [path for path, _ in gone]

    @property
    def _may_keep(self) -> bool:
        """What is new goes before what was."""
        return self._keep_s > 0 and not self._is_full and not self.overflow

    def _count_too_many(self, acked: list[int]) -> int:
        """How many of the oldest segments are too old, or more than there is room for."""
        room, oldest_at = KEPT_BYTES, time.time() - self._keep_s
        for count, first in zip(range(len(acked), 0, -1), reversed(acked), strict=True):
            with contextlib.suppress(FileNotFoundError):
                found = self.segment_path(first).stat()
                room -= found.st_size
                if room < 0 or found.st_mtime < oldest_at:
                    return count
        return 0

    def forget_copy(self, path: Path) -> None:
        """As `forget`, of a file that was uploaded."""
        with self._files_lock, contextlib.suppress(FileNotFoundError):
            self._kept_copies = [*self._kept_copies, (path, path.stat().st_size)]
        self._let_go(may_keep=self._may_keep)


def find_spools(folder: Path) -> list[Path]:
    """All in a directory, the oldest first; others may take them away meanwhile."""
    aged = []
    for path in folder.glob("[!.]*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                aged.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(aged)]


def sweep(root: Path) -> None:
    """Remove what processes left that died while they made or removed a spool."""
    for path in root.glob(".*"):
        is_left = path.is_dir() and time.time() - path.stat().st_mtime > DRAFT_S
        lock_fd = hold_lock(path / "lock", create=True) if is_left else None
        if lock_fd is not None:
            shutil.rmtree(path, ignore_errors=True)
            let_go(lock_fd)


def read_meta(path: Path) -> Meta | None:
    """None if there is none, or none that this version can read."""
    try:
        fields = json.loads((path / "meta.json").read_text())
        return (
            Meta(**{name: fields[name] for name in Meta._fields if name in fields})
            if fields["format"] == FORMAT
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_end(path: Path) -> tuple[list[int], Mark]:
    """The segments of a spool, and how far its whole records reach: a torn tail does not count."""
    segments = sorted(int(segment.stem) for segment in path.glob("*.seg"))
    if not segments:
        return [], Mark(1, 0, 0)
    last = segments[-1]
    data = (path / f"{last:020}.seg").read_bytes()
    records, size = split_frames(data, max_records=len(data), max_bytes=len(data))
    return segments, Mark(last, size, last + len(records) - 1)


def sync_path(path: Path) -> None:
    """A file, or the names in a directory; one that is gone need not survive anything."""
    with contextlib.suppress(FileNotFoundError):
        _sync_existing(path)


def _sync_existing(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
