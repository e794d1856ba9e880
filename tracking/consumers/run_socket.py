"""The WebSocket of a run: its points and changes of status, as they are committed.

As with server-sent events a hint from the channel layer only makes it read the database above its
cursor. Who may watch is asked when it connects and at each beat. Source: AI Manager API,
"WebSocket API".
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from tracking import errors
from tracking.consumers.guard import NOT_SIGNED_IN, Receive, Scope, Send, chosen_protocol
from tracking.consumers.heart import Beating
from tracking.consumers.newsroom import Order
from tracking.consumers.socket_frames import deleted_frame, socket_newsroom, status_frame
from tracking.consumers.wanted import parse_since
from tracking.dialects import MANAGER_STATUS
from tracking.domain import events
from tracking.domain.access import find_run_by_id
from tracking.models import Run

PATIENCE_S = 30.0  # a watcher that takes nothing for so long is cut
INVALID = 4400  # closes the socket: `since` is no time
GONE = 4404  # closes the socket: the run was deleted, or may not be seen any more
MAX_DIGITS = 18  # of an id


@dataclass(slots=True)
class Watched:
    """What the watcher knows of the run. `past`: up to this revision, `since` leaves points out."""

    run_id: int
    revision: int
    past: int
    since_us: int | None
    status: str = ""


class RunSocket(Beating, AsyncWebsocketConsumer):
    """`/ws/{run_id}?since=…`; what the client says is not listened to."""

    watched: Watched

    def __init__(self) -> None:
        super().__init__()
        self.group = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """However it ends, it leaves nothing behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at database connections, of which this thread has none."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        try:
            since_us = parse_since(self.scope["query_string"])
            run = await database_sync_to_async(self.find_run)()
        except errors.RunyardError as error:
            await self.accept(chosen_protocol(self.scope))  # else a browser hears of no code
            await self.close(_code_for(error))
            raise StopConsumer from None
        is_live = since_us is None
        self.watched = Watched(run.pk, run.revision if is_live else 0, run.revision, since_us)
        events.attach_loop()
        await self.accept(chosen_protocol(self.scope))
        self.group = events.group_name(run.pk)
        self.start_heart()
        await self.look_around({})

    def find_run(self) -> Run:
        """Who it is and what he may see is asked anew. Raises: InvalidCredentials, NotFound."""
        text = self.scope["url_route"]["kwargs"]["run_id"]
        run_id = int(text) if len(text) <= MAX_DIGITS else 0
        return find_run_by_id(self.scope["find_user"](), run_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing that a client says changes anything."""

    async def run_changed(self, hint: dict[str, Any]) -> None:
        await self.catch_up(hint["revision"])

    async def catch_up(self, goal: int) -> None:
        """Send what was committed up to `goal`, a bounded piece at a time."""
        one = self.watched
        while one.revision < goal:
            since_us = one.since_us if one.revision < one.past else None
            piece = await socket_newsroom.read(Order(one.run_id, one.revision, since_us))
            if piece is None:
                await self.part()
            else:
                is_further, one.revision = piece.revision > one.revision, piece.revision
                for frame in piece.frames:
                    await self.push(frame)
                await self.tell_status(piece.status)
                if not is_further:
                    return

    async def tell_status(self, status: str) -> None:
        if status != self.watched.status:
            self.watched.status = status
            await self.push(status_frame(self.watched.run_id, status))

    async def push(self, frame: str) -> None:
        """Waits until the watcher has room for it, which bounds what the server holds for it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.send(text_data=frame)
        except TimeoutError:
            await self.base_send({"type": "websocket.cut"})
            raise StopConsumer from None

    async def look_around(self, message: dict[str, Any]) -> None:  # noqa: ARG002 -- Channels passes it
        """Look for news no hint has told of, and whether one may still watch."""
        await self.channel_layer.group_add(self.group, self.channel_name)
        try:
            run = await database_sync_to_async(self.find_run)()
        except errors.InvalidCredentials:
            await self.close(NOT_SIGNED_IN)
            raise StopConsumer from None
        except errors.NotFound:
            await self.part()
        else:
            await self.catch_up(run.revision)
            if self.watched.revision <= run.revision:  # a piece may have brought a newer one
                await self.tell_status(MANAGER_STATUS[run.status])

    async def part(self) -> None:
        await self.push(deleted_frame(self.watched.run_id))
        await self.close(GONE)
        raise StopConsumer

    async def leave(self) -> None:
        await self.stop_heart()
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)


def _code_for(error: errors.RunyardError) -> int:
    match error:
        case errors.InvalidCredentials():
            return NOT_SIGNED_IN
        case errors.InvalidInput():
            return INVALID
        case _:
            return GONE
