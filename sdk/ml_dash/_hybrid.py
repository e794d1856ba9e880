"""On this machine and on a server: written to both, read here but for files."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from runyard.dash.store import DashStore
from runyard.notices import warn

from ml_dash._remote import RemoteStore
from ml_dash._store import About, FileEntry, Store
from ml_dash.exceptions import AuthenticationError, NetworkError

T = TypeVar("T")


class HybridStore:
    """The local store never waits for the other; files have the same ids in both."""

    def __init__(self, local: DashStore, remote: RemoteStore) -> None:
        self._local = local
        self._remote = remote

    def start(self, about: About) -> None:
        self._local.start(about)
        try:
            self._remote.start(about)
        except BaseException:
            self._local.finish("FAILED")
            raise
        if path := self._remote.spool_path:
            self._local.note_sender(path)

    def finish(self, status: str, reason: str = "") -> None:
        self._local.finish(status, reason)
        self._remote.finish(status, reason)

    def flush(self) -> None:
        self._local.flush()
        self._remote.flush()

    def set_params(self, flat: Mapping[str, Any]) -> None:
        self._local.set_params(flat)
        self._remote.set_params(flat)

    def get_params(self) -> dict[str, Any]:
        return self._local.get_params()

    def log(self, message: str, level: str, metadata: Mapping[str, Any], time: datetime) -> None:
        self._local.log(message, level, metadata, time)
        self._remote.log(message, level, metadata, time)

    def append_row(
        self, stream: str | None, fields: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        self._local.append_row(stream, fields, words)
        self._remote.append_row(stream, fields, words)

    def read_rows(self, stream: str | None, start_index: int, limit: int) -> dict[str, Any]:
        return self._local.read_rows(stream, start_index, limit)

    def stats(self, stream: str | None) -> dict[str, Any]:
        return self._local.stats(stream)

    def list_metrics(self) -> list[dict[str, Any]]:
        return self._local.list_metrics()

    def save_file(self, source: Path, entry: FileEntry) -> dict[str, Any]:
        try:
            self._local.save_file(source, entry)
        except OSError as error:
            warn(f"{entry.filename} is not saved on this machine: {error}")
        return self._remote.save_file(source, entry)

    def list_files(self) -> list[dict[str, Any]]:
        return self._ask(lambda store: store.list_files())

    def fetch_file(self, file_id: str, target: Path | None) -> Path:
        return self._ask(lambda store: store.fetch_file(file_id, target))

    def update_file(self, file_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        return self._change(lambda store: store.update_file(file_id, changes))

    def delete_file(self, file_id: str) -> dict[str, Any]:
        return self._change(lambda store: store.delete_file(file_id))

    def _ask(self, question: Callable[[Store], T]) -> T:
        """The server, which may know of other machines' files; this one, where it is silent."""
        try:
            return question(self._remote)
        except (NetworkError, AuthenticationError, FileNotFoundError):
            return question(self._local)

    def _change(self, change: Callable[[Store], dict[str, Any]]) -> dict[str, Any]:
        """In both places; FileNotFoundError only if neither has the file."""
        try:
            outcome = change(self._local)
        except FileNotFoundError:
            return change(self._remote)
        try:
            return {**outcome, **change(self._remote)}
        except FileNotFoundError:
            return outcome
