import csv
import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from runyard.api import RunRecord
from runyard.commands import export, files

from tests.sdk.commands.conftest import Outcome, read_lines

pytestmark = pytest.mark.e2e
Runyard = Callable[..., Outcome]
COLUMNS = [
    *("name", "display_name", "folder", "status", "tags", "notes"),
    *("start_time", "finish_time", "exit_code", "finish_reason", "resolution"),
    *("config.lr", "config.large", "config.model.depth", "summary.best", "acc/top", "loss"),
]
LOSSES = [(f"r{number}", 3 * (number + 1)) for number in (2, 1, 0)]  # run and points of each metric


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_runs_go_to_the_screen_as_csv(runyard: Runyard, project: str) -> None:
    outcome = runyard("export", project)

    rows = list(csv.DictReader(outcome.out.splitlines(keepends=True)))
    assert sorted(rows[0]) == sorted(COLUMNS)
    assert [row["name"] for row in rows] == ["r2", "r1", "r0"]
    started = datetime.fromisoformat(rows[0]["start_time"])
    assert started.tzinfo == UTC
    assert rows[0] | {"start_time": "", "finish_time": ""} == {
        "name": "r2",
        "display_name": "r2",
        "folder": "",
        "status": "failed",
        "tags": '["a", "b\\u001b[31m"]',
        "notes": "first line\nsecond",
        "start_time": "",
        "finish_time": "",
        "exit_code": "1",
        "finish_reason": "",
        "resolution": "full",
        "config.lr": "0.2",
        "config.large": str(2**70),
        "config.model.depth": "2",
        "summary.best": "2",
        "acc/top": "0.8",
        "loss": "8.0",
    }
    assert rows[1]["summary.best"] == "inf"


def test_query_chooses_runs(runyard: Runyard, project: str) -> None:
    outcome = runyard("export", project, "--query", "status = completed", "--jsonl")

    assert [json.loads(line)["name"] for line in outcome.out.splitlines()] == ["r1", "r0"]


def test_lines_hold_all_that_is_known(runyard: Runyard, project: str, tmp_path: Path) -> None:
    target = tmp_path / "runs.jsonl"

    outcome = runyard("export", project, "-o", target)

    assert outcome == (0, "", f"3 runs → {target}\n")
    assert read_lines(target) == runyard("ls", project, "--json").json()


def test_parquet_has_columns_of_their_kinds(runyard: Runyard, project: str, tmp_path: Path) -> None:
    target = tmp_path / "runs.parquet"

    runyard("export", project, "-o", target)

    table = parquet.read_table(target)
    kinds = {
        name: str(kind) for name, kind in zip(table.column_names, table.schema.types, strict=True)
    }
    assert kinds == {
        "name": "string",
        "display_name": "string",
        "folder": "string",
        "status": "string",
        "tags": "list<element: string>",
        "notes": "string",
        "start_time": "timestamp[ms, tz=UTC]",
        "finish_time": "timestamp[ms, tz=UTC]",
        "exit_code": "int64",
        "finish_reason": "string",
        "resolution": "string",
        "config.lr": "double",
        "config.large": "string",
        "config.model.depth": "int64",
        "summary.best": "double",
        "acc/top": "double",
        "loss": "double",
    }
    assert table["tags"].to_pylist() == [["a", "b\x1b[31m"], ["a"], []]
    assert table["config.large"].to_pylist() == [str(2**70), str(2**70), "1"]
    assert table["summary.best"].to_pylist() == [2.0, math.inf, 0.5]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_point_is_in_every_form(
    runyard: Runyard, project: str, tmp_path: Path, form: str
) -> None:
    target = tmp_path / "points"

    outcome = runyard("export", project, f"--{form}", "--series", "-o", target, "--json")

    assert outcome.json() == {
        "output": str(target),
        "runs": 3,
        "points": 36,
        "files": 0,
        "thinned": 0,
        "problems": [],
    }
    points = POINTS_IN[form](target)
    assert len(points) == 36
    losses = [(run, step, value) for run, metric, step, value in points if metric == "loss"]
    assert sorted(losses) == sorted(
        (run, step, "nan" if step == 1 else str(float(step)))
        for run, count in LOSSES
        for step in range(count)
    )


def read_csv(path: Path) -> list[Any]:
    rows = rows_of(path.read_text())
    assert {len(row["time"]) for row in rows} == {len("2026-01-01T00:00:00.000+00:00")}
    return [(row["run"], row["metric"], int(row["step"]), row["value"]) for row in rows]


def read_json(path: Path) -> list[Any]:
    return [
        (row["run"], row["metric"], row["step"], str(float(row["value"])))
        for row in read_lines(path)
    ]


def read_parquet(path: Path) -> list[Any]:
    rows = parquet.read_table(path).to_pylist()
    return [(row["run"], row["metric"], row["step"], str(row["value"])) for row in rows]


POINTS_IN = {"csv": read_csv, "jsonl": read_json, "parquet": read_parquet}


