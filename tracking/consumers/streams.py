"""Server-sent events: the news of one or many runs, as they are committed.

A hint from the channel layer only makes a stream read the database above its cursor, so nothing is
skipped: not when a hint is lost, not when the server restarts, not when a watcher comes back with
`Last-Event-ID`. Source: Dashboard API, "Real-time Streaming (SSE)".
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer

from tracking import errors
from tracking.consumers.frames import (
    RUN_KEY,
    Cursor,
    comment,
    cursor_text,
    deleted_frame,
    parse_cursors,
    retry,
    status_frame,
)
from tracking.consumers.guard import Receive, Scope, Send
from tracking.consumers.heart import Beating
from tracking.consumers.newsroom import Order, Piece, newsroom
from tracking.consumers.wanted import Wanted, parse_wanted
from tracking.dialects import list_unknown
from tracking.domain import events
from tracking.domain.access import find_project, find_run, visible_projects
from tracking.models import Run

PATIENCE_S = 30.0  # a watcher that takes nothing for so long is cut, and resumes when it likes
HEADERS = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-store"),
    (b"X-Accel-Buffering", b"no"),
]


@dataclass(slots=True)
class Watched:
    """What the watcher knows of a run. `past`: up to this revision, `since` leaves points out."""

    key: str
    revision: int
    past: int = 0
    status: str = ""


class RunStream(Beating, AsyncHttpConsumer):
    """`/api/projects/{project}/runs/stream?runs=a,b` and `/api/projects/{project}/runs/{run}/stream`."""

    wanted: Wanted

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[int, Watched] = {}  # by run id
        self.cursors: dict[str, Cursor] = {}  # by key, also of runs that do not exist

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """However it ends, also by an error or by the server's order, it leaves nothing behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at this thread's database connections: it has none, and the look
        costs each watcher more than the news do.
        """
        await getattr(self, get_handler_name(message))(message)

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.heart or message.get("more_body"):
            return
        if self.scope["method"] not in {"GET", "HEAD"}:
            await self.refuse(405, "Only GET.", (b"Allow", b"GET, HEAD"))
        try:
            self.wanted = parse_wanted(
                self.scope["url_route"]["kwargs"], self.scope["query_string"]
            )
            runs = await database_sync_to_async(self.open_runs)()
        except errors.RunyardError as error:
            await self.refuse(400 if isinstance(error, errors.InvalidInput) else 404, str(error))
        unknown = list_unknown(self.wanted.keys, [run.key for run in runs])
        headers = HEADERS + [(name.encode(), value.encode()) for name, value in unknown.items()]
        if self.scope["method"] == "HEAD":
            await self.send_response(200, b"", headers=headers)
            raise StopConsumer
        await self.begin(runs, headers)

    async def begin(self, runs: list[Run], headers: list[tuple[bytes, bytes]]) -> None:
        events.attach_loop()
        await self.send_headers(headers=headers)
        await self.push(retry())
        self.start_cursors(runs)
        await self.join()
        self.start_heart()
        await self.look()

    def open_runs(self) -> list[Run]:
        """Raises: NotFound. Of many runs none need exist: they are told of once they do."""
        project = find_project(self.scope["user"], self.wanted.project)
        if self.wanted.is_single:
            return [find_run(self.scope["user"], project.key, key) for key in self.wanted.keys]
        return self.find_runs()

    def find_runs(self) -> list[Run]:
        """At each beat: what has changed, gone or come, or may no longer be seen.

        Raises: InvalidCredentials when the watcher himself may no longer come in.
        """
        projects = visible_projects(self.scope["find_user"]()).filter(key=self.wanted.project)
        runs = Run.objects.filter(project__in=projects, key__in=self.wanted.keys)
        fields = ("key", "revision", "status", "last_seen_at", "exit_code", "project__key")
        return list(runs.select_related("project").only(*fields).order_by("pk"))

    async def refuse(self, status: int, detail: str, *headers: tuple[bytes, bytes]) -> None:
        body = orjson.dumps({"detail": detail})
        json = (b"Content-Type", b"application/json")
        await self.send_response(status, body, headers=[json, *headers])
        raise StopConsumer

    def start_cursors(self, runs: list[Run]) -> None:
        """Where the watcher stopped, or now; with `since` from the first point."""
        known = parse_cursors(dict(self.scope["headers"]).get(b"last-event-id", b""))
        for key in filter(RUN_KEY.fullmatch, sorted(self.wanted.keys)):
            self.cursors[key] = Cursor(0, 0)
        for run in runs:
            cursor = known.get(run.key)
            if cursor is None:
                is_live = self.wanted.since_us is None
                self.follow(run, run.revision if is_live else 0, past=run.revision)
            elif cursor.number in {None, run.pk}:
                self.follow(run, min(cursor.revision, run.revision))
            else:  # it is another run, made under the key of the one the watcher knew
                self.follow(run, 0)

    def follow(self, run: Run, revision: int, past: int = 0) -> None:
        self.watched[run.pk] = Watched(run.key, revision, past)
        self.cursors[run.key] = Cursor(revision, run.pk)

    async def run_changed(self, hint: dict[str, Any]) -> None:
        await self.catch_up(hint["run_id"], hint["revision"])

    async def catch_up(self, run_id: int, goal: int) -> None:
        """Send what was committed up to `goal`, a bounded piece at a time."""
        while (run := self.watched.get(run_id)) and run.revision < goal:
            since_us = self.wanted.since_us if run.revision < run.past else None
            piece = await newsroom.read(Order(run_id, run.revision, since_us))
            if piece is None:
                await self.part_from(run_id)
            elif not await self.deliver(run_id, piece):
                return

    async def deliver(self, run_id: int, piece: Piece) -> bool:
        """Whether it brought the watcher on. The last frame carries the cursor."""
        run = self.watched[run_id]
        is_further, has_turned = piece.revision > run.revision, piece.status != run.status
        run.revision, run.status = piece.revision, piece.status
        self.cursors[run.key] = Cursor(piece.revision, run_id)
        for part in piece.parts:
            await self.push(part)
        if has_turned:
            await self.push(piece.rest + piece.last + self.cursor_text() + piece.status_frame)
        elif piece.last:
            await self.push(piece.rest + self.cursor_text() + piece.last)
        return is_further

    def cursor_text(self) -> bytes:
        return cursor_text(self.cursors)

    async def push(self, data: bytes) -> None:
        """Waits until the watcher has room for it, which bounds what the server holds for it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.send_body(data, more_body=True)
        except TimeoutError:
            await self.send({"type": "http.response.cut"})
            raise StopConsumer from None

    async def look_around(self, message: dict[str, Any]) -> None:  # noqa: ARG002 -- Channels passes it
        """Keep proxies from closing the stream, and look for news no hint has told of."""
        await self.join()
        await self.push(comment("beat"))
        await self.look()

    async def look(self) -> None:
        try:
            runs = await database_sync_to_async(self.find_runs)()
        except errors.InvalidCredentials:
            await self.send_body(b"")
            raise StopConsumer from None
        for run_id in self.watched.keys() - {run.pk for run in runs}:
            await self.part_from(run_id)
        if newcomers := [run for run in runs if run.pk not in self.watched]:
            for run in newcomers:
                self.follow(run, 0)
            await self.join()
            runs = await database_sync_to_async(self.find_runs)()  # what came before joining
        for run in runs:
            await self.catch_up(run.pk, run.revision)
            await self.tell_status(run)

    async def tell_status(self, run: Run) -> None:
        """If it is not what the watcher knows, nor older: a piece may have brought a newer one."""
        known = self.watched.get(run.pk)
        if known and known.status != run.shown_status and known.revision <= run.revision:
            known.status = run.shown_status
            await self.push(self.cursor_text() + status_frame(run))

    async def part_from(self, run_id: int) -> None:
        """The run was deleted. Its cursor stays: a run made under its key is known by it."""
        run = self.watched.pop(run_id)
        await self.channel_layer.group_discard(events.group_name(run_id), self.channel_name)
        await self.push(self.cursor_text() + deleted_frame(self.wanted.project, run.key))
        if self.wanted.is_single:
            await self.send_body(b"")
            raise StopConsumer

    async def join(self) -> None:
        """Again with each beat: a channel layer forgets members, the slow ones first."""
        for run_id in self.watched:
            await self.channel_layer.group_add(events.group_name(run_id), self.channel_name)

    async def leave(self) -> None:
        await self.stop_heart()
        for run_id in self.watched:
            await self.channel_layer.group_discard(events.group_name(run_id), self.channel_name)
