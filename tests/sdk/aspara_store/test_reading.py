"""Files of the original, of old versions, and of writers that died."""

import json
import math
import os
from pathlib import Path

import pytest
from runyard import life
from runyard.aspara_store.layout import (
    RunPaths,
    data_dir,
    find_projects,
    find_runs,
    run_of_file,
)
from runyard.aspara_store.reading import (
    About,
    Problem,
    ProjectAbout,
    StoredArtifact,
    describe,
    read_project,
    read_run,
)

from tests.sdk.aspara_store.files import make_run, original_line, points_of

EMPTY = About("", [], "", {}, {}, None, None, "", None, None, {})


def test_rows_carry_the_byte_behind_them(tmp_path: Path) -> None:
    lines = [original_line(step, {"loss": step / 2}) for step in range(3)]
    make_run(tmp_path, "".join(lines))
    run = read_run(tmp_path, "p", "r")

    places = [record.after for record in run.records()]

    assert places == [len("".join(lines[:count])) for count in (1, 2, 3)]
    assert [record.row.step for record in run.records(places[0])] == [1, 2]
    assert list(run.records(places[2])) == []


def test_metric_that_comes_late_is_there(tmp_path: Path) -> None:
    lines = [original_line(step, {"loss": 1}) for step in range(150)]
    make_run(tmp_path, "".join(lines) + original_line(150, {"loss": 1, "val/loss": 0.5}))

    assert points_of(tmp_path, "p", "r")[-1] == (150, "val/loss", 0.5)


@pytest.mark.parametrize("first", [1, True], ids=["int", "bool"])
def test_metric_may_become_a_float(tmp_path: Path, first: object) -> None:
    lines = [original_line(step, {"loss": first}) for step in range(150)]
    make_run(tmp_path, "".join(lines) + original_line(150, {"loss": 0.5}))

    assert points_of(tmp_path, "p", "r") == [
        *((step, "loss", 1.0) for step in range(150)),
        (150, "loss", 0.5),
    ]


def test_nan_and_infinity_hide_nothing(tmp_path: Path) -> None:
    values = [1.0, math.nan, math.inf, -math.inf, 2.0]
    make_run(tmp_path, "".join(original_line(i, {"loss": v}) for i, v in enumerate(values)))

    assert str(points_of(tmp_path, "p", "r")) == str([(i, "loss", v) for i, v in enumerate(values)])


def test_metrics_may_be_called_step_and_timestamp(tmp_path: Path) -> None:
    make_run(tmp_path, original_line(5, {"step": 1, "timestamp": 2}))

    assert points_of(tmp_path, "p", "r") == [(5, "step", 1.0), (5, "timestamp", 2.0)]


def test_line_cut_short_is_left_until_it_is_whole(tmp_path: Path) -> None:
    first, second = original_line(0, {"a": 1}), original_line(1, {"a": 2})
    paths = make_run(tmp_path, first + second[:20])
    run = read_run(tmp_path, "p", "r")

    found = list(run.records())
    paths.rows.write_text(first + second)
    later = list(run.records(found[-1].after))

    assert [record.row.step for record in found] == [0]
    assert run.problems == [Problem(paths.rows, len(first), "the last line is cut short")]
    assert [(record.row.step, record.after) for record in later] == [(1, len(first + second))]


def test_last_line_without_its_newline_counts_once(tmp_path: Path) -> None:
    line = original_line(0, {"a": 1})
    paths = make_run(tmp_path, line.rstrip("\n"))
    run = read_run(tmp_path, "p", "r")

    found = list(run.records())
    paths.rows.write_text(line + original_line(1, {"a": 2}))

    assert [record.row.step for record in found] == [0]
    assert [record.row.step for record in run.records(found[-1].after)] == [1]
    assert run.problems == []


def test_damaged_lines_are_said_with_their_place_and_passed_over(tmp_path: Path) -> None:
    good = original_line(0, {"a": 1})
    paths = make_run(tmp_path, f'{good}garbage\n\n[1]\n{good}{{"step": 3}}\n{good}')
    run = read_run(tmp_path, "p", "r")

    assert len(list(run.records())) == 3
    at = len(good)
    assert run.problems == [
        Problem(paths.rows, at, "a line that is not JSON"),
        Problem(paths.rows, at + 9, "a line that is not a JSON object"),
        Problem(paths.rows, 2 * at + 13, "a row without metrics"),
    ]


