"""What keeps a watcher's consumer alive: a beat of its own, until the watcher leaves."""

import asyncio
from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull

HEARTBEAT_S = 15.0


class Beating:
    """For consumers: `look_around` is called with each beat, between two other messages."""

    channel_layer: Any
    channel_name: str
    heart: asyncio.Task[None] | None = None

    def start_heart(self) -> None:
        self.heart = asyncio.create_task(self.beat())

    async def beat(self) -> None:
        """By a message to itself: the consumer does one thing after the other."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            with suppress(ChannelFull):  # then it has enough to do
                await self.channel_layer.send(self.channel_name, {"type": "look.around"})

    async def stop_heart(self) -> None:
        if self.heart:
            self.heart.cancel()
            with suppress(asyncio.CancelledError):
                await self.heart
