import hashlib
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from runyard.importing.detect import open_source
from runyard.importing.foreign import plain
from runyard.importing.source import Options

from tests.sdk.importing.reading import RECORDED, Reading

PROJECT = "vision/ä test"
NAN = pytest.approx(math.nan, nan_ok=True)


def make_files(folder: Path) -> Path:
    return Path(shutil.copytree(RECORDED / "mlflow_files", folder / "files"))


def make_database(folder: Path) -> Path:
    """With the artifacts where MLflow had them, beside it."""
    home = Path(shutil.copytree(RECORDED / "mlflow_database", folder / "database"))
    with closing(sqlite3.connect(home / "mlflow.db")) as connection:
        connection.executescript((RECORDED / "mlflow_database.sql").read_text())
    return home


MAKERS = {"files": make_files, "database": make_database}


@pytest.fixture(params=MAKERS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return MAKERS[request.param](tmp_path)


def test_all_of_a_run_arrives(home: Path) -> None:
    run = Reading(home).runs[f"{PROJECT}/parent run"]

    assert run.points == {
        "loss": [(step, 1 / (step + 1)) for step in range(20)],
        "val/acc": [(step, step / 32) for step in range(20)],
        "val/f1": [(step, step / 64) for step in range(20)],
        "odd": [(-1, NAN), (0, math.inf), (1, -math.inf), (2, -1.5)],
    }
    config = {"lr": 0.1, "layers": 3, "net": "resnet", "flag": True, "version": "1.10", "no": None}
    assert run.start["config"] == config
    assert run.payloads("config") == [config]
    assert run.start["tags"] == run.states["tags"] == ["empty", "team=blue"]
    assert run.start["notes"] == run.states["notes"] == "# Note\n\n<b>b</b>"
    assert run.start["project_name"] == PROJECT
    assert run.lost == []
    [finish] = run.payloads("finish")
    assert (finish["status"], finish["time"] > run.start["started_at"]) == ("completed", True)


def test_times_are_those_that_mlflow_noted(tmp_path: Path) -> None:
    home = make_files(tmp_path)
    [path] = (one for one in home.rglob("metrics/loss") if len(one.read_text()) > 200)
    times_us = [int(line.split()[0]) * 1000 for line in path.read_text().splitlines()]

    run = Reading(home).runs[f"{PROJECT}/parent run"]

    assert run.times_us["loss"] == times_us


def test_artifacts_arrive_with_their_folders(home: Path) -> None:
    run = Reading(home).runs[f"{PROJECT}/parent run"]

    told = {(one.entry["path"], one.entry["name"]): one for one in run.parcels}
    assert set(told) == {("/", "conf.json"), ("/notes", "a.txt")}
    hello = told["/notes", "a.txt"]
    assert hello.path.read_text() == "hello"
    assert hello.entry["checksum"] == hashlib.sha256(b"hello").hexdigest()
    assert [name for name, _ in run.events].count("artifact") == 2


def test_children_failures_and_silent_runs(home: Path) -> None:
    runs = Reading(home).runs

    assert sorted(runs) == [
        "other/silent",
        *(f"{PROJECT}/{n}" for n in ("broken", "child", "parent run")),
    ]
    child = runs[f"{PROJECT}/child"]
    assert child.start["tags"] == ["parent=parent run"]
    assert "parent_run_id" in child.start["environment"]["mlflow"]
    assert runs[f"{PROJECT}/broken"].payloads("finish")[0]["status"] == "failed"
    [finish] = runs["other/silent"].payloads("finish")
    assert (finish["status"], finish["reason"][:8]) == ("failed", "inferred")
    assert finish["time"] == runs["other/silent"].times_us["m"][0]


def test_a_run_that_goes_on_stays_open(home: Path) -> None:
    run = Reading(home, idle_s=1e12).runs["other/silent"]

    assert (run.payloads("finish"), run.states["resume"]) == ([], True)


def test_deleted_runs_are_left_out_and_told(home: Path) -> None:
    reading = Reading(home)

    assert reading.told == [("1 deleted run", False)]
    assert not any("deleted" in title for title in reading.runs)


def test_the_same_runs_are_found_again_elsewhere(home: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(home, tmp_path / "moved")

    uids = [[run.run_uid for run in open_source(one, Options()).find()] for one in (home, moved)]

    assert uids[0] == uids[1]
    assert len(set(uids[0])) == 4


def test_another_project_may_be_given(home: Path) -> None:
    assert {run.start["project_name"] for run in Reading(home, project="x").runs.values()} == {"x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-0.5", -0.5),
        ("1e-05", 1e-05),
        ("True", True),
        ("None", None),
        ("1.10", "1.10"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("[1, 2]", "[1, 2]"),
        ("9" * 5000, "9" * 5000),
        ("", ""),
    ],
)
def test_params_are_numbers_where_python_would_write_them_so(text: str, value: Any) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def only_run(home: Path) -> Path:
    """The directory of the long run."""
    [path] = home.rglob("params/lr")
    return path.parents[1]


def test_lines_that_are_damaged_leave_gaps(tmp_path: Path) -> None:
    home = make_files(tmp_path)
    lines = (
        "5 0.5 1\nrubbish\n6 nan 2 name digest\n\n7 1 2.5\n8 1 99999999999999999999\n9 0.25\n10 0."
    )
    (only_run(home) / "metrics" / "loss").write_text(lines)

    reading = Reading(home)

    run = reading.runs[f"{PROJECT}/parent run"]
    assert run.points["loss"] == [(1, 0.5), (2, NAN), (0, 0.25)]
    assert run.lost == [
        *["not a line of `time value step`"] * 3,
        "step must fit into 64 bits, not 99999999999999999999.",
    ]
    assert ("metric loss: the last line is cut short", False) in reading.told


def test_endless_lines_are_survived(tmp_path: Path) -> None:
    home = make_files(tmp_path)
    path = only_run(home) / "metrics" / "loss"
    path.write_text("1 2 3\n" + "4" * 1_000_000 + "\n5 6 7\n")

    run = Reading(home).runs[f"{PROJECT}/parent run"]

    assert (run.points["loss"], len(run.lost)) == ([(3, 2.0), (7, 6.0)], 1)


@pytest.mark.parametrize(
    "about",
    [
        "!!python/object/apply:os.system ['touch owned']",
        "a: " + "[" * 20_000,
        "a: &a [x]\n" + "\n".join(f"k{n}: &b{n} [*a, *a]" for n in range(100)),
        "x" * 100_000,
        "- 1",
        "{",
        "a: " + "9" * 5_000,
        "\0",
    ],
)
def test_hostile_yaml_is_survived(tmp_path: Path, monkeypatch: Any, about: str) -> None:
    monkeypatch.chdir(tmp_path)
    home = make_files(tmp_path)
    (only_run(home) / "meta.yaml").write_text(about)

    reading = Reading(home)

    assert len(reading.runs) in {3, 4}, "the others are there"
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "uri", ["{outside}", "file://{outside}", "../../../../secret", "mlflow-artifacts:/../../secret"]
)
def test_artifacts_of_elsewhere_are_not_taken(tmp_path: Path, uri: str) -> None:
    secret = tmp_path / "secret" / "run" / "artifacts"
    secret.mkdir(parents=True)
    (secret / "key").write_text("secret")
    home = make_files(tmp_path)
    run = only_run(home)
    shutil.rmtree(run / "artifacts")
    about = run / "meta.yaml"
    lines = [one for one in about.read_text().splitlines() if not one.startswith("artifact_uri")]
    about.write_text("\n".join([*lines, f"artifact_uri: {uri.format(outside=secret)}"]))

    reading = Reading(home)

    assert reading.runs[f"{PROJECT}/parent run"].parcels == []
    is_told = ("its artifacts lie outside of files; import what holds both", True) in reading.told
    assert is_told is ("outside" in uri)


