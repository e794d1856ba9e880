import math
import threading

import msgpack
import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import log_rows
from tracking.api.ml_dash import streams
from tracking.domain.batch import TIMES_US
from tracking.domain.rows import LoggedRow, append_rows, count_rows, list_streams, read_rows
from tracking.models import Metric, RowBlock, Run

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = [{"loss": 0.5, "epoch": 0, "_ts": 1.5}, {"loss": 0.25, "epoch": 1, "_ts": 2.5}]


@pytest.fixture
def metrics(url):
    return f"{url}/metrics"


def rows_of(run, stream):
    return [row.fields for row in read_rows(run, stream, limit=100)]


@pytest.mark.parametrize(
    ("address", "stream"),
    [("train", "train"), ("train/", "train"), ("None", ""), ("a/b/c", "a/b/c"), ("a%2Fb", "a/b"),
     ("data/data", "data/data"), ("%C3%A9%20t", "é t"), ("append", "append"), ("a//b", "a//b")],
)  # fmt: skip
def test_rows_are_appended_and_read_back(call, experiment, metrics, address, stream):
    slash = "/" if address.endswith("/") else ""
    path = f"{metrics}/{address.removesuffix('/')}"
    name = stream or "None"

    status, answer = call("post", f"{path}/append-batch{slash}", {"dataPoints": ROWS})
    one = call("post", f"{path}/append{slash}", {"data": {"loss": 0.125}})

    assert (status, answer) == (
        200,
        {
            "metricId": streams.stream_id(experiment, stream),
            "startIndex": "0",
            "endIndex": "1",
            "count": 2,
            "bufferedDataPoints": "2",
            "chunkSize": 10_000,
        },
    )
    assert one[1] == {
        "metricId": answer["metricId"],
        "index": "2",
        "bufferedDataPoints": "3",
        "chunkSize": 10_000,
    }
    assert rows_of(experiment, stream) == [*ROWS, {"loss": 0.125}]
    assert Metric.objects.get(name=f"{stream}/loss" if stream else "loss").count == 3
    stats = call("get", f"{path}/stats{slash}")[1]
    assert (stats["name"], stats["totalDataPoints"]) == (name, "3")
    assert [row["index"] for row in call("get", f"{path}/data{slash}")[1]["data"]] == [
        "0",
        "1",
        "2",
    ]
    assert [one["name"] for one in call("get", f"{metrics}{slash}")[1]["metrics"]] == [name]


def test_rows_are_read_by_number(call, experiment, metrics):
    log_rows(experiment, *ROWS, ROWS[0])

    assert call("get", f"{metrics}/train/data?startIndex=1&limit=1", who="vera") == (
        200,
        {
            "data": [{"index": "1", "data": ROWS[1], "createdAt": "2026-01-01T12:00:01Z"}],
            "startIndex": 1,
            "endIndex": 1,
            "total": 1,
            "hasMore": True,
        },
    )


def test_stats_have_all_keys(call, experiment, metrics):
    words = {"description": "of training", "tags": ["a"], "metadata": {"unit": "nats"}}
    call("post", f"{metrics}/train/append-batch", {"dataPoints": ROWS, **words})
    call("post", f"{metrics}/train/append", {"data": ROWS[0], "description": "later"})

    status, stats = call("get", f"{metrics}/train/stats")

    first, last = (
        read_rows(experiment, "train", limit=1),
        read_rows(experiment, "train", start=2, limit=1),
    )
    assert (status, stats) == (
        200,
        {
            "metricId": streams.stream_id(experiment, "train"),
            "name": "train",
            **words,
            "totalDataPoints": "3",
            "bufferedDataPoints": "3",
            "chunkedDataPoints": "0",
            "totalChunks": 0,
            "chunkSize": 10_000,
            "firstDataAt": streams.iso_of(first[0].time_us),
            "lastDataAt": streams.iso_of(last[0].time_us),
            "createdAt": streams.iso_of(first[0].time_us),
            "updatedAt": streams.iso_of(last[0].time_us),
            "count": 3,
            "firstValue": ROWS[0],
            "lastValue": ROWS[0],
        },
    )


def test_list_tells_of_each_metric_and_leaves_out_tracks(call, experiment, metrics):
    log_rows(experiment, *ROWS)
    log_rows(experiment, ROWS[0], stream="")
    log_rows(experiment, ROWS[0], stream="tracks/pose")
    log_rows(experiment, ROWS[0], stream="Tracks/pose")

    status, answer = call("get", metrics)

    assert (status, answer["hasMore"]) == (200, False)
    assert [(one["name"], one["totalDataPoints"]) for one in answer["metrics"]] == [
        ("None", "1"), ("Tracks/pose", "1"), ("train", "2"),
    ]  # fmt: skip
    assert answer["metrics"][2] == {
        "metricId": streams.stream_id(experiment, "train"),
        "name": "train",
        "description": None,
        "tags": [],
        "metadata": None,
        "totalDataPoints": "2",
        "createdAt": "2026-01-01T12:00:00Z",
    }
    cut = call("get", f"{metrics}?limit=1&offset=1")[1]
    assert ([one["name"] for one in cut["metrics"]], cut["hasMore"]) == (["Tracks/pose"], True)


