"""Files beside numbered lines that tell the next number: the original counts by these alone."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from runyard.files.documents import encode, replace_document, utc_now
from runyard.same_file import is_at

# At the end of metadata.json and always as long, so that a row changes it where it stands.
TAIL = b',"totalDataPoints":%-14d,"nextIndex":%-14d,"updatedAt":"%s"}'
TAIL_BYTES = len(TAIL % (0, 0, utc_now().encode()))


class Counter(Protocol):
    def write(self, following: int, *, is_anew: bool) -> None:
        """With the lock held. `is_anew`: somebody else may have written meanwhile. Raises: OSError."""

    def close(self) -> None: ...


class TextCounter:
    """The number, as text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def write(self, following: int, *, is_anew: bool) -> None:
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if is_anew:
            os.ftruncate(self._fd, 0)  # it may have had more digits
        os.pwrite(self._fd, str(following).encode(), 0)

    def close(self) -> None:
        self._fd = close(self._fd)


class StreamWords:
    """`metadata.json`: what is said of a stream, and how many rows it has."""

    def __init__(self, path: Path, name: str | None, words: Mapping[str, Any]) -> None:
        self.path = path
        self._first = {
            "metricId": f"local-metric-{name}",
            "name": name,
            "description": words.get("description"),
            "tags": list(words.get("tags") or []),
            "metadata": words.get("metadata"),
            "createdAt": utc_now(),
        }
        self._fd = -1
        self._offset = 0
        self._tail = b""
        self._surplus = 0  # of rows over indexes, in what the original wrote

    def write(self, following: int, *, is_anew: bool) -> None:
        if is_anew or not self._is_ours():
            self._rewrite(following)
            return
        tail = TAIL % (following + self._surplus, following, utc_now().encode())
        os.pwrite(self._fd, tail, self._offset)
        self._tail = tail

    def close(self) -> None:
        self._fd = close(self._fd)

    def _is_ours(self) -> bool:
        """Whether the file is still the one we know."""
        if self._fd >= 0:
            return is_at(self._fd, self.path)
        with contextlib.suppress(OSError):
            self._open()
            if self._tail and os.pread(self._fd, TAIL_BYTES + 1, self._offset) == self._tail:
                return True
        self.close()
        return False

    def _rewrite(self, following: int) -> None:
        self.close()
        document = replace_document(
            self.path, lambda found: self._describe(found, following), to_bytes, sync=False
        )
        self._surplus = document["totalDataPoints"] - following
        self._tail = to_bytes(document)[-TAIL_BYTES:]
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self._offset = max(0, os.fstat(self._fd).st_size - TAIL_BYTES)

    def _describe(self, found: dict[str, Any], following: int) -> dict[str, Any]:
        """What was said first stays; the numbers follow the rows."""
        kept = {key: value for key, value in found.items() if value or key not in self._first}
        counted = {"totalDataPoints": count_rows(found, following), "nextIndex": following}
        return self._first | kept | counted | {"updatedAt": utc_now()}


def to_bytes(words: dict[str, Any]) -> bytes:
    """As JSON with the numbers in the tail."""
    rest = {key: words[key] for key in words if key not in _COUNTED}
    counted = words["totalDataPoints"], words["nextIndex"], words["updatedAt"].encode()
    return encode(rest)[:-1].encode() + TAIL % counted


_COUNTED = frozenset({"totalDataPoints", "nextIndex", "updatedAt"})


def count_rows(words: Mapping[str, Any], following: int) -> int:
    """From the count that was right at an earlier index."""
    total, index = words.get("totalDataPoints"), words.get("nextIndex")
    if isinstance(total, int) and isinstance(index, int) and 0 <= index <= following:
        return total + following - index
    return following


def close(fd: int) -> int:
    """What stands for a closed descriptor."""
    if fd >= 0:
        with contextlib.suppress(OSError):
            os.close(fd)
    return -1
