"""The end of a file of lines, as its writers find and leave it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from runyard.files import line_ends
from runyard.files.line_ends import find_line, mend, write_whole


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


@pytest.fixture
def fd(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    yield fd
    os.close(fd)


@pytest.fixture(params=[2, 16_384])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are read in one piece, and in many."""
    monkeypatch.setattr(line_ends, "TAIL_BYTES", request.param)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"tw", b""),
        (b"one\nwhole", b"one\nwhole\n"),
        (b"whole", b"whole\n"),
    ],
)
@pytest.mark.usefixtures("pieces")
def test_a_line_cut_short_is_taken_away(path: Path, fd: int, before: bytes, after: bytes) -> None:
    os.write(fd, before)

    end = mend(fd, len(before), lambda line: line == b"whole")

    assert (end, path.read_bytes()) == (len(after), after)


def test_a_line_begins_behind_the_one_before(fd: int) -> None:
    os.write(fd, b"one\ntwo\n")

    assert [find_line(fd, before) for before in (0, 3, 7)] == [0, 0, 4]


def test_what_the_disk_has_no_room_for_is_taken_back(
    path: Path, fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = write_whole(fd, b"one\n", 0, path)
    really_write = os.write
    monkeypatch.setattr(line_ends.os, "write", lambda fd, data: really_write(fd, data[:2]))

    with pytest.raises(OSError, match="No space left"):
        write_whole(fd, b"two\n", end, path)

    assert (end, path.read_bytes()) == (4, b"one\n")
