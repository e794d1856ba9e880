"""Server-sent events: the news of one or many runs, as they are committed.

A hint from the channel layer only makes a stream read the database above its cursor, so nothing is
skipped: not when a hint is lost, not when the server restarts, not when a watcher comes back with
`Last-Event-ID`. Source: Dashboard API, "Real-time Streaming (SSE)".
"""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
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
        self.reading = asyncio.Lock()
        self.heart: asyncio.Task[None] | None = None

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.heart or message.get("more_body"):
            return
        try:
            runs = await database_sync_to_async(self.find_runs)()
        except errors.RunyardError as error:
            await self.refuse(error)
        events.attach_loop()
        await self.send_headers(headers=HEADERS)
        await self.send_body(retry(), more_body=True)
        for run in runs:
            await self.channel_layer.group_add(events.group_name(run.pk), self.channel_name)
        self.heart = asyncio.create_task(self.beat())
        self.start_cursor(runs)
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

    async def refuse(self, error: errors.RunyardError) -> None:
        status = 400 if isinstance(error, errors.InvalidInput) else 404
        body = orjson.dumps({"detail": str(error)})
        await self.send_response(status, body, headers=[(b"Content-Type", b"application/json")])
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
        async with self.reading:
            while news := await database_sync_to_async(read_news)(run_id, self.cursor[run_id]):
                self.cursor[run_id] = news.revision
                if frames := self.frames(news):
                    await self.send_body(b"".join(frames), more_body=True)
                if news.revision >= news.run.revision:
                    break

    def frames(self, news: News) -> list[bytes]:
        """One event per logged row, one if the status changed; the last one carries the cursor."""
        rows = [row for row in news.rows if self.since_us is None or row.time_us >= self.since_us]
        frames = [row_frame(news.run, row) for row in rows]
        if self.statuses.get(news.run.pk) != news.run.shown_status:
            self.statuses[news.run.pk] = news.run.shown_status
            frames.append(status_frame(news.run))
        if frames:
            frames[-1] = cursor_text(self.keys, self.cursor) + frames[-1]
        return frames

    async def beat(self) -> None:
        """Keep proxies from closing the stream, and look for news no hint has told of."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self.send_body(comment("beat"), more_body=True)
            for run_id in self.keys:
                await self.catch_up(run_id)

    async def disconnect(self) -> None:
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
