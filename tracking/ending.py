"""How a server ends so that nobody loses what he asked for: for restarts one after the other.

It stops listening, so that whoever comes next goes elsewhere. It ends the streams, whose watchers
come back by themselves. What was asked for already runs to its end, for so long; and a connection
is closed when its answer has been sent.
"""

import asyncio
import logging
from typing import Any, Protocol
from weakref import WeakSet

from twisted.internet.defer import maybeDeferred

LOOK_S = 0.02
RESTART = 1012  # closes a WebSocket: "Service Restart"

log = logging.getLogger(__name__)


class Connections:
    """The HTTP connections of a server, also those on which nothing is asked just now."""

    def __init__(self) -> None:
        self._all: WeakSet[Any] = WeakSet()

    def add(self, connection: Any) -> None:
        self._all.add(connection)

    def open_ones(self) -> list[Any]:
        """Twisted's channels. One that became a WebSocket has handed its transport on."""
        channels = [(each, each._channel) for each in list(self._all)]  # noqa: SLF001 -- the only way in
        return [
            channel
            for connection, channel in channels
            if channel.transport
            and channel.transport.connected
            and channel.transport.protocol is connection
        ]

    def close_idle(self) -> None:
        """What waits to be sent is sent first."""
        for channel in self.open_ones():
            if not channel.requests:
                channel.loseConnection()


class Endable(Protocol):
    ports: list[Any]
    connections: dict[Any, dict[str, Any]]
    http_connections: Connections


async def end_server(server: Endable, within_s: float) -> None:
    """Returns when nothing is left to do, or nothing more can be waited for."""
    for port in server.ports:
        await maybeDeferred(port.stopListening).asFuture(asyncio.get_running_loop())
    for protocol in list(server.connections):
        protocol.end_stream()
    try:
        async with asyncio.timeout(within_s):
            while _is_busy(server):
                server.http_connections.close_idle()
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        log.warning("Ended in the middle of what was asked, after %s s.", within_s)
    await _cancel(_unfinished(server))


def _is_busy(server: Endable) -> bool:
    return bool(server.http_connections.open_ones() or _unfinished(server))


def _unfinished(server: Endable) -> list[asyncio.Future[Any]]:
    answers = (details.get("application_instance") for details in server.connections.values())
    return [answer for answer in answers if answer and not answer.done()]


async def _cancel(answers: list[asyncio.Future[Any]]) -> None:
    for answer in answers:
        answer.cancel()
    await asyncio.gather(*answers, return_exceptions=True)
