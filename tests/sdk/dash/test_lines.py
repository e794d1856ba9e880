from collections.abc import Iterator
from pathlib import Path

import pytest
from runyard.dash.counters import TextCounter
from runyard.dash.lines import LineFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


@pytest.fixture
def lines(path: Path) -> Iterator[LineFile]:
    lines = open_lines(path)
    yield lines
    lines.close()


def open_lines(path: Path) -> LineFile:
    counter = TextCounter(path.with_name("counter"))
    return LineFile(path, path.with_name(".lock"), "index", counter)


def add(lines: LineFile, count: int = 1) -> None:
    for _ in range(count):
        lines.append(lambda number: b'{"index":%d}\n' % number)


def test_each_line_is_there_with_its_number(lines: LineFile, path: Path) -> None:
    add(lines, 3)

    assert path.read_text() == '{"index":0}\n{"index":1}\n{"index":2}\n'
    assert path.with_name("counter").read_text() == "3"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"index":6}\n', '{"index":6}\n{"index":7}\n'),
        ('{"index":6}', '{"index":6}\n{"index":7}\n'),  # only its end is missing
        ('{"index":6}\n{"ind', '{"index":6}\n{"index":7}\n'),
        ('{"ind', '{"index":0}\n'),
        ('{"index":6}\n\0\0\0', '{"index":6}\n{"index":7}\n'),
        ('{"index":6}\nrubbish\n[]\n', '{"index":6}\nrubbish\n[]\n{"index":7}\n'),
        ("rubbish\nmore\n", 'rubbish\nmore\n{"index":2}\n'),
    ],
)
def test_goes_on_where_the_file_really_ends(
    lines: LineFile, path: Path, before: str, after: str
) -> None:
    path.write_text(before)

    add(lines)

    assert path.read_text() == after


def test_lines_longer_than_the_tail_are_found(
    lines: LineFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runyard.files.line_ends.TAIL_BYTES", 16)
    whole = '{"index":41,"text":"' + "x" * 100 + '"}\n'
    path.write_text(whole + '{"index":42,"text":"' + "x" * 100)

    add(lines)

    assert path.read_text() == whole + '{"index":42}\n'


def test_two_writers_take_turns(lines: LineFile, path: Path) -> None:
    other = open_lines(path)

    for _ in range(3):
        add(lines, 2)
        add(other)
    other.close()

    assert path.read_text() == "".join(f'{{"index":{i}}}\n' for i in range(9))
    assert path.with_name("counter").read_text() == "9"


def test_counter_forgets_the_digits_of_a_longer_file(lines: LineFile, path: Path) -> None:
    path.write_text('{"index":99}\n')
    add(lines)
    path.write_text('{"index":3}\n')

    add(lines)

    assert path.with_name("counter").read_text() == "5"


def test_deleted_file_comes_back(lines: LineFile, path: Path) -> None:
    add(lines, 3)
    path.unlink()

    add(lines)

    assert path.read_text() == '{"index":0}\n'


def test_replaced_file_that_a_backup_keeps_is_not_written_to(lines: LineFile, path: Path) -> None:
    add(lines, 3)
    backup, other = path.with_name("backup"), path.with_name("other")
    backup.hardlink_to(path)
    other.write_text('{"index":0}\n')
    other.replace(path)

    add(lines)

    assert path.read_text() == '{"index":0}\n{"index":1}\n'
    assert backup.read_text() == '{"index":0}\n{"index":1}\n{"index":2}\n'


def test_signal_handler_may_write_in_between(lines: LineFile, path: Path) -> None:
    def interrupted(number: int) -> bytes:
        add(lines)  # what a handler does
        return b'{"index":%d,"who":"interrupted"}\n' % number

    lines.append(interrupted)

    assert path.read_text() == '{"index":0,"who":"interrupted"}\n{"index":1}\n'


def test_append_cut_short_by_ctrl_c_repeats_no_number(lines: LineFile, path: Path) -> None:
    def interrupt(number: int) -> bytes:
        raise KeyboardInterrupt

    add(lines)
    with pytest.raises(KeyboardInterrupt):
        lines.append(interrupt)
    add(lines)

    assert path.read_text() == '{"index":0}\n{"index":1}\n'
