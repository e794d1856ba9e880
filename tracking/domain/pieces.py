"""Files piece by piece, read in threads that nothing else waits for."""

from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.core.files.base import File

P = ParamSpec("P")
T = TypeVar("T")
PIECE_BYTES = 256 * 1024  # large enough to cost little, small enough to let others run in between
# Of their own: while a store of files hangs, these hang, and the rest of the server does not.
READERS = ThreadPoolExecutor(32, thread_name_prefix="files")


def in_reader(read: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    return sync_to_async(read, thread_sensitive=False, executor=READERS)


class Pieces:
    """So many bytes from where the file stands; it is closed at their end, or with the answer."""

    def __init__(self, file: "File[bytes]", size_bytes: int) -> None:
        self._file, self._left = file, size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read: Any = in_reader(self._file.read)
        try:
            while self._left and (piece := await read(min(PIECE_BYTES, self._left))):
                self._left -= len(piece)
                yield piece
        finally:
            await in_reader(self.close)()

    def close(self) -> None:
        self._file.close()
