import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tracking.models import LogLine

pytestmark = pytest.mark.django_db(transaction=True)
NOON = "2026-01-01T12:00:00.000000Z"


@pytest.fixture
def logs(url):
    return f"{url}/logs"


@pytest.fixture
def filled(call, logs):
    lines = [
        {"timestamp": "2026-01-01T12:00:02", "level": "info", "message": "Epoch 1 done"},
        {"timestamp": "2026-01-01T12:00:01Z", "level": "WARN", "message": "Low memory"},
        {"timestamp": "2026-01-01T14:00:03+02:00", "level": "error", "message": "epoch failed",
         "metadata": {"code": 500}},
    ]  # fmt: skip
    return call("post", logs, {"logs": lines})


def messages(answer):
    return [line["message"] for line in answer[1]["logs"]]


def test_lines_are_written_and_read_back(call, experiment, logs, filled):
    status, answer = call("get", logs)

    assert filled == (
        200,
        {"created": 3, "startSequence": 0, "endSequence": 2, "experimentId": logs.split("/")[3]},
    )
    assert (status, answer["hasMore"]) == (200, False)
    assert answer["logs"][2] == {
        "id": str(LogLine.objects.get(seq=2).pk),
        "sequenceNumber": 2,
        "timestamp": "2026-01-01T12:00:03Z",
        "level": "error",
        "message": "epoch failed",
        "metadata": {"code": 500},
    }
    assert [line["sequenceNumber"] for line in answer["logs"]] == [1, 0, 2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("orderBy=sequenceNumber", ["Epoch 1 done", "Low memory", "epoch failed"]),
        ("order=desc", ["epoch failed", "Epoch 1 done", "Low memory"]),
        ("level=warn,ERROR", ["Low memory", "epoch failed"]),
        ("search=EPOCH", ["Epoch 1 done", "epoch failed"]),
        ("startTime=2026-01-01T12:00:02Z", ["Epoch 1 done", "epoch failed"]),
        ("endTime=2026-01-01T12:00:01Z", ["Low memory"]),
        ("limit=1&offset=1", ["Epoch 1 done"]),
        ("offset=9", []),
    ],
)
def test_lines_are_filtered(call, logs, filled, query, found):
    assert messages(call("get", f"{logs}/?{query}", who="vera")) == found


def test_pieces_tell_whether_there_is_more(call, logs, filled):
    told = [call("get", f"{logs}?limit={limit}")[1]["hasMore"] for limit in (2, 3)]

    assert told == [True, False]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=10001", "offset=-1", "orderBy=x", "order=x", "startTime=x", "search=a%00",
     f"offset={2**63}"],
)  # fmt: skip
def test_wrong_questions_are_refused(call, logs, query):
    assert call("get", f"{logs}?{query}")[0] == 400


def test_whatever_a_line_says_is_kept(call, experiment, logs):
    deep = '{"a":' * 2_000 + "1" + "}" * 2_000
    body = (
        '{"logs": [7, null, {}, {"message": {"a": 1}, "level": 3, "timestamp": "soon"},'
        ' {"message": "a\\u0000b\\ud800", "level": "' + "x" * 50 + '", "timestamp": -1e400},'
        ' {"message": "' + "y" * 200_000 + '", "metadata": [NaN, 1' + "0" * 5_000 + "]},"
        ' {"message": "deep", "metadata": ' + deep + "}]}"
    )

    status, answer = call("post", logs, body)

    lines = LogLine.objects.all()
    assert (status, answer["created"]) == (200, 7)
    assert [line.message for line in lines][:5] == ["7", "null", "", '{"a": 1}', "a\ufffdb?"]
    assert (lines[3].level, lines[4].level, len(lines[5].message)) == ("3", "x" * 20, 100_000)
    assert lines[5].metadata == {"value": ["NaN", "1" + "0" * 5_000]}
    assert "a" in lines[6].metadata


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"logs": {}}', '{"logs": null}', '"logs"'])
def test_malformed_bodies_are_refused(call, logs, body):
    assert call("post", logs, body)[0] == 400
    assert LogLine.objects.count() == 0


def test_no_line_is_fine(call, logs):
    assert call("post", logs, {"logs": []})[0] == 200


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("vera", 404), ("charlie", 404)])
def test_who_may_write_lines(call, logs, who, status):
    assert call("post", logs, {"logs": [{"message": "hi"}]}, who=who)[0] == status
    assert LogLine.objects.count() == (status == 200)
    assert call("get", logs, who=who)[0] == (404 if who == "charlie" else 200)


def test_reading_takes_the_same_queries_for_one_line_and_for_more(call, logs, filled):
    def count(path):
        with CaptureQueriesContext(connection) as queries:
            call("get", path)
        return len(queries)

    assert count(f"{logs}?limit=1") == count(logs)
