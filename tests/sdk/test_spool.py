import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runyard import overflow
from runyard import spool as spool_module
from runyard.reader import Reader
from runyard.records import Lost, decode, describe
from runyard.spool import Mark, Spool

from tests.sdk.conftest import add_rows


def read_all(spool: Spool, first: int = 1) -> list[bytes | Lost]:
    reader, found = Reader(spool), []
    while records := reader.read(first + len(found), max_records=100, max_bytes=5_000):
        found.extend(records)
    return found


def steps(records: list[bytes | Lost]) -> list[int]:
    rows = [describe(record) for record in records if isinstance(record, bytes)]
    return [row["step"] for row in rows if "step" in row]


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", refuse)


@pytest.fixture
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 400)


def test_records_are_in_the_file_when_append_returns(spool: Spool) -> None:
    add_rows(spool, 3)

    data = spool.segment_path(1).read_bytes()

    assert len(data) == spool.mark.size
    assert spool.mark.seq == 4
    assert steps(read_all(spool)) == [0, 1, 2]


@pytest.mark.usefixtures("_small_segments")
def test_segments_follow_each_other_without_a_hole(spool: Spool) -> None:
    add_rows(spool, 50)

    assert len(spool.segments) > 5
    assert steps(read_all(spool)) == list(range(50))
    assert steps(read_all(spool, first=31)) == list(range(29, 50))


