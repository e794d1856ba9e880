"""Server-sent events: the news of one or many runs, as they are committed.

A hint from the channel layer only makes a stream read the database above its cursor, so nothing is
skipped: not when a hint is lost, not when the server restarts, not when a watcher comes back with
`Last-Event-ID`. Source: Dashboard API, "Real-time Streaming (SSE)".
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async
from channels.exceptions import ChannelFull, StopConsumer
from channels.generic.http import AsyncHttpConsumer
from django.conf import settings

from tracking import errors
from tracking.consumers.frames import (
    comment,
    cursor_text,
    parse_cursor,
    retry,
    row_frame,
    status_frame,
)
from tracking.consumers.guard import Receive, Scope, Send
from tracking.domain import events
from tracking.domain.access import find_project, find_run
from tracking.domain.series import News, read_news
from tracking.models import Run

HEARTBEAT_S = 15.0
HEADERS = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-store"),
    (b"X-Accel-Buffering", b"no"),
]


class RunStream(AsyncHttpConsumer):
    """`/api/projects/{project}/runs/stream?runs=a,b` and `/api/projects/{project}/runs/{run}/stream`."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor: dict[int, int] = {}  # run id → revision that has been sent
        self.keys: dict[int, str] = {}
        self.statuses: dict[int, str] = {}
        self.since_us: int | None = None
        self.heart: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """However it ends, also by an error or by the server's order, it leaves nothing behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.heart or message.get("more_body"):
            return
        if self.scope["method"] not in {"GET", "HEAD"}:
            await self.refuse(405, "Only GET.", (b"Allow", b"GET, HEAD"))
        try:
            runs = await database_sync_to_async(self.find_runs)()
        except errors.RunyardError as error:
            await self.refuse(400 if isinstance(error, errors.InvalidInput) else 404, str(error))
        if self.scope["method"] == "HEAD":
            await self.send_response(200, b"", headers=HEADERS)
            raise StopConsumer
        await self.begin(runs)

    async def begin(self, runs: list[Run]) -> None:
        events.attach_loop()
        await self.send_headers(headers=HEADERS)
        await self.send_body(retry(), more_body=True)
        self.start_cursor(runs)
        await self.join()
        self.heart = asyncio.create_task(self.beat())
        for run in runs:
            await self.catch_up(run.pk)

    def find_runs(self) -> list[Run]:
        """Raises: NotFound, InvalidInput."""
        path, user = self.scope["url_route"]["kwargs"], self.scope["user"]
        query = parse_qs(self.scope["query_string"].decode("latin1"))
        self.since_us = _since(query)
        if key := path.get("run"):
            return [find_run(user, path["project"], key)]
        keys = {key.strip() for text in query.get("runs", []) for key in text.split(",")} - {""}
        if not keys:
            raise errors.InvalidInput("No runs specified", field="runs")
        if len(keys) > settings.MAX_RUNS_PER_REQUEST:
            raise errors.LimitExceeded(
                f"Too many runs: {len(keys)} (max: {settings.MAX_RUNS_PER_REQUEST})", field="runs"
            )
        return list(find_project(user, path["project"]).runs.filter(key__in=keys))

    async def refuse(self, status: int, detail: str, *headers: tuple[bytes, bytes]) -> None:
        body = orjson.dumps({"detail": detail})
        json = (b"Content-Type", b"application/json")
        await self.send_response(status, body, headers=[json, *headers])
        raise StopConsumer

    def start_cursor(self, runs: list[Run]) -> None:
        """Where the watcher stopped, or now; with `since` from the first point."""
        known = parse_cursor(dict(self.scope["headers"]).get(b"last-event-id", b""))
        for run in runs:
            self.keys[run.pk] = run.key
            fallback = run.revision if self.since_us is None else 0
            self.cursor[run.pk] = min(known.get(run.key, fallback), run.revision)

    async def run_changed(self, hint: dict[str, Any]) -> None:
        if hint["revision"] > self.cursor.get(hint["run_id"], 0):
            await self.catch_up(hint["run_id"])

    async def catch_up(self, run_id: int) -> None:
        """Send what was committed since the cursor, a bounded piece at a time."""
        read = partial(database_sync_to_async(read_news), run_id, since_us=self.since_us)
        while news := await read(after=self.cursor[run_id]):
            self.cursor[run_id] = news.revision
            if frames := self.frames(news):
                await self.send_body(b"".join(frames), more_body=True)
            if news.revision >= news.run.revision:
                break

    def frames(self, news: News) -> list[bytes]:
        """One event per logged row, one if the status changed; the last one carries the cursor."""
        frames = [row_frame(news.run, row) for row in news.rows]
        if self.statuses.get(news.run.pk) != news.run.shown_status:
            self.statuses[news.run.pk] = news.run.shown_status
            frames.append(status_frame(news.run))
        if frames:
            frames[-1] = cursor_text(self.keys, self.cursor) + frames[-1]
        return frames

    async def beat(self) -> None:
        """By a message to itself: the consumer does one thing after the other."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            with suppress(ChannelFull):  # then it has enough to do
                await self.channel_layer.send(self.channel_name, {"type": "look.around"})

    async def look_around(self, message: dict[str, Any]) -> None:  # noqa: ARG002 -- Channels passes it
        """Keep proxies from closing the stream, and look for news no hint has told of."""
        await self.join()
        await self.send_body(comment("beat"), more_body=True)
        for run_id in await database_sync_to_async(self.find_changed)():
            await self.catch_up(run_id)

    def find_changed(self) -> list[int]:
        """The runs that are not as the watcher knows them. One query."""
        runs = Run.objects.filter(pk__in=self.keys).only("revision", "status", "last_seen_at")
        return [
            run.pk
            for run in runs
            if run.revision > self.cursor[run.pk] or run.shown_status != self.statuses.get(run.pk)
        ]

    async def join(self) -> None:
        """Again with each beat: a channel layer forgets members, the slow ones first."""
        for run_id in self.keys:
            await self.channel_layer.group_add(events.group_name(run_id), self.channel_name)

    async def leave(self) -> None:
        if self.heart:
            self.heart.cancel()
            with suppress(asyncio.CancelledError):
                await self.heart
        for run_id in self.keys:
            await self.channel_layer.group_discard(events.group_name(run_id), self.channel_name)


def _since(query: dict[str, list[str]]) -> int | None:
    """`since` in UNIX ms as microseconds. Raises: InvalidInput."""
    if "since" not in query:
        return None
    text = query["since"][-1]
    if not text.lstrip("-").isdecimal() or abs(int(text[:20])) > 2**50:
        raise errors.InvalidInput("since must be a UNIX time in milliseconds.", field="since")
    return int(text) * 1000
