"""What an experiment asks of the place where it is kept: this machine, a server, or both."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from runyard.dash.records import About, FileEntry

__all__ = ["About", "FileEntry", "Store"]


class Store(Protocol):
    """Streams are named; None is the one without a name. Files are told by dicts of 14 keys."""

    def start(self, about: About) -> None:
        """Create the experiment, or go on with it; it is running."""

    def finish(self, status: str, reason: str = "") -> None:
        """`status`: COMPLETED, FAILED or CANCELLED; `reason`: "ValueError: x"."""

    def flush(self) -> None: ...

    def set_params(self, flat: Mapping[str, Any]) -> None:
        """Merge into those that are there."""

    def get_params(self) -> dict[str, Any]: ...

    def log(
        self, message: str, level: str, metadata: Mapping[str, Any], time: datetime
    ) -> None: ...

    def append_row(
        self, stream: str | None, fields: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        """`words`: description, tags and metadata of the stream."""

    def read_rows(self, stream: str | None, start_index: int, limit: int) -> dict[str, Any]: ...

    def stats(self, stream: str | None) -> dict[str, Any]:
        """Raises: FileNotFoundError."""

    def list_metrics(self) -> list[dict[str, Any]]: ...

    def save_file(self, source: Path, entry: FileEntry) -> dict[str, Any]: ...

    def list_files(self) -> list[dict[str, Any]]:
        """Those that were not deleted."""

    def fetch_file(self, file_id: str, target: Path | None) -> Path:
        """Without a target its own name, here. Raises: FileNotFoundError, DamagedFile."""

    def update_file(self, file_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: FileNotFoundError."""

    def delete_file(self, file_id: str) -> dict[str, Any]:
        """The bytes stay. Raises: FileNotFoundError."""
