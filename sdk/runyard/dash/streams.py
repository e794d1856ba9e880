"""Rows of named streams: `metrics/<name>/data.jsonl`, and what is said of each stream beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.dash.counters import StreamWords
from runyard.dash.lines import LineFile
from runyard.dash.names import stream_name, stream_path
from runyard.files.documents import encode, sync_file, utc_now
from runyard.values import as_json_map

MAX_OPEN = 100  # streams; three descriptors each, and the job needs some too
PLAIN = frozenset({float, bool, type(None)})  # need no conversion
TEXT = frozenset({str})


class StreamFile:
    def __init__(self, folder: Path, name: str | None, words: Mapping[str, Any]) -> None:
        """Raises: TypeError, ValueError."""
        self.words = StreamWords(folder / "metadata.json", name, as_json_map(words, "metrics"))
        self.lines = LineFile(folder / "data.jsonl", folder / ".metadata.lock", "index", self.words)
        self.is_unsynced = False

    def append(self, fields: Mapping[str, Any]) -> None:
        """Raises: OSError, TypeError, ValueError."""
        data = encode(fields if _is_plain(fields) else as_json_map(fields, "metrics"))
        self.lines.append(
            lambda index: (
                b'{"index":%d,"data":%s,"createdAt":"%s"}\n'
                % (index, data.encode(), utc_now().encode())
            )
        )
        self.is_unsynced = True

    def sync(self) -> None:
        """Raises: OSError."""
        self.is_unsynced = False
        sync_file(self.lines.path)
        sync_file(self.words.path)


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

    def list_unsynced(self) -> list[StreamFile]:
        return [file for file in self._streams.values() if file.is_unsynced]

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


def _is_plain(fields: Mapping[str, Any]) -> bool:
    """Numbers under ordinary names, as nearly all rows are."""
    return (
        PLAIN.issuperset(map(type, fields.values()))
        and TEXT.issuperset(map(type, fields))
        and "".join(fields).isprintable()
    )
