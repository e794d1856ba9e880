"""Lines are whole, whatever happens to their writers and to the disk."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from runyard.aspara_store import appending
from runyard.aspara_store.appending import AppendFile

from tests.sdk.jobs import SDK


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p" / "r.jsonl"


def test_line_is_in_the_file_when_append_returns(path: Path) -> None:
    file = AppendFile(path)

    file.append(b"{}\n")

    assert path.read_bytes() == b"{}\n"
    file.close()


@pytest.mark.parametrize(
    ("before", "mended"),
    [
        (b'{"a": 1}\n{"b": ', b'{"a": 1}\n'),
        (b'{"b": ', b""),
        (b'{"a": 1}\n{"b": 2}', b'{"a": 1}\n{"b": 2}\n'),
        (b'{"a": 1}\n\0\0\0', b'{"a": 1}\n'),
        (b'{"a": 1}\n' + b"x" * 40_000, b'{"a": 1}\n'),
        (b"17", b""),
        (b"", b""),
    ],
    ids=["torn", "torn only", "newline missing", "zeros", "long", "no object", "empty"],
)
def test_line_cut_short_is_taken_away_before_the_next(
    path: Path, before: bytes, mended: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(before)
    file = AppendFile(path)

    file.append(b'{"c": 3}\n')

    assert path.read_bytes() == mended + b'{"c": 3}\n'
    file.close()


def test_line_torn_by_another_while_we_have_the_file_is_mended_too(path: Path) -> None:
    file = AppendFile(path)
    file.append(b'{"a": 1}\n')
    with path.open("ab") as other:
        other.write(b'{"b": ')

    file.append(b'{"c": 3}\n')

    assert path.read_bytes() == b'{"a": 1}\n{"c": 3}\n'
    file.close()


def test_deleted_file_is_begun_anew_and_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = AppendFile(path)
    file.append(b'{"a": 1}\n')
    path.unlink()

    file.append(b'{"b": 2}\n')

    assert path.read_bytes() == b'{"b": 2}\n'
    assert "was deleted while its run goes on" in caplog.text
    file.close()


def test_replaced_file_is_gone_on_with_in_silence(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = AppendFile(path)
    file.append(b'{"a": 1}\n')
    other = path.with_name("other")
    other.write_bytes(b'{"z": 0}\n')
    other.replace(path)

    file.append(b'{"b": 2}\n')

    assert path.read_bytes() == b'{"z": 0}\n{"b": 2}\n'
    assert caplog.text == ""
    file.close()


def test_replaced_file_that_a_backup_keeps_is_not_written_to(path: Path) -> None:
    """As `rsync --link-dest` and `cp -al` make them: the old file has a name still."""
    file = AppendFile(path)
    file.append(b'{"a": 1}\n')
    backup, other = path.with_name("backup"), path.with_name("other")
    backup.hardlink_to(path)
    other.write_bytes(b"")
    other.replace(path)

    file.append(b'{"b": 2}\n')

    assert (path.read_bytes(), backup.read_bytes()) == (b'{"b": 2}\n', b'{"a": 1}\n')
    file.close()


def test_lines_wait_in_memory_while_the_disk_is_full(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = AppendFile(path)
    file.append(b'{"a": 1}\n')
    really_write = os.write
    monkeypatch.setattr(appending.os, "write", lambda fd, data: really_write(fd, data[:4]))

    file.append(b'{"b": 2}\n')
    file.append(b'{"c": 3}\n')
    full = (path.read_bytes(), file.waiting_count, len(caplog.records))
    monkeypatch.undo()
    file.push()

    assert full == (b'{"a": 1}\n', 2, 1)
    assert path.read_bytes() == b'{"a": 1}\n{"b": 2}\n{"c": 3}\n'
    assert (file.waiting_count, file.lost_count) == (0, 0)
    file.close()


def test_full_disk_is_asked_again_after_a_while(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(path)
    attempts = []

    def refuse(fd: int, data: bytes) -> int:
        attempts.append(data)
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(appending.os, "write", refuse)
    for _ in range(100):
        file.append(b"{}\n")
    refused = len(attempts)
    monkeypatch.undo()
    monkeypatch.setattr(appending, "RETRY_S", 0.0)
    file._retry_at = 0.0
    file.append(b"{}\n")

    assert refused <= 2, "not for each row"
    assert path.read_bytes() == b"{}\n" * 101
    file.close()


def test_what_memory_cannot_hold_is_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MEMORY_BYTES", 7)
    file = AppendFile(path)
    file._retry_at = float("inf")
    for _ in range(5):
        file._keep(b"{}\n")

    assert (file.waiting_count, file.lost_count) == (2, 3)


def test_line_of_a_signal_handler_follows_the_one_it_interrupted(path: Path) -> None:
    file = AppendFile(path)

    with file.hold():
        file.append(b'{"b": 2}\n')
        inside = path.read_bytes()
    file.append(b'{"c": 3}\n')

    assert inside == b""
    assert path.read_bytes() == b'{"b": 2}\n{"c": 3}\n'
    file.close()


WRITER = """
import sys
from pathlib import Path
from runyard.aspara_store.appending import AppendFile
file = AppendFile(Path(sys.argv[1]))
for i in range(1000):
    file.append(b'{"who": %s, "i": %d}\\n' % (sys.argv[2].encode(), i))
"""


def test_processes_never_lose_each_others_lines(path: Path) -> None:
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(who)], env={"PYTHONPATH": str(SDK)}
        )
        for who in range(3)
    ]

    assert [job.wait(60) for job in jobs] == [0, 0, 0]

    lines = path.read_bytes().splitlines()
    for who in range(3):
        mine = [line for line in lines if line.startswith(b'{"who": %d,' % who)]
        assert mine == [b'{"who": %d, "i": %d}' % (who, i) for i in range(1000)]
    assert len(lines) == 3000


def test_lock_is_not_held_between_lines(path: Path) -> None:
    first, second = AppendFile(path), AppendFile(path)
    first.append(b'{"a": 1}\n')

    thread = threading.Thread(target=second.append, args=(b'{"b": 2}\n',))
    thread.start()
    thread.join(10)

    assert not thread.is_alive()
    assert path.read_bytes() == b'{"a": 1}\n{"b": 2}\n'
    first.close()
    second.close()
