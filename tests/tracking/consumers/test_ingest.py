"""The batch door, driven as the server drives it: through config.asgi."""

import gzip
import uuid
from typing import Any

import msgpack
import numpy as np
import orjson
import pytest
import zstandard
from channels.testing import HttpCommunicator
from django.db import OperationalError

from config.asgi import application
from tracking.models import Metric, Producer, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
MSGPACK = {"Content-Type": "application/x-msgpack"}


def batch(first_seq: int, last_seq: int, **fields: Any) -> dict[str, Any]:
    head = {
        "format": 1,
        "project": "proj",
        "run": {"uid": str(uuid.UUID(int=1)), "key": "run-1"},
        "producer": str(uuid.UUID(int=2)),
        "first_seq": first_seq,
        "last_seq": last_seq,
    }
    return head | fields


START = batch(1, 1, events=[[1, "start", {"config": {"lr": 0.1}}]])
ONE_POINT = {"keys": ["loss"], "n": [1], "s": [5], "v": [0.5], "t": [10], "q": [0]}


async def post(
    body: bytes, headers: dict[str, str], *, method: str = "POST", path: str = ""
) -> Any:
    listed = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    listed = [(b"host", b"localhost"), *listed]
    door = HttpCommunicator(
        application, method, path or "/ingest/v1/batch", body=body, headers=listed
    )
    answer = await door.get_response(timeout=20)
    headers_out = {key.decode().lower(): value.decode() for key, value in answer["headers"]}
    return answer["status"], orjson.loads(answer["body"]), headers_out


async def send(wire: dict[str, Any]) -> Any:
    return (await post(msgpack.packb(wire), MSGPACK))[:2]


async def test_start_tells_what_became_of_the_run():
    status, answer = await send(START)

    assert status == 200
    assert answer == {
        "acked_seq": 1,
        "run": {
            "id": (await Run.objects.aget()).pk,
            "uid": str(uuid.UUID(int=1)),
            "project": "proj",
            "key": "run-1",
            "created": True,
            "next_step": 0,
            "path": "/projects/proj/runs/run-1",
        },
    }


async def test_points_are_durable_when_the_door_answers():
    await send(START)

    status, answer = await send(batch(2, 2, **ONE_POINT))

    assert (status, answer) == (200, {"acked_seq": 2})
    assert await Metric.objects.values_list("name", "count", "last", "last_step").aget() == (
        "loss", 1, 0.5, 5,
    )  # fmt: skip


async def test_resuming_tells_the_next_step():
    await send(START)
    await send(batch(2, 2, **ONE_POINT))

    resumed = START | {
        "producer": str(uuid.UUID(int=3)),
        "run": {"uid": str(uuid.UUID(int=9)), "key": "run-1"},
        "events": [[1, "start", {"resume": True}]],
    }
    _, answer = await send(resumed)

    assert (answer["run"]["created"], answer["run"]["next_step"]) == (False, 6)
    assert answer["run"]["uid"] == str(uuid.UUID(int=1))


async def test_repeated_start_still_tells_the_run():
    first, again = await send(START), await send(START)

    assert again[1]["acked_seq"] == first[1]["acked_seq"] == 1
    assert again[1]["run"]["key"] == "run-1"
    assert await Run.objects.acount() == 1


async def test_json_says_the_same_as_msgpack():
    status, _, _ = await post(orjson.dumps(START), {"Content-Type": "application/json"})
    words = ONE_POINT | {"v": ["NaN"]}
    status, answer, _ = await post(
        orjson.dumps(batch(2, 2, **words)), {"Content-Type": "application/json; charset=utf-8"}
    )

    assert (status, answer) == (200, {"acked_seq": 2})


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
async def test_compressed_body_is_inflated(encoding, compress):
    body = compress(msgpack.packb(START))

    status, answer, _ = await post(body, MSGPACK | {"Content-Encoding": encoding})

    assert (status, answer["acked_seq"]) == (200, 1)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
async def test_bomb_is_not_inflated(encoding, compress, settings):
    settings.MAX_INFLATED_BYTES = 100_000

    status, answer, _ = await post(
        compress(b"\0" * 10_000_000), MSGPACK | {"Content-Encoding": encoding}
    )

    assert status == 400
    assert answer == {"detail": "The body inflates to more than 100000 bytes."}


