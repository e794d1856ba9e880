import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from runyard.dash.reading import Experiment, find_experiments, read_experiment
from runyard.dash.records import About, FileEntry
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import ABOUT


def make(path: Path, **document: Any) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "experiment.json").write_text(json.dumps(document))
    return path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def rows(experiment: Experiment, offset: int = 0) -> list[tuple[int, Any]]:
    (stream,) = experiment.streams()
    return [(after, row["data"]) for after, row in experiment.rows(stream, offset)]


def test_experiments_are_found_at_any_depth(dash_root: Path) -> None:
    for name in ("a/p/x", "a/p/x/inner/deep", "a/p/f/g/h/y", "b"):
        make(dash_root / name)
    make(dash_root / "a/p/x/files/configs/12")  # somebody's file of that name
    make(dash_root / "a/p/logs")  # only a name here
    (dash_root / "empty").mkdir()

    found = [str(path.relative_to(dash_root)) for path in find_experiments(dash_root)]

    assert found == ["a/p/f/g/h/y", "a/p/logs", "a/p/x", "a/p/x/inner/deep", "b"]


def test_links_that_lead_round_are_cut(dash_root: Path) -> None:
    make(dash_root / "a/p/x")
    (dash_root / "a/p/x/round").symlink_to(dash_root)
    (dash_root / "a/again").symlink_to(dash_root / "a/p")
    (dash_root / "broken").symlink_to(dash_root / "nowhere")
    (dash_root / "itself").symlink_to(dash_root / "itself")

    found = [str(path.relative_to(dash_root)) for path in find_experiments(dash_root)]

    assert found == ["a/again/x"]


def test_root_that_is_not_there_holds_no_experiments(dash_root: Path) -> None:
    assert list(find_experiments(dash_root)) == []
    with pytest.raises(FileNotFoundError):
        read_experiment(dash_root)


def test_what_the_store_wrote_is_read(store: DashStore, tmp_path: Path) -> None:
    source = tmp_path / "m.txt"
    source.write_text("bytes")
    store.set_params({"lr": 0.1})
    store.log("hello", "info", {"n": 1}, datetime(2026, 5, 1))  # noqa: DTZ001 -- as people pass it
    store.append_row("train/loss", {"x": math.inf}, {"tags": ["t"], "metadata": {"a": 1}})
    store.append_row(None, {"x": 1}, {})
    kept = store.save_file(source, FileEntry("11", "/models", "m.txt"))
    store.delete_file(store.save_file(source, FileEntry("12", "/", "gone.txt"))["id"])
    store.finish("FAILED")

    experiment = read_experiment(store.home, store.root)

    assert experiment.about == ABOUT._replace(bindrs=[])
    assert experiment.params == {"lr": 0.1}
    assert experiment.status == "FAILED"
    assert experiment.created_at == experiment.started_at
    assert [line["message"] for _, line in experiment.logs()] == ["hello"]
    unnamed, nested = experiment.streams()
    assert (unnamed.name, nested.name, nested.tags, nested.metadata) == (
        *(None, "train/loss"),
        *(["t"], {"a": 1}),
    )
    assert [row["data"] for _, row in experiment.rows(nested)] == [{"x": math.inf}]
    first, second = experiment.files()
    assert (first.entry, first.path) == (kept, store.home / "files/models/11/m.txt")
    assert (second.entry["id"], second.is_deleted) == ("12", True)
    assert experiment.problems == []


def test_old_and_sparse_experiments_are_known_by_their_place(dash_root: Path) -> None:
    make(dash_root / "a/p/f/x", name="x", description="old")
    make(dash_root / "short", prefix="solo", project="p")

    placed = read_experiment(dash_root / "a/p/f/x", dash_root).about
    short = read_experiment(dash_root / "short", dash_root).about

    assert placed == About("a/p/f/x", "a", "p", "f", "x", "old", [], [])
    assert short == About("solo", "", "p", "", "solo", None, [], [])


def test_rows_go_on_from_any_offset(dash_root: Path) -> None:
    path = make(dash_root / "x")
    lines = [f'{{"index": {i}, "data": {{"i": {i}, "nan": NaN}}}}\n' for i in range(3)]
    write(path / "metrics/train/data.jsonl", "".join(lines))
    experiment = read_experiment(path)

    whole = rows(experiment)

    assert [after for after, _ in whole] == [43, 86, 129]
    assert [data["i"] for _, data in rows(experiment, whole[0][0])] == [1, 2]
    assert all(math.isnan(data["nan"]) for _, data in whole)