@pytest.mark.usefixtures("_small_segments")
def test_forget_keeps_what_there_is_room_for(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    add_rows(spool, 50)
    segments = spool.segments
    size = spool.segment_path(segments[1]).stat().st_size
    monkeypatch.setattr(spool_module, "KEPT_BYTES", 2 * size)

    spool.forget(spool.mark.seq)

    assert spool.segments == segments[-3:]
    assert sorted(path.name for path in spool.path.glob("*.seg")) == [
        f"{first:020}.seg" for first in segments[-3:]
    ]


@pytest.mark.usefixtures("_small_segments")
def test_forget_keeps_nothing_that_is_old(spool: Spool) -> None:
    add_rows(spool, 50)
    segments = spool.segments
    two_days_ago = time.time() - 2 * 86_400
    for first in segments[:4]:
        os.utime(spool.segment_path(first), (two_days_ago, two_days_ago))

    spool.forget(spool.mark.seq)

    assert spool.segments == segments[4:]


@pytest.mark.usefixtures("_small_segments")
def test_what_is_kept_makes_room_when_the_disk_is_wanted(spool: Spool) -> None:
    add_rows(spool, 50)
    segments = spool.segments
    spool.forget(30)
    assert spool.segments == segments

    spool.set_full(True)

    following = next(i for i, first in enumerate(segments) if first > 31)
    assert spool.segments == segments[following - 1 :]


@pytest.mark.parametrize("seconds", ["0", "60"])
def test_spool_that_has_arrived_is_kept_for_a_while_or_not(
    make_spool: Callable[[], Spool], root: Path, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv("RUNYARD_KEEP_SENT", seconds)
    spool = make_spool()
    add_rows(spool, 3)
    spool.close()

    spool.retire()

    kept = [path.name for path in (root / "sent").glob("*")]
    assert kept == ([spool.meta.producer] if seconds == "60" else [])
    assert list((root / "spool").iterdir()) == []


@pytest.mark.usefixtures("_small_segments")
def test_reading_what_was_let_go_of_says_so_but_knows_the_start(
    make_spool: Callable[[], Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_KEEP_SENT", "0")
    spool = make_spool()
    add_rows(spool, 50)
    spool.forget(spool.mark.seq)
    first_kept = spool.segments[0]

    start, *_ = Reader(spool).read(1, max_records=9, max_bytes=9_999)
    lost = Reader(spool).read(2, max_records=9, max_bytes=9_999)

    assert isinstance(start, bytes)
    assert decode(start) == ("start", spool.meta.start)
    assert lost == [Lost(first_kept - 2, "no longer on the disk of the job")]


def test_interrupted_append_leaves_no_trace(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite

    def write_and_interrupt(fd: int, data: bytes, offset: int) -> int:
        pwrite(fd, data, offset)
        raise KeyboardInterrupt

    add_rows(spool, 2)
    monkeypatch.setattr(os, "pwrite", write_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        add_rows(spool, 1, first_step=100)
    monkeypatch.setattr(os, "pwrite", pwrite)
    add_rows(spool, 2, first_step=2)

    assert steps(read_all(spool)) == [0, 1, 2, 3]
    assert spool.mark.seq == 5


def test_spool_is_adopted_only_when_its_process_is_gone(spool: Spool) -> None:
    add_rows(spool, 5)

    assert Spool.adopt(spool.path) is None
    spool.release()
    adopted = Spool.adopt(spool.path)

    assert adopted
    assert adopted.meta == spool.meta
    assert adopted.is_closed
    assert steps(read_all(adopted)) == [0, 1, 2, 3, 4]
    assert Spool.adopt(spool.path) is None, "the adopter holds it now"
    adopted.remove()
    assert not spool.path.exists()


def test_adopted_spool_ends_before_its_torn_tail(spool: Spool) -> None:
    add_rows(spool, 5)
    spool.release()
    path = spool.segment_path(1)
    path.write_bytes(path.read_bytes()[:-3])

    adopted = Spool.adopt(spool.path)

    assert adopted
    assert adopted.mark.seq == 5
    assert steps(read_all(adopted)) == [0, 1, 2, 3]
    adopted.release()


@pytest.mark.usefixtures("_small_segments")
def test_damaged_end_of_a_full_segment_is_a_gap_up_to_the_next(spool: Spool) -> None:
    add_rows(spool, 50)
    first, second = spool.segments[:2]
    path = spool.segment_path(first)
    path.write_bytes(path.read_bytes()[:-3])

    records = read_all(spool)

    assert [record for record in records if isinstance(record, Lost)] == [
        Lost(1, "no longer on the disk of the job")
    ]
    lost_step = second - 3  # record n holds step n - 2
    assert steps(records) == [step for step in range(50) if step != lost_step]
    assert len(records) == 51


def test_half_made_spools_are_left_alone(root: Path, spool: Spool) -> None:
    (root / "spool" / "empty").mkdir()
    unreadable = root / "spool" / "unreadable"
    unreadable.mkdir()
    (unreadable / "lock").touch()
    (unreadable / "meta.json").write_text('{"format": 99}')

    assert Spool.adopt(root / "spool" / "empty") is None
    assert Spool.adopt(unreadable) is None


def test_full_disk_keeps_records_in_memory_and_in_order(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite
    add_rows(spool, 3)
    fill_disk(monkeypatch)
    add_rows(spool, 3, first_step=3)

    assert steps(read_all(spool)) == [0, 1, 2, 3, 4, 5]
    assert len(spool.overflow) == 3

    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(spool_module, "DISK_RETRY_S", 0.0)
    spool._disk_retry_at = 0.0
    add_rows(spool, 1, first_step=6)
    assert len(spool.overflow) == 4, "order: the disk waits until memory is empty"
    spool.forget(spool.mark.seq)
    add_rows(spool, 2, first_step=7)

    assert len(spool.overflow) == 0
    assert steps(read_all(spool, first=9)) == [7, 8]


def test_full_memory_drops_the_newest_counts_them_and_says_so(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(spool, 1)
    fill_disk(monkeypatch)
    monkeypatch.setattr(overflow, "MEMORY_BYTES", 200)
    add_rows(spool, 10, first_step=1)
    kept = len(spool.overflow)
    spool.close()

    *records, gap = read_all(spool)

    assert 0 < kept < 10
    assert steps(records) == list(range(kept + 1))
    assert isinstance(gap, bytes)
    assert describe(gap) == {
        "gap": {
            "first_seq": kept + 3,
            "last_seq": kept + 3,
            "count": 10 - kept,
            "reason": "no room on the disk of the job",
        }
    }


def test_share_of_the_disk_used_up_is_treated_like_a_full_disk(spool: Spool) -> None:
    spool.set_full(True)
    add_rows(spool, 2)
    in_memory = len(spool.overflow)
    spool.forget(spool.mark.seq)
    spool.set_full(False)
    add_rows(spool, 2, first_step=2)

    assert in_memory == 2
    assert len(spool.overflow) == 0
    assert steps(read_all(spool, first=4)) == [2, 3]


def test_sync_reaches_records_names_and_copies_once(
    make_spool: Callable[[], Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), fsync(fd)))
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 400)
    spool = make_spool()
    add_rows(spool, 20)
    copy = spool.path / "files" / "copy"
    copy.parent.mkdir()
    copy.touch()

    before = spool.unsynced_bytes
    spool.sync()

    beside = [spool.path, spool.path.parent, spool.path / "meta.json", copy]
    paths = [*spool.path.glob("*.seg"), *beside]
    assert len(spool.segments) > 2
    assert sorted(synced) == sorted(path.stat().st_ino for path in paths)
    assert before > 0
    assert spool.unsynced_bytes == 0

    synced.clear()
    spool.sync()
    assert synced == [spool.segment_path(spool.segments[-1]).stat().st_ino]


def test_nothing_is_taken_after_the_end(spool: Spool) -> None:
    add_rows(spool, 2)
    spool.release()
    add_rows(spool, 2)

    assert spool.mark == Mark(1, spool.mark.size, 3)
    assert len(spool.overflow) == 0
