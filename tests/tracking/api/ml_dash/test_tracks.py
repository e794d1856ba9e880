import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tracking.api.ml_dash import track_views
from tracking.api.ml_dash.streams import stream_id
from tracking.domain.rows import list_streams, read_rows
from tracking.models import Metric, RowBlock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tracks(url):
    return f"{url}/tracks"


@pytest.fixture
def pose(call, tracks):
    """Entries out of order, two of one time, and one nested."""
    entries = [
        {"timestamp": 2.5, "q": [1, 3]},
        {"timestamp": 1.5, "q": [1, 2], "position": {"x": 0.1}},
        {"timestamp": 2.5, "grip": True},
    ]
    path = f"{tracks}/robot%2Fpose"
    assert call("post", f"{path}/append_batch", {"entries": entries}) == (
        200,
        {"count": 3, "topic": "robot/pose"},
    )
    return path


def test_entries_come_by_time_flat_and_merged(call, experiment, pose):
    assert call("get", f"{pose}/data", who="vera") == (
        200,
        {
            "entries": [
                {"timestamp": 1.5, "q": [1, 2], "position.x": 0.1},
                {"timestamp": 2.5, "q": [1, 3], "grip": True},
            ],
            "count": 2,
        },
    )
    assert list_streams(experiment) == [("tracks/robot/pose", 3)]


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("start_timestamp=2", [2.5]),
        ("end_timestamp=2", [1.5]),
        ("start_timestamp=1.5&end_timestamp=2.5", [1.5, 2.5]),
        ("start_timestamp=9", []),
    ],
)
def test_entries_are_cut_by_time(call, pose, query, times):
    entries = call("get", f"{pose}/data/?{query}")[1]["entries"]

    assert [entry["timestamp"] for entry in entries] == times


def test_columns_are_chosen(call, pose):
    entries = call("get", f"{pose}/data?columns=position.x,grip")[1]["entries"]

    assert entries == [{"timestamp": 1.5, "position.x": 0.1}, {"timestamp": 2.5, "grip": True}]


def test_lines_are_json_each(client, tokens, pose):
    answer = client.get(
        f"{pose}/data?format=jsonl", headers={"Authorization": f"Bearer {tokens['alice']}"}
    )

    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer.content == (
        b'{"timestamp": 1.5, "q": [1, 2], "position.x": 0.1}\n'
        b'{"timestamp": 2.5, "q": [1, 3], "grip": true}\n'
    )


@pytest.mark.parametrize("form", ["parquet", "mcap"])
def test_forms_that_are_not_written_are_refused_with_a_reason(call, pose, form):
    assert call("get", f"{pose}/data?format={form}") == (
        400,
        {
            "detail": f"format: {form} is not written here; ask for json or jsonl, and convert them"
            " where you are."
        },
    )


def test_too_many_entries_are_asked_for_by_time(call, pose, monkeypatch):
    monkeypatch.setattr(track_views, "MAX_ENTRIES", 1)

    assert call("get", f"{pose}/data")[0] == 400
    assert call("get", f"{pose}/data?end_timestamp=2")[1]["count"] == 1


def test_one_entry_is_appended(call, tracks):
    body = {"timestamp": 3, "data": {"a": {"b": 1}}}

    assert call("post", f"{tracks}/t/append/", body) == (200, {"count": 1, "topic": "t"})
    assert call("get", f"{tracks}/t/data")[1]["entries"] == [{"timestamp": 3, "a.b": 1}]


