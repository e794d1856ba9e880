import random
from bisect import bisect_right
from itertools import accumulate
from struct import pack
from zlib import crc32

import pytest
from runyard import records
from runyard.records import (
    Event,
    Lost,
    Row,
    decode,
    describe,
    encode_event,
    encode_points,
    split_frames,
)


def make_records(count: int) -> list[bytes]:
    """Rows of various widths and events, seeded."""
    chance = random.Random(7)
    frames = []
    for step in range(count):
        if chance.random() < 0.1:
            frames.append(encode_event("config", {"key": "x" * chance.randint(0, 30), "n": step}))
        else:
            names = tuple(f"metric/{i}" for i in range(chance.randint(1, 5)))
            frames.append(encode_points(names, [chance.random() for _ in names], step, step * 1000))
    return frames


def split(data: bytes) -> list[bytes | Lost]:
    return split_frames(data, max_records=10_000, max_bytes=2**30)[0]


def test_points_come_back_as_a_row_of_words() -> None:
    frame = encode_points(("loss", "acc"), [0.5, float("nan")], -3, 1_700_000_000_000_001)

    row = decode(frame[8:])

    assert isinstance(row, Row)
    assert row.words == pack("<qqdd", -3, 1_700_000_000_000_001, 0.5, float("nan"))
    assert describe(encode_points(("a",), [2.0], 5, 9)[8:]) == {
        "step": 5,
        "time_us": 9,
        "metrics": {"a": 2.0},
    }


def test_event_comes_back_as_it_was() -> None:
    payload = {"lr": 0.1, "nested": {"deep": [1, None, True, "ü"]}}

    assert decode(encode_event("config", payload)[8:]) == Event("config", payload)
    assert describe(encode_event("config", payload)[8:]) == {"config": payload}


def test_spool_cut_at_every_byte_gives_every_whole_record_and_nothing_else() -> None:
    frames = make_records(1_000)
    data = b"".join(frames)
    payloads = [frame[8:] for frame in frames]
    ends = [0, *accumulate(map(len, frames))]

    assert split(data) == payloads
    for cut in range(len(data) + 1):
        whole = bisect_right(ends, cut) - 1
        first = max(0, whole - 2)  # those before it were read alike a few cuts ago
        assert split(data[ends[first] : cut]) == payloads[first:whole]


def test_flipped_byte_loses_one_record_and_never_changes_one() -> None:
    frames = make_records(60)
    data = b"".join(frames)
    payloads = [frame[8:] for frame in frames]
    ends = [*accumulate(map(len, frames))]

    for place in range(len(data)):
        broken = data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]
        hit = next(i for i, end in enumerate(ends) if place < end)
        is_in_payload = place >= ends[hit] - len(payloads[hit])
        found = split(broken)
        assert [record for record in found if isinstance(record, bytes)] == [
            payload for i, payload in enumerate(payloads[: len(found)]) if i != hit
        ]
        if is_in_payload and hit < len(frames) - 1:
            assert found == [
                Lost(1, "damaged on disk") if i == hit else payload
                for i, payload in enumerate(payloads)
            ]


def test_zeros_after_a_power_cut_are_no_records() -> None:
    frame = encode_event("notes", {"notes": "x"})

    assert split(frame + bytes(64)) == [frame[8:]]
    assert crc32(b"") == 0, "an empty record would have a right checksum"


def test_split_keeps_to_its_bounds_but_gives_one_record_however_large() -> None:
    frames = [encode_event("notes", {"notes": "x" * 100})] * 5
    data = b"".join(frames)
    size = len(frames[0])

    assert split_frames(data, max_records=2, max_bytes=10_000) == ([frames[0][8:]] * 2, 2 * size)
    assert split_frames(data, max_records=9, max_bytes=3 * size) == ([frames[0][8:]] * 3, 3 * size)
    assert split_frames(data, max_records=9, max_bytes=10) == ([frames[0][8:]], size)


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "empty"), ("a\nb", "control characters"), ("x" * 251, "251 characters"), (3, "text")],
)
def test_bad_metric_names_are_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encode_points((name,), [1.0], 0, 0)


def test_step_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="step must fit into 64 bits"):
        encode_points(("a",), [1.0], 2**63, 0)


def test_too_many_metrics_and_too_large_events_are_refused() -> None:
    names = tuple(map(str, range(10_001)))

    with pytest.raises(ValueError, match="10001 metrics in one row; at most 10000"):
        encode_points(names, [1.0] * len(names), 0, 0)
    with pytest.raises(ValueError, match="Log it as an artifact"):
        encode_event("config", {"x": "y" * records.MAX_RECORD_BYTES})


def test_inventing_names_does_not_fill_the_memory() -> None:
    for number in range(records.MAX_SHAPES + 10):
        encode_points((f"invented/{number}",), [1.0], 0, 0)

    assert 0 < len(records._shapes) <= records.MAX_SHAPES
