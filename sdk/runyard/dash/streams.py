"""Rows of named streams: `metrics/<name>/data.jsonl`, and what is said of each stream beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.dash.documents import encode, replace_document, utc_now
from runyard.dash.lines import LineFile
from runyard.dash.names import stream_name, stream_path
from runyard.values import as_json_map

MAX_OPEN = 100  # streams; two descriptors each, and the job needs some too
PLAIN = frozenset({float, bool, type(None)})  # need no conversion
TEXT = frozenset({str})


class StreamFile:
    """One stream. `metadata.json` lags behind the rows, which are the truth."""

    def __init__(self, folder: Path, name: str | None, words: Mapping[str, Any]) -> None:
        self.folder = folder
        self.name = name
        self.lines = LineFile(folder / "data.jsonl", folder / ".metadata.lock", "index")
        self.is_unsaved = False
        self._saved_bytes = 0
        self._words = as_json_map(words, "metrics")
        self._created_at = utc_now()

    def append(self, fields: Mapping[str, Any]) -> None:
        """Raises: OSError, TypeError, ValueError."""
        data = encode(fields if _is_plain(fields) else as_json_map(fields, "metrics"))
        self.lines.append(
            lambda index: (
                b'{"index":%d,"data":%s,"createdAt":"%s"}\n'
                % (index, data.encode(), utc_now().encode())
            )
        )
        self.is_unsaved = True

    def save_words(self, *, sync: bool) -> None:
        """Not where the rows were deleted meanwhile. Raises: OSError."""
        self.is_unsaved = False
        if not self.lines.path.exists():
            return
        with self.lines.hold() as next_index:
            replace_document(
                self.folder / "metadata.json",
                lambda found: self._describe(found, next_index),
                sync=sync,
            )
            self._saved_bytes = self.lines.size

    def has_grown(self) -> bool:
        """Since the words were saved, whoever wrote."""
        try:
            return self.lines.path.stat().st_size != self._saved_bytes
        except OSError:
            return False

    def _describe(self, found: dict[str, Any], next_index: int) -> dict[str, Any]:
        """What was said first stays; the numbers follow the rows."""
        words = {
            "metricId": f"local-metric-{self.name}",
            "name": self.name,
            "description": self._words.get("description"),
            "tags": list(self._words.get("tags") or []),
            "metadata": self._words.get("metadata"),
            "totalDataPoints": 0,
            "nextIndex": 0,
            "createdAt": self._created_at,
        }
        words |= {key: value for key, value in found.items() if value or key not in words}
        words["totalDataPoints"] = count_rows(words, next_index)
        words["nextIndex"] = next_index
        words["updatedAt"] = utc_now()
        return words


class Streams:
    """All streams of an experiment; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._streams: dict[str | None, StreamFile] = {}
        self._open: dict[StreamFile, None] = {}

    def append(
        self, stream: str | None, fields: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        """Raises: OSError, TypeError, ValueError."""
        file = self._streams.get(stream)
        if file is None:
            file = self._streams[stream] = self._make(stream, words)
        if not file.lines.is_open:
            self._make_room(file)
        file.append(fields)

    def find_unsaved(self, *, by_anybody: bool) -> list[StreamFile]:
        """`by_anybody`: forked children and others too, which takes a look at each file."""
        return [
            file
            for file in self._streams.values()
            if file.is_unsaved or (by_anybody and file.has_grown())
        ]

    def save_words(self, file: StreamFile, *, sync: bool) -> None:
        """Raises: OSError."""
        if not file.lines.is_open:
            self._make_room(file)
        file.save_words(sync=sync)

    def close(self) -> None:
        for file in self._streams.values():
            file.lines.close()
        self._open.clear()

    def _make(self, stream: str | None, words: Mapping[str, Any]) -> StreamFile:
        path = stream_path(stream)
        return StreamFile(self.folder / path, stream_name(path), words)

    def _make_room(self, file: StreamFile) -> None:
        """The one opened first is closed; it opens again when it is needed."""
        self._open.pop(file, None)
        while len(self._open) >= MAX_OPEN:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.lines.close()
        self._open[file] = None


def count_rows(words: Mapping[str, Any], next_index: int) -> int:
    """From the count that was right at an earlier index."""
    total, index = words.get("totalDataPoints"), words.get("nextIndex")
    if isinstance(total, int) and isinstance(index, int) and 0 <= index <= next_index:
        return total + next_index - index
    return next_index


def _is_plain(fields: Mapping[str, Any]) -> bool:
    """Numbers under ordinary names, as nearly all rows are."""
    return (
        PLAIN.issuperset(map(type, fields.values()))
        and TEXT.issuperset(map(type, fields))
        and "".join(fields).isprintable()
    )