def test_times_are_told_to_the_microsecond_as_far_as_calendars_go(call, experiment, metrics):
    ends = [TIMES_US[0], 1_767_268_800_000_001, TIMES_US[-1]]
    with transaction.atomic():
        append_rows(experiment, [LoggedRow("m", time_us, {"x": 1}) for time_us in ends])

    page = call("get", f"{metrics}/m/data")[1]

    assert [row["createdAt"] for row in page["data"]] == [
        "0001-01-01T00:00:00Z", "2026-01-01T12:00:00.000001Z", "9999-12-31T23:59:59.999999Z",
    ]  # fmt: skip


def test_unknown_metric_is_empty_and_has_no_stats(call, metrics):
    empty = {"data": [], "startIndex": 0, "endIndex": -1, "total": 0, "hasMore": False}

    assert call("get", f"{metrics}/nothing/data") == (200, empty)
    assert call("get", f"{metrics}/nothing/stats") == (
        404,
        {"detail": "Metric 'nothing' not found"},
    )
    assert call("get", f"{metrics}/nothing/chunks/0")[0] == 404


def test_chunks_and_the_rest_are_all_rows(call, experiment, metrics, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_SIZE", 2)
    log_rows(experiment, *({"n": n} for n in range(5)))

    stats = call("get", f"{metrics}/train/stats")[1]
    chunks = [call("get", f"{metrics}/train/chunks/{n}")[1] for n in range(stats["totalChunks"])]
    rest = call("get", f"{metrics}/train/data?bufferOnly=true&limit=1")[1]

    assert (stats["totalChunks"], stats["chunkedDataPoints"], stats["bufferedDataPoints"]) == (
        2, "4", "1",
    )  # fmt: skip
    found = [row["data"]["n"] for page in [*chunks, rest] for row in page["data"]]
    assert found == [0, 1, 2, 3, 4]
    assert chunks[1] | {"data": 0} == {
        "chunkNumber": 1,
        "startIndex": "2",
        "endIndex": "3",
        "dataCount": 2,
        "data": 0,
    }
    assert call("get", f"{metrics}/train/chunks/2")[0] == 404


HOSTILE = [
    ('[{"a": NaN, "b": -Infinity, "c": 1e999}]', 1),
    ('[{"a": 1' + "0" * 5_000 + "}]", 1),
    ('[{"a": 1' + "0" * 400 + ', "b": 1e308}]', 1),
    ('[{"a": ' + "[" * 5_000 + "]" * 5_000 + "}]", 1),
    ('[{"' + "x" * 300 + '": 1}]', 1),
    ('[{"": 1, "a\\u0000": "\\ud800", "a\\nb": 2}]', 1),
    ('[null, 7, "text", [1], true]', 5),
    ('[{}], "description": 7, "tags": {"a": NaN}, "metadata": "\\u0000"', 1),
    ('[{"_ts": "soon"}, {"_ts": 1e300}, {"_ts": NaN, "a": 1}]', 3),
    ("[]", 0),
]


@pytest.mark.parametrize(("rows", "count"), HOSTILE)
def test_nothing_well_formed_is_refused_for_its_values(call, experiment, metrics, rows, count):
    status, answer = call("post", f"{metrics}/train/append-batch", f'{{"dataPoints": {rows}}}')

    assert (status, answer["count"]) == (200, count)
    assert count_rows(experiment, "train") == count
    assert len(call("get", f"{metrics}/train/data")[1]["data"]) == count


def test_what_cannot_be_drawn_is_kept_and_the_run_warned(call, experiment, metrics):
    rows = [{"x" * 300: 1, "big": 10**350, "loss": 0.5}, 7]

    assert call("post", f"{metrics}/train/append-batch", {"dataPoints": rows})[0] == 200

    experiment.refresh_from_db()
    assert rows_of(experiment, "train") == [rows[0] | {"big": str(10**350)}, {"value": 7}]
    assert [*Metric.objects.values_list("name", "count")] == [("train/loss", 1), ("train/value", 1)]
    assert experiment.metadata["warnings"] == [
        "'train/big': a number is beyond a float64.",
        f"Metric name {'train/' + 'x' * 34!r}… has 306 characters; at most 250 are allowed.",
        "train: a row that is no object.",
    ]


@pytest.mark.parametrize("name", ["x" * 1_000, "a%0Ab", "%00", "%F0%9F%99%82" * 300])
def test_names_that_cannot_be_kept_are_mended_and_read_by_what_was_asked(
    call, experiment, metrics, name
):
    for _ in range(2):
        assert call("post", f"{metrics}/{name}/append-batch", {"dataPoints": ROWS})[0] == 200

    assert len(call("get", f"{metrics}/{name}/data")[1]["data"]) == 4
    [stream] = list_streams(experiment)
    experiment.refresh_from_db()
    assert stream.row_count == 4
    assert len(stream.name) <= 250
    assert stream.name.isprintable()
    assert f"{stream.name}: a stream whose name" in experiment.metadata["warnings"][-1]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("why?/append-batch", "why?"),
        ("a/b%20c?d=%C3%A9/append-batch", "a/b c?d=é"),
        ("cut", "cut#"),  # #1/append-batch: clients keep fragments to themselves
    ],
)
def test_names_with_signs_of_an_address_are_taken_as_their_client_sends_them(
    call, experiment, metrics, sent, kept
):
    status, answer = call("post", f"{metrics}/{sent}", {"dataPoints": ROWS})

    assert (status, answer["count"]) == (200, 2)
    assert list_streams(experiment) == [(kept, 2)]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "{}",
        '{"dataPoints": {}}',
        '{"dataPoints": null}',
        "NaN",
        b"\xff".decode("latin1"),
    ],
)
def test_malformed_batches_are_refused_and_change_nothing(call, experiment, metrics, body):
    assert call("post", f"{metrics}/train/append-batch", body)[0] == 400
    assert call("post", f"{metrics}/train/append", body)[0] == 400
    assert RowBlock.objects.count() == 0
    assert Run.objects.get().metadata == {}


