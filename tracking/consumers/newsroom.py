"""One reading of the database, and one encoding, for all watchers that lack the same news.

Two hundred watchers of a run are told of each commit at the same moment, and stand at the same
revision: the first to ask has the piece read, the others get the same bytes. Whoever stands
elsewhere, or lags behind what is kept, has a piece of its own: nothing here is ever waited for or
needed. With nobody watching, nothing is read and nothing is kept.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from channels.db import database_sync_to_async

from tracking.consumers.frames import row_frame, status_frame
from tracking.domain.portions import in_portions
from tracking.domain.series import read_news

PART_BYTES = 64 * 1024  # about what a connection's buffer takes before it asks to wait
KEEP_S = 5.0  # watchers of one commit come within a fraction of that
KEEP_BYTES = 16 * 1024 * 1024  # of all pieces together


class Order(NamedTuple):
    """What a watcher lacks who knows of a commit after `after`.

    Because everybody who orders knows of one, each reading brings each of them further, also who
    joins it later; it may end before the newest commit, so they order again until they have it.
    """

    run_id: int
    after: int
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames up to `revision`: full `parts`, the `rest`, and the `last` one, before which goes an id."""

    revision: int
    parts: list[bytes]
    rest: bytes
    last: bytes
    status: str
    status_frame: bytes

    @property
    def size_bytes(self) -> int:
        return sum(map(len, [*self.parts, self.rest, self.last]))


class Readable(Protocol):
    @property
    def revision(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...


PieceT = TypeVar("PieceT", bound=Readable)


class Newsroom(Generic[PieceT]):
    """Belongs to one event loop, and is used from nowhere else. `read_piece` runs in a thread."""

    def __init__(self, read_piece: Callable[[Order], PieceT | None]) -> None:
        self._read_piece = read_piece
        self._readings: dict[Order, asyncio.Task[PieceT | None]] = {}
        self._pieces: dict[Order, PieceT] = {}  # the oldest first

    async def read(self, order: Order) -> PieceT | None:
        """The next piece, which may not be the last that there is; None when the run is gone."""
        if piece := self._pieces.get(order):
            return piece
        reading = self._readings.get(order)
        if reading is None:
            reading = asyncio.create_task(database_sync_to_async(self._read_piece)(order))
            self._readings[order] = reading
            reading.add_done_callback(lambda done: self._finish(order, done))
        return await asyncio.shield(reading)  # who leaves does not take it from the others

    def _finish(self, order: Order, reading: "asyncio.Task[PieceT | None]") -> None:
        self._readings.pop(order, None)
        piece = None if reading.cancelled() or reading.exception() else reading.result()
        if piece is None or piece.revision <= order.after:
            return
        self._pieces[order] = piece
        reading.get_loop().call_later(KEEP_S, self._drop, order, piece)
        while sum(kept.size_bytes for kept in self._pieces.values()) > KEEP_BYTES:
            del self._pieces[next(iter(self._pieces))]

    def _drop(self, order: Order, piece: PieceT) -> None:
        if self._pieces.get(order) is piece:
            del self._pieces[order]

    def forget(self) -> None:
        self._readings.clear()
        self._pieces.clear()


def read_piece(order: Order) -> Piece | None:
    news = read_news(order.run_id, order.after, since_us=order.since_us)
    if news is None:
        return None
    *earlier, last = [row_frame(news.run, row) for row in news.rows()] or [b""]
    *parts, rest = [b"".join(part) for part in in_portions(earlier, PART_BYTES)] or [b""]
    return Piece(
        revision=news.revision,
        parts=parts,
        rest=rest,
        last=last,
        status=news.run.shown_status,
        status_frame=status_frame(news.run),
    )


newsroom = Newsroom(read_piece)