def test_zeros_of_a_power_cut_at_the_end_are_no_line(tmp_path: Path) -> None:
    make_run(tmp_path, original_line(0, {"a": 1}).encode() + b"\0" * 100)

    assert points_of(tmp_path, "p", "r") == [(0, "a", 1.0)]


def test_values_that_are_no_numbers_are_said(tmp_path: Path) -> None:
    paths = make_run(tmp_path, original_line(0, {"a": 1, "b": "x", "c": None}))
    run = read_run(tmp_path, "p", "r")

    assert [record.row.values for record in run.records()] == [{"a": 1.0}]
    assert run.problems == [Problem(paths.rows, 0, "values that are no numbers: b, c")]


def test_local_rows_and_rows_of_a_tracker_may_be_in_one_file(tmp_path: Path) -> None:
    tracker = '{"timestamp": "2023-11-15T12:00:01", "step": 1, "metrics": {"a": 2}, "run": null}\n'
    make_run(tmp_path, original_line(0, {"a": 1}) + tracker)

    times = [record.row.time_us for record in read_run(tmp_path, "p", "r").records()]

    assert times == [1_700_049_600_000_000, 1_700_049_601_000_000]


def test_write_ahead_lines_are_read_without_polars(tmp_path: Path) -> None:
    make_run(tmp_path, original_line(0, {"a": 1, "b": 2}), wal=True)
    run = read_run(tmp_path, "p", "r")

    assert run.backend == "polars"
    assert points_of(tmp_path, "p", "r") == [(0, "a", 1.0), (0, "b", 2.0)]


def test_document_of_today_is_understood() -> None:
    document = {
        "run_id": "0d0e80ff5a8e4d3e",
        "tags": ["t"],
        "notes": "n",
        "params": {"old": 1, "lr": 0},
        "config": {"lr": 0.1},
        "summary": {"best": 1},
        "is_finished": True,
        "exit_code": 0,
        "status": "completed",
        "start_time": 1_000,
        "finish_time": 2_000,
        "environment": {"hostname": "h"},
    }

    assert describe(document) == About(
        "0d0e80ff5a8e4d3e",
        ["t"],
        "n",
        {"old": 1, "lr": 0.1},
        {"best": 1},
        "completed",
        0,
        "",
        1_000_000,
        2_000_000,
        {"hostname": "h"},
    )


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"status": "wip"}, None),
        ({"status": "failed", "is_cancelled": True}, "cancelled"),
        ({"status": "completed", "is_cancelled": True}, "completed"),
        ({"status": "odd", "is_finished": True, "exit_code": 2}, "failed"),
        ({"is_finished": True, "exit_code": 0}, "completed"),
        ({"is_finished": True, "exit_code": None}, None),
        ({"status": "maybe_failed", "is_finished": True}, None),
        ({"status": ["wip"], "is_finished": False, "exit_code": 0}, None),
    ],
)
def test_status_is_what_is_said_or_what_follows(
    document: dict[str, object], status: str | None
) -> None:
    assert describe(document).status == status


def test_odd_document_is_as_good_as_none() -> None:
    odd = {"run_id": 7, "tags": "x", "notes": [], "config": [], "start_time": "soon", "status": {}}

    assert describe(odd) == EMPTY
    assert describe({"start_time": "2026-01-01T00:00:00"}).started_us == 1_767_225_600_000_000


def test_truncated_document_is_said_and_rows_are_read(tmp_path: Path) -> None:
    paths = make_run(tmp_path, original_line(0, {"a": 1}))
    paths.meta.write_text('{"run_id": "x", "tags": ["a"')
    run = read_run(tmp_path, "p", "r")

    assert (run.about, run.is_damaged) == (EMPTY._replace(run_id="x"), True)
    assert len(list(run.records())) == 1
    assert [(problem.path, problem.offset) for problem in run.problems] == [(paths.meta, 0)]
    assert run.problems[0].reason.startswith("it cannot be read: ")