async def test_hole_is_409_with_the_place_to_go_on():
    assert await send(batch(4, 4)) == (
        409, {"detail": "Expected sequence number 1.", "expected_seq": 1},
    )  # fmt: skip


async def test_taken_name_is_409_when_it_may_not_be_renamed():
    await send(START)
    other = START | {
        "producer": str(uuid.UUID(int=3)),
        "run": {"uid": str(uuid.UUID(int=9)), "key": "run-1"},
    }

    refused, renamed = await send(other | {"if_taken": "refuse"}), await send(other)

    assert refused == (409, {"detail": "Run already exists", "code": "run_exists"})
    assert renamed[1]["run"]["key"] == "run-1-2"


async def test_deleted_run_is_410():
    await send(START)
    await Run.objects.all().adelete()

    assert (await send(batch(2, 2, **ONE_POINT)))[0] == 410
    assert await Producer.objects.values_list("last_seq", flat=True).aget() == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (b"\xc1", MSGPACK, 400, "cannot be read as application/x-msgpack"),
        (b"\x91" * 5_000, MSGPACK, 400, "cannot be read as application/x-msgpack"),
        (msgpack.packb(START) + b"rest", MSGPACK, 400, "cannot be read"),
        (b"{", {"Content-Type": "application/json"}, 400, "cannot be read as application/json"),
        (b"[" * 5_000, {"Content-Type": "application/json"}, 400, "cannot be read"),
        (b"{}", {"Content-Type": "application/json"}, 400, "format must be 1"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "Content-Type must be"),
        (b"{}", {}, 415, "Content-Type must be"),
        (b"{}", MSGPACK | {"Content-Encoding": "br"}, 415, "Content-Encoding must be"),
        (b"{}", MSGPACK | {"Content-Encoding": "gzip"}, 400, "not valid gzip"),
        (b"{}", MSGPACK | {"Content-Encoding": "zstd"}, 400, "not valid zstd"),
        (b"{}", MSGPACK | {"Origin": "http://evil.example"}, 403, "another site"),
    ],
)
async def test_bad_request_is_a_4xx_that_says_what_is_wrong(body, headers, status, text):
    got, answer, _ = await post(body, headers)

    assert got == status
    assert text in answer["detail"]
    assert not await Project.objects.aexists()


async def test_body_over_the_cap_is_413(settings):
    settings.MAX_BODY_BYTES = 1_000

    status, answer, _ = await post(b"x" * 1_001, MSGPACK)

    assert (status, answer) == (413, {"detail": "At most 1000 bytes."})


async def test_other_methods_are_405():
    status, _, headers = await post(b"", {}, method="GET")

    assert (status, headers["allow"]) == (405, "POST")


async def test_foreign_host_is_400():
    door = HttpCommunicator(
        application, "POST", "/ingest/v1/batch", headers=[(b"host", b"rebound.example")]
    )

    assert (await door.get_response())["status"] == 400


async def test_trailing_slash_is_the_same_door():
    status, _, _ = await post(msgpack.packb(START), MSGPACK, path="/ingest/v1/batch/")

    assert status == 200


async def test_database_away_is_503_with_retry_after(monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("tracking.consumers.ingest.record_batch", fail)

    status, answer, headers = await post(msgpack.packb(START), MSGPACK)

    assert (status, answer) == (503, {"detail": "The database is away; try again."})
    assert int(headers["retry-after"]) > 0


async def test_long_queue_is_503_with_retry_after(settings):
    settings.MAX_WAITING_BATCHES = 0

    status, answer, headers = await post(msgpack.packb(START), MSGPACK)

    assert (status, answer) == (503, {"detail": "Too much is waiting to be written; try again."})
    assert int(headers["retry-after"]) > 0


async def test_big_batch_of_bytes_is_taken():
    await send(START)
    count = 100_000
    columns = {
        "keys": ["loss"],
        "n": [count],
        "s": np.arange(count, dtype="<i8").tobytes(),
        "v": np.full(count, 0.5, "<f8").tobytes(),
        "t": np.full(count, 10, "<i8").tobytes(),
        "q": np.zeros(count, "<u4").tobytes(),
    }

    assert await send(batch(2, 2, **columns)) == (200, {"acked_seq": 2})
    assert (await Metric.objects.aget()).count == count