def test_only_some_metrics_and_runs(
    runyard: Runyard, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 1)

    outcome = runyard("export", project, "--series", "-m", "acc/top", "--query", "config.lr < 0.15")

    assert [(row["run"], row["metric"], row["value"]) for row in rows_of(outcome.out)] == [
        *(("r1", "acc/top", str(step / 10)) for step in range(6)),
        *(("r0", "acc/top", str(step / 10)) for step in range(3)),
    ]


def test_files_come_along_and_are_the_same(runyard: Runyard, project: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"

    outcome = runyard("export", project, "--files", folder, "-o", tmp_path / "runs.csv")

    assert outcome == (0, "", f"3 runs, 2 files → {tmp_path / 'runs.csv'}\n")
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
    assert found == {"r1/m.pt": b"weights", "r2/m.pt": b"weights"}


def test_file_that_has_changed_on_its_way_is_named(
    runyard: Runyard, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "digest", lambda path: "0" * 64)

    outcome = runyard("export", project, "--files", tmp_path, "-o", tmp_path / "runs.csv")

    assert outcome.status == 1
    assert "looked-at/r1: m.pt is not there as it was saved" in outcome.err


def test_archive_that_is_cut_short_is_named(
    runyard: Runyard, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunRecord, "save_files", lambda _, file: file.write(b"PK\x03\x04"))

    outcome = runyard("export", project, "--files", tmp_path, "-o", tmp_path / "x.csv", "--json")

    assert outcome.status == 1
    assert outcome.json()["problems"] == [
        "looked-at/r2: its files have not come whole",
        "looked-at/r1: its files have not come whole",
    ]


def test_failed_export_leaves_the_older_file_alone(
    runyard: Runyard, project: str, tmp_path: Path
) -> None:
    target = tmp_path / "runs.parquet"
    target.write_text("older")

    outcome = runyard("export", "nope", "-o", target)

    assert outcome == (1, "", "runyard: Project 'nope' not found\n")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.parquet"]
    assert target.read_text() == "older"


def test_without_pyarrow_it_says_how_to_get_it(
    runyard: Runyard, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    outcome = runyard("export", project, "-o", tmp_path / "x.parquet")

    assert outcome == (
        *(2, "", "runyard: Parquet needs pyarrow: pip install 'runyard[parquet]'.\n"),
    )


def test_metric_that_no_run_has_is_an_error(runyard: Runyard, project: str, tmp_path: Path) -> None:
    target = tmp_path / "points.csv"

    outcome = runyard("export", project, "--series", "-m", "los", "-o", target)

    said = "runyard: No run here has a metric 'los'. Near to it: loss.\n"
    assert outcome == (1, "", said)
    assert list(tmp_path.iterdir()) == []


def test_metric_that_is_missing_beside_others_is_named(
    runyard: Runyard, project: str, tmp_path: Path
) -> None:
    target = tmp_path / "points.csv"

    outcome = runyard("export", project, "--series", "-m", "loss", "-m", "zzz", "-o", target)

    assert (outcome.status, outcome.err) == (
        *(1, f"runyard: No run here has a metric 'zzz'.\n3 runs, 18 points → {target}\n"),
    )
    assert len(rows_of(target.read_text())) == 18


def test_nothing_is_missed_where_no_run_fits(runyard: Runyard, project: str) -> None:
    outcome = runyard("export", project, "--series", "-m", "los", "--query", "config.lr > 9")

    assert outcome == (0, "run,metric,step,time,value\n", "")


def test_ending_that_promises_another_form_is_refused(
    runyard: Runyard, project: str, tmp_path: Path
) -> None:
    target = tmp_path / "runs.xlsx"

    outcome = runyard("export", project, "-o", target)

    assert (outcome.status, outcome.out) == (2, "")
    assert "end FILE in one of .csv, .jsonl, .parquet, or say which it is" in outcome.err
    assert not target.exists()
    assert runyard("export", project, "-o", target, "--csv").status == 0
    assert runyard("export", project, "-o", tmp_path / "plain").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "loss"], "it goes with --series"),
        (["--json"], "name it with -o FILE"),
    ],
)
def test_misuse_is_explained(runyard: Runyard, arguments: list[str], said: str) -> None:
    outcome = runyard("export", "looked-at", *arguments)

    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err


def test_form_that_contradicts_the_ending_is_refused(runyard: Runyard, tmp_path: Path) -> None:
    outcome = runyard("export", "looked-at", "--csv", "-o", tmp_path / "x.parquet")

    said = "runyard: --csv and .parquet contradict each other: leave one out.\n"
    assert outcome == (2, "", said)
    assert list(tmp_path.iterdir()) == []


def test_device_that_is_full_is_named(runyard: Runyard, project: str) -> None:
    outcome = runyard("export", project, "--csv", "-o", "/dev/full")

    said = "Not all could be written: /dev/full: No space left on device.\n"
    assert outcome == (1, "", said)
    assert Path("/dev/full").is_char_device()
