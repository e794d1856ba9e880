import math
import uuid
from typing import Any

import numpy as np
import pytest

from tests.factories import make_points
from tracking.domain.batch import Event, parse_batch
from tracking.errors import InvalidInput

UID, PRODUCER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def wire(**fields: Any) -> dict[str, Any]:
    columns = {
        "keys": ["loss", "acc"],
        "n": [2, 1],
        "s": np.array([0, 1, 0], "<i8").tobytes(),
        "v": np.array([1.5, math.nan, 3.0], "<f8").tobytes(),
        "t": np.array([10, 11, 10], "<i8").tobytes(),
        "q": np.array([0, 1, 0], "<u4").tobytes(),
    }
    head = {
        "format": 1,
        "project": "p",
        "run": {"uid": UID, "key": "r"},
        "producer": PRODUCER,
        "first_seq": 1,
        "last_seq": 2,
    }
    return head | columns | fields


def test_binary_batch_is_read():
    batch = parse_batch(wire(events=[[1, "config", {"a": 1}]], if_taken="refuse", past=True))

    assert (batch.project, batch.run_key, batch.run_uid) == ("p", "r", uuid.UUID(UID))
    assert (batch.producer, batch.first_seq, batch.last_seq) == (uuid.UUID(PRODUCER), 1, 2)
    assert (batch.points.names, batch.points.counts.tolist()) == (["loss", "acc"], [2, 1])
    assert batch.points.columns.steps.tolist() == [0, 1, 0]
    assert batch.points.columns.times_us.tolist() == [10, 11, 10]
    assert batch.events == (Event(1, "config", {"a": 1}),)
    assert (batch.refuse_if_taken, batch.is_past) == (True, True)


def test_lists_say_the_same_as_bytes():
    lists = {"s": [0, 1, 0], "v": [1.5, "NaN", 3], "t": [10, 11, 10], "q": [0, 1, 0]}

    readable, binary = parse_batch(wire(**lists)).points, parse_batch(wire()).points

    for name in ("steps", "values", "times_us"):
        assert getattr(readable.columns, name).tobytes() == getattr(binary.columns, name).tobytes()


def test_sign_of_life_has_no_records():
    empty = {"keys": [], "n": [], "s": b"", "v": b"", "t": b"", "q": b""}

    batch = parse_batch(wire(first_seq=5, last_seq=4, **empty))

    assert (len(batch.points), batch.events) == (0, ())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"format": 2}, "format must be 1"),
        ({"project": "../etc"}, "Invalid project name"),
        ({"project": "a\n"}, "Invalid project name"),
        ({"project": "p" * 10_000}, "at most 250"),
        ({"run": "r"}, "run must be a map"),
        ({"run": {"uid": UID, "key": "a/b"}}, "Invalid run name"),
        ({"run": {"uid": UID, "key": "metrics"}}, "reserved word"),
        ({"run": {"uid": "x", "key": "r"}}, "run.uid must be a UUID"),
        ({"producer": 7}, "producer must be a UUID"),
        ({"first_seq": 0}, "first_seq is out of range"),
        ({"first_seq": "1"}, "first_seq must be a whole number"),
        ({"last_seq": 2**63}, "last_seq is out of range"),
        ({"first_seq": 9}, "last_seq does not fit"),
        ({"keys": ["loss"]}, "keys and n"),
        ({"keys": ["loss", "loss"]}, "each metric once"),
        ({"keys": ["loss", ""]}, "Metric name"),
        ({"keys": ["loss", "a\0"]}, "control characters"),
        ({"keys": ["loss", "x" * 251]}, "at most 250"),
        ({"n": [3, 0]}, "n must be 1 or more"),
        ({"n": [2, 2]}, "as many items"),
        ({"n": [2, -1]}, "n must be 1 or more"),
        ({"n": [2, 1.5]}, "n is not a column"),
        ({"n": [2**62, 2**62]}, "as many items"),
        (
            {"keys": [*"abcd"], "n": [2**62] * 4, "s": b"", "v": b"", "t": b"", "q": b""},
            "as many items",
        ),
        ({"keys": [*"abc"], "n": [2**63 - 1, 2**63 - 1, 5]}, "as many items"),
        ({"s": [2**63] * 3}, "s is not a column of int64"),
        ({"s": b"1234567"}, "s is not a column of int64"),
        ({"s": [0, 1, 2**63]}, "s is not a column of int64"),
        ({"s": [0, 1, 0.5]}, "s is not a column of int64"),
        ({"v": ["a", 1, 2]}, "v is not a column of float64"),
        ({"v": [[1], [2], [3]]}, "v is not a column of float64"),
        ({"v": None}, "v is not a column of float64"),
        ({"t": [10, 11, 2**62]}, "outside the years"),
        ({"q": [0, 2, 0]}, "q points beyond"),
        ({"q": [0, -1, 0]}, "q is not a column"),
        ({"events": {}}, "events must be a list"),
        ({"events": [[1, "config", {}]] * 5_001}, "at most 5000"),
        ({"events": [[1, "config"]]}, r"An event is \[seq, kind, payload\]"),
        ({"events": [[3, "config", {}]]}, "events must ascend"),
        ({"events": [[2, "config", {}], [1, "config", {}]]}, "events must ascend"),
        ({"if_taken": "explode"}, "if_taken must be one of"),
        ({"past": "yes"}, "past must be one of False, True"),
        ({"past": 1}, "past must be one of"),
    ],
)
def test_bad_batch_is_refused_by_the_fields_name(fields, text):
    with pytest.raises(InvalidInput, match=text):
        parse_batch(wire(**fields))


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_batch_must_be_a_map(body):
    with pytest.raises(InvalidInput, match="must be a map"):
        parse_batch(body)


def test_points_after_a_record_keep_their_metrics_apart():
    points = make_points({"a": [1, 2, 3], "b": [4], "c": [5, 6, 7]})

    rest = points.after(1)

    assert (rest.names, rest.counts.tolist()) == (["a", "c"], [2, 2])
    assert rest.columns.values.tolist() == [2, 3, 6, 7]
    assert rest.offsets is not None
    assert rest.offsets.tolist() == [0, 1, 0, 1]