def test_more_rows_than_any_client_keeps_are_refused(call, metrics):
    path, body = f"{metrics}/train/append-batch", {"dataPoints": [1] * 100_001}

    assert call("post", path, body) == (400, {"detail": "dataPoints: at most 100000 at once."})
    assert not RowBlock.objects.exists()


def test_long_rows_are_taken_up_to_a_limit_of_their_own(call, metrics, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.MAX_INFLATED_BYTES = 100, 1_000
    path = f"{metrics}/train/append-batch"

    assert call("post", path, {"dataPoints": [{"text": "x" * 900}]})[0] == 200
    assert call("post", path, {"dataPoints": [{"text": "x" * 1_000}]}) == (
        413,
        {"detail": "The body is too large: at most 1000 bytes are allowed."},
    )


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("vera", 404), ("charlie", 404)])
def test_who_may_append(call, metrics, who, status):
    answer = call("post", f"{metrics}/train/append-batch", {"dataPoints": ROWS}, who=who)

    assert answer[0] == status
    assert RowBlock.objects.count() == (status == 200)
    assert call("get", f"{metrics}/train/data", who=who)[0] == (404 if who == "charlie" else 200)


def test_answers_are_strict_json_or_exact_msgpack(client, call, metrics, tokens):
    call(
        "post", f"{metrics}/train/append", '{"data": {"a": NaN, "b": [-Infinity], "c": "\\ud800"}}'
    )

    headers = {"Authorization": f"Bearer {tokens['alice']}", "Accept": "application/x-msgpack"}
    packed = client.get(f"{metrics}/train/data", headers=headers)

    [row] = msgpack.unpackb(packed.content, unicode_errors="surrogatepass")["data"]
    assert packed["Content-Type"] == "application/x-msgpack"
    assert math.isnan(row["data"].pop("a"))
    assert row["data"] == {"b": [-math.inf], "c": "\ud800"}
    [told] = call("get", f"{metrics}/train/data")[1]["data"]
    assert told["data"] == {"a": "NaN", "b": ["-Infinity"], "c": "\ud800"}


def test_two_clients_lose_no_row(experiment, metrics, tokens):
    def send():
        client = Client(headers={"Authorization": f"Bearer {tokens['alice']}"})
        for _ in range(5):
            body = '{"dataPoints": [{"a": 1}, {"a": 2}], "tags": ["x"]}'
            answer = client.post(f"{metrics}/t/append-batch", body, content_type="application/json")
            assert answer.status_code == 200
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [row["a"] for row in rows_of(experiment, "t")] == [1, 2] * 10
    assert Metric.objects.get().count == 20


def test_lists_take_the_same_queries_for_one_and_for_three(call, experiment, metrics):
    def count(path):
        with CaptureQueriesContext(connection) as queries:
            assert call("get", path)[0] == 200
        return len(queries)

    log_rows(experiment, ROWS[0])
    paths = [metrics, f"{metrics}/train/data", f"{metrics}/train/rows", f"{metrics}/train/stats"]
    count(metrics)  # the first use of a token is noted
    before = [count(path) for path in paths]
    for stream in ("train", "b", "c"):
        log_rows(experiment, *ROWS, stream=stream)

    assert [count(path) for path in paths] == before
