import random
import struct
from typing import Any

import msgpack
import pytest
from runyard.batches import encode_batch
from runyard.records import Lost, encode_event, encode_points


def decode_points(batch: dict[str, Any]) -> list[tuple[str, int, float, int, int]]:
    """(metric, step, value, time, record) of a batch, in its order."""
    total = sum(batch["n"])
    columns = [
        struct.unpack(f"<{total}{code}", batch[letter])
        for letter, code in (("s", "q"), ("v", "d"), ("t", "q"), ("q", "I"))
    ]
    names = [name for name, n in zip(batch["keys"], batch["n"], strict=True) for _ in range(n)]
    first = batch["first_seq"]
    return [
        (name, step, value, time, first + offset)
        for name, step, value, time, offset in zip(names, *columns, strict=True)
    ]


def test_columns_hold_every_point_of_a_random_mixture_in_order() -> None:
    chance = random.Random(3)
    expected: dict[str, list[tuple[str, int, float, int, int]]] = {}
    records: list[bytes | Lost] = []
    for seq in range(40, 540):
        names = tuple(chance.sample(["loss", "acc", "val/loss", "lr"], chance.randint(1, 4)))
        values = [chance.random() for _ in names]
        step = chance.randint(-5, 5)
        records.append(encode_points(names, values, step, seq * 7)[8:])
        for name, value in zip(names, values, strict=True):
            expected.setdefault(name, []).append((name, step, value, seq * 7, seq))

    body, last_seq = encode_batch({"project": "p"}, 40, records)

    batch = msgpack.unpackb(body)
    assert last_seq == batch["last_seq"] == 539
    assert decode_points(batch) == [point for points in expected.values() for point in points]


@pytest.mark.parametrize("shapes", [[("a",), ("b",), ("c", "d")], [("a",), ("a", "b")]])
def test_rows_of_other_metrics_in_turn_keep_the_order_of_each(
    shapes: list[tuple[str, ...]],
) -> None:
    rows = [(shapes[n % len(shapes)], n) for n in range(30)]
    records = [encode_points(names, [n] * len(names), n, n * 7)[8:] for names, n in rows]

    body, _ = encode_batch({}, 1, records)

    expected = [
        (name, n, float(n), n * 7, n + 1)
        for name in dict.fromkeys(name for names in shapes for name in names)
        for names, n in rows
        if name in names
    ]
    assert decode_points(msgpack.unpackb(body)) == expected


def test_batch_holds_events_and_gaps_in_their_places() -> None:
    artifact = {"name": "m.pt", "file": "0123", "category": "model"}
    records: list[bytes | Lost] = [
        encode_event("config", {"lr": 0.1})[8:],
        Lost(3, "damaged"),
        encode_points(("loss",), [1.0], 0, 5)[8:],
        encode_event("artifact", artifact)[8:],
    ]

    body, last_seq = encode_batch({"project": "p", "if_taken": "rename"}, 10, records)

    gap = {"first_seq": 11, "last_seq": 13, "count": 3, "reason": "damaged"}
    assert last_seq == 15
    assert msgpack.unpackb(body) == {
        "project": "p",
        "if_taken": "rename",
        "format": 1,
        "first_seq": 10,
        "last_seq": 15,
        "events": [
            [10, "config", {"lr": 0.1}],
            [11, "gap", gap],
            [15, "artifact", {"name": "m.pt"}],
        ],
        "keys": ["loss"],
        "n": [1],
        "s": struct.pack("<q", 0),
        "v": struct.pack("<d", 1.0),
        "t": struct.pack("<q", 5),
        "q": struct.pack("<I", 4),
    }


def test_batch_without_records_is_a_sign_of_life() -> None:
    body, last_seq = encode_batch({}, 8, [])

    batch = msgpack.unpackb(body)
    assert last_seq == 7
    assert (batch["first_seq"], batch["last_seq"], batch["events"], batch["keys"]) == (8, 7, [], [])
