"""The batch door. A consumer, because Django's request machinery costs more than the storing."""

import asyncio
from functools import partial
from typing import Any

import orjson
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer
from django.conf import settings

from tracking import errors, telemetry
from tracking.consumers.bodies import UnsupportedBody, decode_body
from tracking.domain import events, writer
from tracking.domain.batch import Batch, parse_batch
from tracking.domain.ingest import record_batch
from tracking.domain.outages import OUTAGES, RETRY_AFTER_S, tell_outage
from tracking.domain.producers import recall_run
from tracking.domain.runs import next_step
from tracking.models import Run

# The first class that fits decides.
STATUS: list[tuple[type[Exception], int]] = [
    (UnsupportedBody, 415),
    (errors.InvalidInput, 400),
    (errors.NotFound, 404),
    (errors.NotPermitted, 403),
    (errors.AlreadyExists, 409),
    (errors.OutOfSequence, 409),
    (errors.RunDeleted, 410),
    (errors.Overloaded, 503),
    *((kind, 503) for kind in OUTAGES),
]
HANDLED = tuple(kind for kind, _ in STATUS)


class IngestConsumer(AsyncHttpConsumer):
    """Takes a batch, waits until it is durable, answers with the watermark. Source: docs/ingest.md."""

    channel_layer_alias = ""  # it only answers: a channel of its own would cost more than the rest

    def __init__(self) -> None:
        super().__init__()
        self.size_bytes = 0

    async def http_request(self, message: dict[str, Any]) -> None:
        self.size_bytes += len(message.get("body", b""))
        if self.scope["method"] != "POST":
            await self.refuse(405, {"detail": "Only POST."}, [(b"Allow", b"POST")])
        if self.size_bytes > settings.MAX_BODY_BYTES:
            await self.refuse(413, {"detail": f"At most {settings.MAX_BODY_BYTES} bytes."})
        await super().http_request(message)

    async def refuse(
        self, status: int, answer: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        await self.answer(status, answer, headers)
        raise StopConsumer

    async def handle(self, body: bytes) -> None:
        events.attach_loop()
        telemetry.batch_bytes.inc(len(body))
        headers = dict(self.scope["headers"])
        try:
            batch = parse_batch(
                decode_body(
                    body,
                    content_type=headers.get(b"content-type", b"").decode("latin1"),
                    encoding=headers.get(b"content-encoding", b"").decode("latin1"),
                )
            )
            answer = await self.store(batch)
        except HANDLED as error:
            await self.answer_error(error)
        else:
            await self.answer(200, answer)

    async def store(self, batch: Batch) -> dict[str, Any]:
        work = partial(record_batch, batch, user=self.scope["user"])
        ack = await asyncio.wrap_future(writer.submit(work, run_id=recall_run(batch.producer)))
        answer: dict[str, Any] = {"acked_seq": ack.acked_seq}
        if ack.run:
            answer["run"] = await database_sync_to_async(describe_run)(ack.run, created=ack.created)
        return answer

    async def answer_error(self, error: Exception) -> None:
        status = next(status for kind, status in STATUS if isinstance(error, kind))
        is_outage = isinstance(error, OUTAGES)
        answer: dict[str, Any] = {"detail": tell_outage(error) if is_outage else str(error)}
        headers = []
        match error:
            case errors.OutOfSequence():
                answer["expected_seq"] = error.expected_seq
            case errors.AlreadyExists():
                answer["code"] = "run_exists"
        if status == 503:
            headers.append((b"Retry-After", str(RETRY_AFTER_S).encode()))
        await self.answer(status, answer, headers)

    async def answer(
        self, status: int, answer: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        body = orjson.dumps(answer)
        await self.send_response(
            status,
            body,
            headers=[
                (b"Content-Type", b"application/json"),
                (b"Content-Length", str(len(body)).encode()),
                *(headers or []),
            ],
        )


def describe_run(run: Run, *, created: bool) -> dict[str, Any]:
    return {
        "id": run.pk,
        "uid": str(run.uid),
        "project": run.project.key,
        "key": run.key,
        "created": created,
        "next_step": next_step(run),
        "path": f"/projects/{run.project.key}/runs/{run.key}",
    }