def test_torn_last_line_is_told_and_read_once_it_is_whole(dash_root: Path) -> None:
    path = make(dash_root / "x")
    data = path / "metrics/train/data.jsonl"
    write(data, '{"index":0,"data":{"i":0}}\n{"index":1,"da')
    experiment = read_experiment(path)

    (first,) = rows(experiment)

    assert first == (27, {"i": 0})
    (problem,) = experiment.problems
    assert problem == (
        "metrics/train/data.jsonl: a line that is not JSON, the last one: "
        "its writer was cut short (before byte 41)"
    )
    write(data, '{"index":0,"data":{"i":0}}\n{"index":1,"data":{"i":1}}\n')
    assert [row for _, row in rows(experiment, first[0])] == [{"i": 1}]


@pytest.mark.parametrize(
    "line",
    [
        '{"index":0,"da{"index":0}',
        "[1]",
        '"text"',
        '{"index":1}',
        '{"data":[1]}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_damaged_lines_are_left_out_and_told(dash_root: Path, line: str) -> None:
    path = make(dash_root / "x")
    good = '{"index":2,"data":{"i":2}}'
    data = path / "metrics/train/data.jsonl"
    write(data, "")
    data.write_bytes(f"{line}\n\0\0\n\n\0\0{good}\n".encode(errors="surrogateescape"))
    experiment = read_experiment(path)

    assert [row for _, row in rows(experiment)] == [{"i": 2}]
    assert len(experiment.problems) == 1


def test_file_of_rubbish_is_told_of_a_few_times(dash_root: Path) -> None:
    path = make(dash_root / "x")
    write(path / "metrics/train/data.jsonl", "rubbish\n" * 1000)
    experiment = read_experiment(path)

    assert rows(experiment) == []
    assert len(experiment.problems) == 21
    assert experiment.problems[-1].endswith("more of that kind (from byte 168 on)")


def test_directory_that_cannot_be_looked_into_is_told(
    dash_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(dash_root / "a/x")
    make(dash_root / "secret/y")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problems: list[str] = []

    found = list(find_experiments(dash_root, problems))

    assert found == [dash_root / "a/x"]
    assert problems == [f"[Errno 13] Permission denied: '{dash_root / 'secret'}'"]


def test_truncated_documents_are_told_not_raised(dash_root: Path) -> None:
    path = dash_root / "a/p/x"
    for name in ("experiment.json", "parameters.json", "files/.files_metadata.json"):
        write(path / name, '{"data": {"lr"')
    write(path / "metrics/train/metadata.json", "[]")
    write(path / "metrics/train/data.jsonl", '{"index":0,"data":{"i":0}}\n')
    write(path / "logs/logs.jsonl", '{"level":"info"}\n{"message":"m"}\n')
    experiment = read_experiment(path, dash_root)

    assert experiment.about == About("a/p/x", "a", "p", "", "x", None, [], [])
    assert (experiment.params, experiment.status) == ({}, None)
    assert [data for _, data in rows(experiment)] == [{"i": 0}]
    assert list(experiment.files()) == []
    assert [line for _, line in experiment.logs()] == [{"message": "m"}]
    assert [problem.partition(":")[0] for problem in experiment.problems] == [
        "experiment.json",
        "parameters.json",
        "metrics/train/metadata.json",
        "files/.files_metadata.json",
        "logs/logs.jsonl",
    ]


def test_odd_file_entries_are_told_not_followed(dash_root: Path) -> None:
    path = make(dash_root / "x")
    entries: list[Any] = [
        {"id": "1", "filename": "a", "path": "/"},  # as the oldest versions write them
        {"id": "2", "filename": "../../x", "path": "/"},
        {"id": 3, "filename": "a"},
        "text",
        {"id": "4", "filename": "gone", "path": "/", "deletedAt": "2026-05-01T00:00:00Z"},
    ]
    write(path / "files/.files_metadata.json", json.dumps({"files": entries}))
    write(path / "files/1/a", "bytes")
    experiment = read_experiment(path)

    found = [(file.entry["id"], file.path, file.is_deleted) for file in experiment.files()]

    assert found == [("1", path / "files/1/a", False), ("2", None, False), ("4", None, True)]
    assert len(experiment.problems) == 3


def test_tracks_are_rows_by_time(dash_root: Path) -> None:
    path = make(dash_root / "x")
    write(path / "tracks/robot_pose/metadata.json", '{"topic": "robot/pose"}')
    write(path / "tracks/robot_pose/data.jsonl", '{"timestamp": 1.5, "q.x": 2}\n')
    experiment = read_experiment(path)

    (track,) = experiment.tracks()

    assert track.name == "robot/pose"
    assert [row["data"] for _, row in experiment.track_rows(track)] == [{"_ts": 1.5, "q.x": 2}]


def test_change_is_the_latest_of_all_files(store: DashStore) -> None:
    store.append_row("a/b", {"x": 1}, {})
    store.flush()
    os.utime(store.home / "metrics/a/b/data.jsonl", (4e9, 4e9))

    assert read_experiment(store.home).changed_at == 4e9
