from pathlib import Path

import pytest
from runyard.importing import event_files
from runyard.importing.event_files import HEAD, LENGTH, SUM, masked_crc, read_events

BODIES = [b"one", b"", b"three" * 100]


def frame(body: bytes, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    head = HEAD.pack(length, masked_crc(LENGTH.pack(length)))
    return head + body + SUM.pack(masked_crc(body))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events"
    path.write_bytes(b"".join(map(frame, BODIES)))
    return path


def read(path: Path) -> tuple[list[bytes | None], list[tuple[str, bool]]]:
    reasons = []

    def complain(reason: str, *, is_loss: bool = True) -> None:
        reasons.append((reason, is_loss))

    return list(read_events(path, complain)), reasons


def test_checksum_is_the_masked_crc_32c() -> None:
    crc = 0xE3069283  # of these nine digits, as RFC 3720 has it

    expected = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc(b"123456789") == (expected & 0xFFFFFFFF)
    assert masked_crc(b"") == 0xA282EAD8


def test_checksum_is_that_of_tensorboard() -> None:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    samples = [bytes(range(n, n + length)) for n in (0, 99) for length in (1, 2, 3, 64, 65)]
    assert [masked_crc(one) for one in samples] == [masked_crc32c(one) for one in samples]


def test_records_are_read_in_order(path: Path) -> None:
    assert read(path) == (BODIES, [])


LAST_SIZE = len(frame(BODIES[-1]))


@pytest.mark.parametrize("missing", [1, 3, 4, LAST_SIZE - 12, LAST_SIZE - 1])
def test_a_last_record_that_is_cut_short_is_left(path: Path, missing: int) -> None:
    path.write_bytes(path.read_bytes()[:-missing])

    assert read(path) == (BODIES[:-1], [("the last event is cut short", False)])


def test_damage_within_a_record_leaves_the_others(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[HEAD.size] ^= 1
    path.write_bytes(data)

    assert read(path) == ([None, *BODIES[1:]], [])


def test_damage_of_a_length_ends_it(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(frame(BODIES[0]))] ^= 1
    path.write_bytes(data)

    reason = "damaged at byte 19; what follows cannot be read"
    assert read(path) == (BODIES[:1], [(reason, True)])


def test_lengths_that_are_claimed_are_not_believed(path: Path) -> None:
    path.write_bytes(frame(b"one") + frame(b"x", length=2**63))

    assert read(path) == ([b"one"], [("the last event is cut short", False)])


def test_large_events_are_skipped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "MAX_EVENT_BYTES", 100)

    assert read(path) == (BODIES[:2], [("an event of 500 bytes", True)])


def test_a_file_that_is_something_else_ends_at_once(path: Path) -> None:
    path.write_bytes(b"\0" * 100)

    assert read(path) == ([], [("damaged at byte 0; what follows cannot be read", True)])
