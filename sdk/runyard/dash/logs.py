"""Log lines of an experiment: `logs/logs.jsonl`."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from runyard.dash.counters import TextCounter
from runyard.dash.lines import LineFile
from runyard.files.documents import encode, sync_file, utc_text
from runyard.values import as_json_map


class Logs:
    """For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._lines = LineFile(
            folder / "logs.jsonl",
            folder / ".log_sequence.lock",
            "sequenceNumber",
            TextCounter(folder / ".log_sequence"),
        )
        self._is_unsynced = False

    def append(self, message: str, level: str, metadata: Mapping[str, Any], time: datetime) -> None:
        """Raises: OSError, TypeError, ValueError."""
        line: dict[str, Any] = {
            "timestamp": utc_text(time),
            "level": level,
            "message": str(message),
        }
        if metadata:
            line["metadata"] = as_json_map(metadata, "metadata")
        rest = encode(line)[1:].encode()
        self._lines.append(lambda number: b'{"sequenceNumber":%d,%s\n' % (number, rest))
        self._is_unsynced = True

    def sync(self) -> None:
        """Raises: OSError."""
        if self._is_unsynced:
            self._is_unsynced = False
            sync_file(self._lines.path)

    def close(self) -> None:
        self._lines.close()