def test_files_of_other_trackers_among_the_artifacts_are_artifacts(tmp_path: Path) -> None:
    home = make_files(tmp_path)
    artifacts = only_run(home) / "artifacts"
    (artifacts / "a.csv").write_text("step,loss\n0,1\n")
    (artifacts / "events.out.tfevents.1.host").write_bytes(b"events")

    assert len(Reading(home).runs[f"{PROJECT}/parent run"].parcels) == 4


def test_remote_artifacts_are_told(tmp_path: Path) -> None:
    home = make_files(tmp_path)
    run = only_run(home)
    shutil.rmtree(run / "artifacts")
    about = run / "meta.yaml"
    about.write_text(about.read_text().replace("file:///elsewhere", "s3://bucket"))

    assert ("its artifacts are at s3:", False) in Reading(home).told


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("9 9 9\n")
    home = make_files(tmp_path)
    run = only_run(home)
    for place in ("metrics/secret", "params/secret", "tags/secret", "artifacts/secret"):
        (run / place).symlink_to(tmp_path / "secret")

    found = Reading(home).runs[f"{PROJECT}/parent run"]

    assert "secret" not in str([found.start, found.points, found.parcels])


def change(home: Path, *statements: str) -> None:
    with closing(sqlite3.connect(home / "mlflow.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_databases_are_opened_for_reading_only(tmp_path: Path) -> None:
    home = make_database(tmp_path)
    before = (home / "mlflow.db").read_bytes()

    Reading(home)

    assert (home / "mlflow.db").read_bytes() == before
    assert sorted(one.name for one in home.iterdir()) == ["mlflow.db", "mlruns"]


def test_views_in_place_of_tables_are_no_mlflow(tmp_path: Path) -> None:
    home = make_database(tmp_path)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n"
    change(home, "DROP TABLE metrics", f"CREATE VIEW metrics AS {endless}")
    shutil.rmtree(home / "mlruns")

    reading = Reading(home)

    assert not reading.runs
    assert reading.told == [("it has no tables of MLflow", True)]


def test_rows_that_are_odd_leave_gaps(tmp_path: Path) -> None:
    home = make_database(tmp_path)
    change(
        home,
        "UPDATE metrics SET value = 'text' WHERE key = 'loss' AND step = 3",
        "UPDATE metrics SET timestamp = 'never' WHERE key = 'loss' AND step = 4",
        "UPDATE metrics SET key = x'ff00' WHERE key = 'loss' AND step = 5",
    )

    run = Reading(home).runs[f"{PROJECT}/parent run"]

    assert run.points["loss"] == [(n, 1 / (n + 1)) for n in range(20) if n not in {3, 5}]
    assert run.lost == ["not a row of MLflow's metrics"] * 2
    assert run.times_us["loss"][3] == run.start["started_at"]


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    home = make_database(tmp_path)
    change(home, "ALTER TABLE runs RENAME COLUMN artifact_uri TO uri")

    reading = Reading(home)

    assert reading.runs == {}
    assert "no such column" in reading.told[0][0]


def test_new_rows_are_new_records(tmp_path: Path) -> None:
    home = make_database(tmp_path)
    before = Reading(home).runs[f"{PROJECT}/parent run"].points["loss"]
    change(
        home,
        "INSERT INTO metrics SELECT key, 7, 1, run_uuid, 20, 0 FROM metrics "
        "WHERE key = 'loss' AND step = 19",
    )

    assert Reading(home).runs[f"{PROJECT}/parent run"].points["loss"] == [*before, (20, 7.0)]