def test_artifacts_are_those_described_and_those_found(tmp_path: Path) -> None:
    paths = make_run(tmp_path)
    paths.artifacts.mkdir(parents=True)
    (paths.artifacts / "m.bin").write_bytes(b"12345")
    (paths.artifacts / "alone.txt").write_bytes(b"1")
    (paths.artifacts / "link").symlink_to("/etc/hostname")
    entries = [
        {"name": "m.bin", "description": "old", "file_size": 1},
        {"name": "m.bin", "description": "new", "category": "model", "file_size": 5},
        {"name": "../../evil", "file_size": 1},
        {"name": "gone", "file_size": 9},
        "odd",
    ]
    paths.meta.write_text(json.dumps({"artifacts": entries}))
    run = read_run(tmp_path, "p", "r")

    assert list(run.artifacts()) == [
        StoredArtifact("m.bin", "new", "model", 5, paths.artifacts / "m.bin"),
        StoredArtifact("gone", "", "", 9, None),
        StoredArtifact("alone.txt", "", "", 1, paths.artifacts / "alone.txt"),
    ]
    assert [problem.reason for problem in run.problems] == [
        "an artifact without a good name: '../../evil'",
        "an artifact without a good name: None",
        "the file is not there",
    ]


def test_projects_and_runs_are_found_by_their_files(tmp_path: Path) -> None:
    for name in ("a", "b-2", "x_archive"):
        make_run(tmp_path, name=name)
    folder = tmp_path / "p"
    (folder / "only-meta.meta.json").write_text("{}")
    (folder / "remote.wal.jsonl").touch()
    (folder / "odd name.jsonl").touch()
    (folder / "nl\n.jsonl").touch()
    (folder / "metadata.json").write_text('{"tags": ["t"], "notes": 7}')
    (folder / "x_archive" / "artifacts").mkdir(parents=True)
    (tmp_path / ".queue" / "p").mkdir(parents=True)
    (tmp_path / "file").touch()

    assert list(find_projects(tmp_path)) == ["p"]
    assert [run.name for run in find_runs(tmp_path, "p")] == [
        *("a", "b-2", "only-meta", "remote", "x_archive"),
    ]
    assert read_project(tmp_path, "p") == ProjectAbout(["t"], "")
    assert read_project(tmp_path, "q") == ProjectAbout([], "")
    with pytest.raises(FileNotFoundError):
        read_run(tmp_path, "p", "nobody")


def test_directory_of_a_run_called_archive_is_no_archive(tmp_path: Path) -> None:
    make_run(tmp_path, name="x")
    paths = make_run(tmp_path, name="x_archive")
    paths.artifacts.mkdir(parents=True)

    assert read_run(tmp_path, "p", "x").backend == "jsonl"


@pytest.mark.parametrize(
    ("name", "run"),
    [("a.jsonl", "a"), ("a.wal.jsonl", "a"), ("a.meta.json", "a"), (".lock", ""), ("a.lock", "")],
)
def test_file_tells_its_run(name: str, run: str) -> None:
    assert run_of_file(name) == run


def test_reader_knows_who_is_alive_and_what_changed(tmp_path: Path) -> None:
    paths = make_run(tmp_path)
    os.utime(paths.rows, (1_000, 1_000))
    run = read_run(tmp_path, "p", "r")
    fd = life.hold(paths.life)
    assert fd is not None

    assert (run.is_alive, run.changed_at) == (True, 1_000)
    life.release(paths.life, fd)
    assert not run.is_alive


def test_data_dir_is_the_argument_the_variable_or_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    by_default = data_dir()
    monkeypatch.setenv("ASPARA_DATA_DIR", str(tmp_path / "variable"))

    assert by_default == tmp_path / "share" / "aspara"
    assert data_dir() == tmp_path / "variable"
    assert data_dir(tmp_path / "x" / ".." / "y") == tmp_path / "y"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.delenv("ASPARA_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_dir() == tmp_path / ".local" / "share" / "aspara"


@pytest.mark.parametrize("place", ["/", "/etc", "/usr/", "/var/../proc"])
def test_directories_of_the_system_are_refused(place: str) -> None:
    with pytest.raises(ValueError, match="belongs to the system"):
        data_dir(place)


def test_paths_are_those_of_the_layout() -> None:
    paths = RunPaths(Path("/d"), "p", "r")

    assert [str(path) for path in (paths.rows, paths.meta, paths.wal, paths.archive)] == [
        "/d/p/r.jsonl",
        "/d/p/r.meta.json",
        "/d/p/r.wal.jsonl",
        "/d/p/r_archive",
    ]
    assert str(paths.artifacts) == "/d/p/r/artifacts"
    assert str(paths.life) == "/d/p/r.lock"
