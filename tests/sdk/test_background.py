import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from runyard import background
from runyard.background import BackgroundSender, Keeper, is_room_used_up, measure
from runyard.errors import RunExists
from runyard.sender import Sender
from runyard.spool import Spool
from runyard.transport import Body, HttpTransport, Response, parse_address

from tests.sdk.conftest import add_rows
from tests.sdk.door import Answer, Door, wait_until


@pytest.fixture
def sending(spool: Spool, door: Door) -> Iterator[BackgroundSender]:
    transport = HttpTransport(parse_address(door.url))
    sending = BackgroundSender(Sender(spool, transport, if_taken="refuse"))
    yield sending
    sending.stop("the test is over")
    wait_until(lambda: sending._is_over)


def test_records_arrive_while_more_are_written(sending: BackgroundSender, door: Door) -> None:
    spool = sending.sender.spool
    info = sending.wait_for_start(10)
    add_rows(spool, 3_000)
    left = sending.flush(10)
    add_rows(spool, 10, first_step=3_000)
    spool.close()

    assert info
    assert left == 0
    assert sending.drain(10) == 0
    assert door.values("r", "loss") == [(step, float(step)) for step in range(3_010)]
    assert spool.path.parent.name == "sent"


def test_start_that_is_refused_is_raised(spool: Spool, door: Door) -> None:
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    transport = HttpTransport(parse_address(door.url))
    sending = BackgroundSender(Sender(spool, transport, if_taken="refuse"))

    with pytest.raises(RunExists, match="Run 'r' already exists in project 'p'"):
        sending.wait_for_start(10)


def test_flush_says_how_many_have_not_arrived(sending: BackgroundSender, door: Door) -> None:
    sending.wait_for_start(10)
    door.fault = lambda path: "hang up"
    add_rows(sending.sender.spool, 25)

    assert sending.flush(0.2) == 25
    door.fault = lambda path: None
    assert sending.flush(10) == 0


def test_no_use_in_waiting_for_a_server_that_does_not_let_us_in(
    sending: BackgroundSender, door: Door
) -> None:
    sending.wait_for_start(10)
    door.fault = lambda path: Answer(401, {"detail": "no"})
    add_rows(sending.sender.spool, 5)
    wait_until(lambda: sending.sender.is_denied)
    sending.sender.spool.close()
    began = time.monotonic()

    assert sending.drain(30) == 5
    assert time.monotonic() - began < 20


class BrokenTransport:
    """Fails in a way that nobody thought of."""

    def __init__(self) -> None:
        self.calls = 0

    def post(self, path: str, body: bytes | Body, headers: Mapping[str, str]) -> Response:
        self.calls += 1
        raise RuntimeError("never seen before")

    def close(self) -> None:
        pass


def test_unforeseen_errors_do_not_end_the_thread(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runyard.sender.BACKOFF_S", (0.01, 0.01))
    transport = BrokenTransport()
    sending = BackgroundSender(Sender(spool, transport))

    wait_until(lambda: transport.calls > 3)
    sending.stop("the test is over")
    wait_until(lambda: sending._is_over)

    assert caplog.text.count("RuntimeError('never seen before'); trying again") == 1


def test_keeper_syncs_what_is_written_and_ends_with_the_spool(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SYNC_S", 0.05)
    monkeypatch.setattr(background, "KEEPER_TICK_S", 0.02)
    add_rows(spool, 10)
    before = set(threading.enumerate())
    Keeper(spool)
    (thread,) = set(threading.enumerate()) - before

    wait_until(lambda: spool.unsynced_bytes == 0)
    add_rows(spool, 10)
    wait_until(lambda: spool.unsynced_bytes == 0)
    spool.close()
    thread.join(10)

    assert not thread.is_alive()


def test_keeper_goes_on_after_an_error_of_the_disk(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SYNC_S", 0.02)
    monkeypatch.setattr(background, "KEEPER_TICK_S", 0.02)
    failures = [OSError("I/O error")] * 3
    fsync = os.fsync

    def fail_at_first(fd: int) -> None:
        if failures:
            raise failures.pop()
        fsync(fd)

    monkeypatch.setattr(os, "fsync", fail_at_first)
    add_rows(spool, 10)
    Keeper(spool)

    wait_until(lambda: spool.unsynced_bytes == 0)
    assert failures == []
    spool.close()


def test_room_is_a_share_of_the_disk_with_a_bound(
    make_spool: Callable[[], Spool], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(make_spool(), 100)
    used_bytes = measure(root)
    files = [path for path in root.rglob("*") if path.is_file()]
    is_used_up = [is_room_used_up(root)]
    monkeypatch.setattr(background, "MAX_SPOOL_BYTES", used_bytes - 1)
    is_used_up.append(is_room_used_up(root))
    monkeypatch.setattr(background, "MAX_SPOOL_BYTES", used_bytes)
    is_used_up.append(is_room_used_up(root))
    disk = os.statvfs(root)
    monkeypatch.setattr(
        background, "DISK_SHARE", 0.5 * used_bytes / (disk.f_bavail * disk.f_frsize)
    )
    is_used_up.append(is_room_used_up(root))

    assert used_bytes == sum(path.stat().st_size for path in files) > 4_000
    assert is_used_up == [False, True, False, True]


def test_what_was_kept_makes_room_before_records_wait_in_memory(
    make_spool: Callable[[], Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runyard.spool.SEGMENT_BYTES", 1_000)
    spool = make_spool()
    add_rows(spool, 1_000)
    copy = spool.path / "files" / "uploaded"
    copy.parent.mkdir()
    copy.write_bytes(bytes(5_000))
    spool.forget(spool.mark.seq)
    spool.forget_copy(copy)
    monkeypatch.setattr(background, "MAX_SPOOL_BYTES", 5_000)
    monkeypatch.setattr(Keeper, "_run", Keeper._measure)
    before = set(threading.enumerate())

    Keeper(spool)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    add_rows(spool, 10)

    assert not copy.exists()
    assert measure(spool.path.parent) < 5_000
    assert not spool.overflow, "a process that is killed would take them with it"
