"""What a WebSocket of the AI Manager API says: one JSON object per point, and per change of status."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.utils import timezone

from tracking.consumers.frames import EPOCH, write_number
from tracking.consumers.newsroom import Newsroom, Order
from tracking.dialects import MANAGER_STATUS, naive_iso
from tracking.domain.series import Row, read_news


@dataclass(frozen=True, slots=True)
class SocketPiece:
    """The points up to `revision`, a frame each."""

    revision: int
    frames: list[str]
    status: str

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.frames))


def read_socket_piece(order: Order) -> SocketPiece | None:
    news = read_news(order.run_id, order.after, since_us=order.since_us)
    if news is None:
        return None
    frames = [frame for row in news.rows() for frame in point_frames(order.run_id, row)]
    return SocketPiece(news.revision, frames, MANAGER_STATUS[news.run.status])  # type: ignore[index]


def point_frames(run_id: int, row: Row) -> Iterator[str]:
    moment = EPOCH + timedelta(microseconds=row.time_us)
    for name, value in row.values.items():
        yield _frame(
            {
                "type": "metric",
                "run_id": run_id,
                "name": name,
                "value": write_number(value),
                "step": row.step,
                "timestamp": naive_iso(moment),
            }
        )


def status_frame(run_id: int, status: str) -> str:
    return _frame(_news("status", run_id, timezone.now()) | {"status": status})


def deleted_frame(run_id: int) -> str:
    return _frame(_news("deleted", run_id, timezone.now()))


def _news(kind: str, run_id: int, moment: datetime) -> dict[str, Any]:
    return {"type": kind, "run_id": run_id, "timestamp": naive_iso(moment)}


def _frame(data: dict[str, Any]) -> str:
    return orjson.dumps(data).decode()


socket_newsroom = Newsroom(read_socket_piece)
