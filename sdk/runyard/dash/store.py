"""One experiment on the local disk, in the layout that ML-Dash's own tools read.

What `log` and `append_row` were given is in the file when they return; within a second it is on the
disk. A disk that fails or is full does not stop a job that logs: it is said at once, what is lost is
counted and told at the end. What cannot be stored at all raises, before anything is written.
"""

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from runyard import life
from runyard.dash.experiment import add_sender, describe_end, describe_start
from runyard.dash.files import Files
from runyard.dash.logs import Logs
from runyard.dash.losses import Losses
from runyard.dash.names import OWN_FOLDERS, prefix_path, stream_path
from runyard.dash.pages import Pages, list_streams, read_stats
from runyard.dash.params import Params
from runyard.dash.reading import ABOUT_FILE, LIFE_FILE
from runyard.dash.records import About, FileEntry
from runyard.dash.streams import Streams
from runyard.files.documents import locked, replace_document, utc_now
from runyard.files.keeper import Keeper
from runyard.notices import warn

_stores: "weakref.WeakSet[DashStore]" = weakref.WeakSet()


class DashStore:
    """For any number of threads, processes and forked children at a time. `start` comes first."""

    home: Path
    _params: Params
    _logs: Logs
    _streams: Streams
    _files: Files
    _losses: Losses

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Nothing is written yet. The root stays where it is now, whatever the job's directory."""
        self.root = Path(root).absolute()
        self._lock = threading.RLock()  # a signal handler may interrupt its holder
        self._pages = Pages()
        self._keeper = Keeper(self._keep)
        self._life: int | None = None
        self._is_forked = False  # from one who had begun, and nothing was written since

    # ── Beginning and end ────────────────────────────────────────────────────

    def start(self, about: About) -> None:
        """Create the experiment or go on with it. Raises: OSError, TypeError, ValueError."""
        path = prefix_path(about.prefix)
        self._check_place(path.parts)
        if self in _stores:
            self.flush()
            self.close()
        self.home = home = self.root / path
        for folder in ("logs", "metrics", "files"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        self._params = Params(home)
        self._logs = Logs(home / "logs")
        self._streams = Streams(home / "metrics")
        self._files = Files(home / "files", f"{about.project}/{about.prefix}")
        self._losses = Losses(home)
        with locked(home / ".experiment.lock"):
            replace_document(
                home / ABOUT_FILE, lambda found: describe_start(found, about, utc_now())
            )
        _stores.add(self)
        self._begin()

    def _begin(self) -> None:
        """From now on others can tell that somebody logs to the experiment."""
        self._is_forked = False
        try:
            self._life = life.hold(self.home / LIFE_FILE)
        except OSError as error:
            warn(f"others cannot tell that {self.home} is alive: {error}")

    def note_sender(self, spool: Path) -> None:
        """Whoever brings the experiment to a server can tell that its job does so itself."""
        try:
            with locked(self.home / ".experiment.lock"):
                replace_document(
                    self.home / ABOUT_FILE, lambda found: add_sender(found, str(spool))
                )
        except OSError as error:
            self._losses.say(error)

    def _check_place(self, parts: tuple[str, ...]) -> None:
        """An experiment among the files of another would be taken for one of these."""
        for i, part in enumerate(parts[1:], 1):
            above = self.root.joinpath(*parts[:i])
            if part in OWN_FOLDERS and (above / ABOUT_FILE).exists():
                raise ValueError(f"'{part}' belongs to the experiment {'/'.join(parts[:i])}.")

    def finish(self, status: str, reason: str = "") -> None:
        """Says what was lost. More may be written afterwards, and `start` may come again."""
        self.flush()
        try:
            with locked(self.home / ".experiment.lock"):
                replace_document(
                    self.home / ABOUT_FILE,
                    lambda found: describe_end(found, status, reason, utc_now()),
                )
        except OSError as error:
            self._losses.say(error)
            self._losses.count("status")
        self._losses.count("params", self._params.unsaved_count)
        self.close()
        self._losses.report()

    def flush(self) -> None:
        """All of it is on the disk, if the disk will have it."""
        with self._lock:
            self._save_params()
        self._keep()

    def close(self) -> None:
        """Nothing is held any more; writing opens it again."""
        with self._lock:
            self._keeper.stop()
            self._streams.close()
            self._logs.close()
            held, self._life, self._is_forked = self._life, None, False
            if held is not None:
                life.release(self.home / LIFE_FILE, held)

    def _keep(self) -> None:
        with self._lock:
            syncs = [self._logs.sync, *(file.sync for file in self._streams.list_unsynced())]
        for sync in syncs:
            with contextlib.suppress(OSError):  # a failing disk: whoever writes notices
                sync()

    # ── Params ───────────────────────────────────────────────────────────────

    def set_params(self, flat: Mapping[str, Any]) -> None:
        """Merge. Raises: TypeError naming the key, ValueError."""
        with self._lock:
            self._params.add(flat)
            self._save_params()

    def get_params(self) -> dict[str, Any]:
        with self._lock:
            return self._params.read()

    def _save_params(self) -> None:
        try:
            self._params.save()
        except OSError as error:
            self._losses.say(error)  # they are kept for the next time

    # ── Logs and rows ────────────────────────────────────────────────────────

    def log(self, message: str, level: str, metadata: Mapping[str, Any], time: datetime) -> None:
        """Raises: TypeError, ValueError."""
        with self._lock:
            try:
                self._logs.append(message, level, metadata, time)
            except OSError as error:
                self._losses.say(error)
                self._losses.count("log lines")
            else:
                self._note_success()

    def append_row(
        self, stream: str | None, fields: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        """Raises: TypeError naming the field, ValueError."""
        with self._lock:
            try:
                self._streams.append(stream, fields, words)
            except OSError as error:
                self._losses.say(error)
                self._losses.count("rows")
            else:
                self._note_success()

    def _note_success(self) -> None:
        self._keeper.touch()
        if self._is_forked:
            self._begin()
        if self._losses.is_disk_bad:
            self._losses.disk_is_well()

    def read_rows(self, stream: str | None, start_index: int, limit: int) -> dict[str, Any]:
        return self._pages.read(self._folder(stream) / "data.jsonl", start_index, limit)

    def stats(self, stream: str | None) -> dict[str, Any]:
        """Raises: FileNotFoundError."""
        return read_stats(self._folder(stream))

    def list_metrics(self) -> list[dict[str, Any]]:
        return list(list_streams(self.home / "metrics"))

    def _folder(self, stream: str | None) -> Path:
        return self.home / "metrics" / stream_path(stream)

    # ── Files ────────────────────────────────────────────────────────────────

    def save_file(self, source: Path, entry: FileEntry) -> dict[str, Any]:
        """Raises: OSError if it cannot be copied, TypeError, ValueError."""
        return self._files.save(source, entry)

    def list_files(self) -> list[dict[str, Any]]:
        return self._files.live_entries()

    def fetch_file(self, file_id: str, target: Path | None) -> Path:
        """Raises: DamagedFile, FileNotFoundError, OSError."""
        return self._files.fetch(file_id, target)

    def update_file(self, file_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: FileNotFoundError, OSError, TypeError, ValueError."""
        return self._files.update(file_id, changes)

    def delete_file(self, file_id: str) -> dict[str, Any]:
        """Raises: FileNotFoundError, OSError."""
        return self._files.delete(file_id)

    # ── Forks, and exits nobody announced ────────────────────────────────────

    def start_anew(self) -> None:
        """In a forked child: what it shares with its parent would defeat the locks."""
        self._lock = threading.RLock()
        self._keeper.reset()
        self._streams.close()
        self._logs.close()
        if self._life is not None:
            os.close(self._life)  # which does not end its parent's lock
            self._life, self._is_forked = None, True


def _start_children_anew() -> None:
    for store in list(_stores):
        store.start_anew()


def _keep_all() -> None:
    for store in list(_stores):
        store.flush()


os.register_at_fork(after_in_child=_start_children_anew)
atexit.register(_keep_all)
