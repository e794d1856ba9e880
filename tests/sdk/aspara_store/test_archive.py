"""Rows that move into Parquet files: none is lost, none doubled, whatever happens on the way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from runyard.aspara_store import archive as archive_module
from runyard.aspara_store.appending import AppendFile
from runyard.aspara_store.archive import archive, cut_stretch, draft_of
from runyard.aspara_store.layout import RunPaths, archived_files
from runyard.aspara_store.reading import read_run
from runyard.aspara_store.rows import encode_row

from tests.sdk.aspara_store.files import DAY_US, NOON_US, make_run, original_line, points_of

pl = pytest.importorskip("polars")

Kill = type("Kill", (BaseException,), {})


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return make_run(tmp_path, wal=True)


def rows(count: int, first: int = 0, time_us: int = NOON_US, per_row_us: int = 1000) -> bytes:
    """Rows of one metric whose value is its step."""
    return b"".join(
        encode_row(["loss"], [float(step)], step, time_us + (step - first) * per_row_us)
        for step in range(first, first + count)
    )


def add(paths: RunPaths, lines: bytes) -> None:
    with paths.wal.open("ab") as file:
        file.write(lines)


def move(paths: RunPaths) -> None:
    wal = AppendFile(paths.wal)
    try:
        archive(paths, wal)
    finally:
        wal.close()


def names_of(paths: RunPaths) -> list[str]:
    return [path.relative_to(paths.archive).as_posix() for path in archived_files(paths.archive)]


def steps_of(paths: RunPaths) -> list[int | None]:
    return [step for step, _, _ in points_of(paths.root, "p", "r")]


def test_files_are_those_of_the_original(paths: RunPaths) -> None:
    add(paths, encode_row(["loss", "acc"], [0.5, float("nan")], 3, NOON_US + 123_456))

    move(paths)

    (path,) = archived_files(paths.archive)
    frame = pl.read_parquet(path, hive_partitioning=False)
    assert path == paths.archive / "date=2023-11-15" / "00000000.parquet"
    assert frame.schema == {
        "timestamp": pl.Datetime("us"),
        "step": pl.Int64,
        "metric_name": pl.String,
        "metric_value": pl.Float64,
        "date": pl.Date,
    }
    noon = datetime(2023, 11, 15, 12, 0, 0, 123_000, tzinfo=UTC).replace(tzinfo=None)
    assert str(frame.rows()) == str(
        [(noon, 3, "loss", 0.5, noon.date()), (noon, 3, "acc", float("nan"), noon.date())]
    )
    assert paths.wal.read_bytes() == b""
    assert not paths.marker.exists()


def test_no_row_is_lost_over_midnight(paths: RunPaths) -> None:
    third = DAY_US // 30
    for first in range(0, 80, 20):
        add(paths, rows(20, first, NOON_US + first * third, third))
        move(paths)

    assert names_of(paths) == [
        "date=2023-11-15/00000000.parquet",
        "date=2023-11-16/00000000.parquet",
        "date=2023-11-17/00000000.parquet",
        "date=2023-11-18/00000000.parquet",
    ]
    assert steps_of(paths) == list(range(80))


def test_row_of_an_earlier_day_stays_and_keeps_its_place(paths: RunPaths) -> None:
    add(paths, rows(2) + rows(1, 2, NOON_US - DAY_US) + rows(2, 3, NOON_US))

    move(paths)
    move(paths)

    assert steps_of(paths) == [0, 1, 2, 3, 4]
    assert len(paths.wal.read_bytes().splitlines()) == 3
    add(paths, rows(1, 5))
    assert steps_of(paths) == [0, 1, 2, 3, 4, 5]


def test_row_older_than_the_archive_stays(paths: RunPaths) -> None:
    add(paths, rows(1))
    move(paths)
    add(paths, rows(1, 1, NOON_US - DAY_US))

    move(paths)

    assert names_of(paths) == ["date=2023-11-15/00000000.parquet"]
    assert steps_of(paths) == [0, 1]


@pytest.mark.parametrize(
    "odd",
    [
        b"garbage\n",
        b'{"step": 1, "metrics": {"a": 1}}\n',
        original_line(1, {"a": 1}, 2**62).encode(),
    ],
    ids=["damaged", "without a time", "in no calendar"],
)
def test_line_that_has_no_day_stays_with_all_behind_it(odd: bytes) -> None:
    lines = rows(2) + odd + rows(1, 9)

    stretch = cut_stretch(lines, "")

    assert stretch.end == len(rows(2))
    assert [(day, len(found)) for day, found in stretch.days] == [("2023-11-15", 2)]


def test_large_file_gets_a_neighbour(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "FILE_BYTES", 1)
    for first in range(3):
        add(paths, rows(1, first))
        move(paths)

    assert names_of(paths) == [f"date=2023-11-15/0000000{number}.parquet" for number in range(3)]
    assert steps_of(paths) == [0, 1, 2]


def test_places_stay_right_while_rows_move(paths: RunPaths) -> None:
    def read(after: int) -> list[tuple[int, int | None]]:
        run = read_run(paths.root, "p", "r")
        return [(record.after, record.row.step) for record in run.records(after)]

    add(paths, rows(5))
    first = read(0)
    move(paths)
    add(paths, rows(3, 5, NOON_US + DAY_US))
    second = read(first[-1][0])
    move(paths)

    assert first == [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]
    assert second == [(6, 5), (7, 6), (8, 7)]
    assert read(0) == first + second
    assert read(6) == [(7, 6), (8, 7)]


def _killed(*arguments: Any) -> None:
    raise Kill


def _kill_after_note(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    really = archive_module.finish_move

    def finish(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Kill
        really(*arguments)

    monkeypatch.setattr(archive_module, "finish_move", finish)


def _kill_before_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "write_document", _killed)


def _kill_between_files(monkeypatch: pytest.MonkeyPatch) -> None:
    really = archive_module.sync_file

    def sync(path: Path) -> None:
        really(path)
        if path.is_dir() and archive_module.read_move(RunPaths(path.parents[2], "p", "r")):
            raise Kill

    monkeypatch.setattr(archive_module, "sync_file", sync)


def _kill_before_lines_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_drop_head", _killed)


def _kill_before_note_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    really = archive_module._drop_head

    def drop(*arguments: Any) -> None:
        really(*arguments)
        raise Kill

    monkeypatch.setattr(archive_module, "_drop_head", drop)


KILLS = [
    _kill_before_note,
    _kill_after_note,
    _kill_between_files,
    _kill_before_lines_go,
    _kill_before_note_goes,
]


@pytest.mark.parametrize("day_us", [DAY_US, 0], ids=["next day", "same day"])
@pytest.mark.parametrize("rest", [0, 2], ids=["all moves", "some stay"])
@pytest.mark.parametrize("kill", KILLS)
def test_death_on_the_way_neither_loses_nor_doubles(
    paths: RunPaths,
    monkeypatch: pytest.MonkeyPatch,
    kill: Callable[[pytest.MonkeyPatch], None],
    rest: int,
    day_us: int,
) -> None:
    add(paths, rows(3))
    move(paths)
    add(paths, rows(2, 3) + rows(4, 5, NOON_US + day_us))
    add(paths, rows(rest, 9, NOON_US - DAY_US))
    expected = list(range(9 + rest))
    kill(monkeypatch)

    with pytest.raises(Kill):
        move(paths)
    monkeypatch.undo()
    found = steps_of(paths)
    add(paths, rows(1, 50, NOON_US + 2 * day_us))
    with_more = steps_of(paths)
    move(paths)

    assert found == expected
    assert with_more == [*expected, 50]
    assert steps_of(paths) == [*expected, 50]
    assert not paths.marker.exists()


def test_note_that_is_not_whole_means_nothing_moved(paths: RunPaths) -> None:
    add(paths, rows(2))
    paths.marker.write_text('{"wal_bytes": 1')

    assert steps_of(paths) == [0, 1]
    move(paths)
    assert steps_of(paths) == [0, 1]


def test_note_cannot_name_files_elsewhere(paths: RunPaths, tmp_path: Path) -> None:
    victim = tmp_path / "victim.parquet"
    victim.write_text("mine")
    draft_of(victim).write_text("theirs")
    note = {"wal_bytes": 0, "checksum": 0, "files": ["../../victim.parquet"]}
    paths.archive.mkdir()
    paths.marker.write_text(json.dumps(note))

    move(paths)

    assert victim.read_text() == "mine"


def test_rows_in_both_after_a_death_of_the_original_count_once(paths: RunPaths) -> None:
    add(paths, rows(3))
    lines = paths.wal.read_bytes()
    move(paths)
    add(paths, lines + rows(1, 3))
    paths.foreign_marker.write_text("")

    assert steps_of(paths) == [0, 1, 2, 3]


def test_damaged_archive_is_said_and_the_rest_is_read(paths: RunPaths) -> None:
    add(paths, rows(2))
    move(paths)
    add(paths, rows(2, 2, NOON_US + DAY_US))
    move(paths)
    (first, _) = archived_files(paths.archive)
    first.write_bytes(b"PAR1 no")
    run = read_run(paths.root, "p", "r")

    steps = [record.row.step for record in run.records()]

    assert steps == [2, 3]
    assert [(problem.path, problem.offset) for problem in run.problems] == [(first, 0)]
    assert run.problems[0].reason.startswith("the archive cannot be read: ")


def test_archive_without_polars_is_said(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    add(paths, rows(1))
    move(paths)
    monkeypatch.setitem(sys.modules, "polars", None)
    run = read_run(paths.root, "p", "r")

    assert list(run.records()) == []
    assert "pip install 'runyard[polars]'" in run.problems[0].reason