def test_track_is_described_and_listed(call, experiment, tracks, pose):
    words = {"description": "of the arm", "tags": ["a"], "metadata": {"fps": 30}}

    made = call("post", tracks, {"topic": "camera", **words})
    call("post", f"{tracks}/camera/append", {"timestamp": 1, "data": {}})

    assert made[0] == 200
    status, answer = call("get", f"{tracks}/")
    assert (status, answer["tracks"][0]) == (
        200,
        {
            "id": stream_id(experiment, "tracks/camera"),
            "topic": "camera",
            "name": "camera",
            **words,
            "totalEntries": "1",
            "columns": [],
            "firstTimestamp": 1,
            "lastTimestamp": 1,
        },
    )
    told = answer["tracks"][1]
    assert (told["columns"], told["firstTimestamp"], told["lastTimestamp"]) == (
        ["q", "grip"], 2.5, 2.5,
    )  # fmt: skip
    topics = [
        [one["topic"] for one in call("get", f"{tracks}?topic={topic}")[1]["tracks"]]
        for topic in ("", "robot/*", "Robot/*", "camera", "robot", "*")
    ]
    assert topics == [["camera", "robot/pose"], ["robot/pose"], [], ["camera"], [],
                      ["camera", "robot/pose"]]  # fmt: skip
    assert call("get", f"{tracks}?limit=1")[1]["hasMore"] is True


def test_unknown_topic_is_not_found(call, tracks):
    assert call("get", f"{tracks}/nothing/data") == (404, {"detail": "Track 'nothing' not found"})


def test_whatever_an_entry_says_is_kept(call, tracks):
    body = (
        '{"entries": [7, {"timestamp": "soon", "a": 1}, {"timestamp": NaN, "_ts": "x"},'
        ' {"timestamp": 1e300, "b": NaN}, {"timestamp": 2, "a": ' + "9" * 5_000 + "}]}"
    )

    status, answer = call("post", f"{tracks}/t/append_batch", body)
    entries = call("get", f"{tracks}/t/data")[1]["entries"]

    assert (status, answer["count"]) == (200, 5)
    assert entries[0] == {"timestamp": 2, "a": "9" * 5_000}
    assert {key for entry in entries for key in entry} == {"timestamp", "a", "b", "value"}
    assert all(isinstance(entry["timestamp"], int | float) for entry in entries)


@pytest.mark.parametrize("body", ["{", "{}", '{"entries": {}}', '{"timestamp": 1}', '{"data": {}}'])
def test_malformed_bodies_are_refused(call, tracks, body):
    assert call("post", f"{tracks}/t/append_batch", body)[0] == 400
    assert call("post", f"{tracks}/t/append", body)[0] == 400
    assert RowBlock.objects.count() == 0


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("vera", 404), ("charlie", 404)])
def test_who_may_write_tracks(call, tracks, who, status):
    body = {"entries": [{"timestamp": 1}]}

    assert call("post", f"{tracks}/t/append_batch", body, who=who)[0] == status
    assert call("post", tracks, {"topic": "t"}, who=who)[0] == status
    assert RowBlock.objects.count() == (status == 200)


def test_list_takes_the_same_queries_for_one_and_for_three(call, tracks, pose):
    def count():
        with CaptureQueriesContext(connection) as queries:
            call("get", tracks)
        return len(queries)

    before = count()
    for topic in ("b", "c"):
        call("post", f"{tracks}/{topic}/append", {"timestamp": 1, "data": {}})

    assert count() == before


def test_nested_entries_are_kept_as_their_client_keeps_them_on_disk(call, experiment, tracks):
    deep = '{"a":' * 900 + "1" + "}" * 900
    body = f'{{"entries": [{{"timestamp": 1, "p": {{"x": 2, "y": {{}}}}, "p.x": 3}}, {deep}]}}'

    assert call("post", f"{tracks}/t/append_batch", body)[0] == 200
    assert call("post", f"{tracks}/t/append", f'{{"timestamp": 2, "data": {deep}}}')[0] == 200

    rows = read_rows(experiment, "tracks/t", limit=9)
    assert rows[0].fields == {"_ts": 1, "p.x": 3, "p.y": {}}
    assert len(rows) == 3
    assert Metric.objects.filter(run=experiment, name="tracks/t/p.x").exists()
