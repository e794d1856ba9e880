"""What people are told, and asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.sdk.door import Answer, Door
from tests.sdk.importing.conftest import make_experiment, write_file, write_log, write_rows


@pytest.fixture
def dash(tmp_path: Path) -> Path:
    return tmp_path / ".dash"


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary


def test_dry_run_tells_what_is_there_and_asks_nobody(
    dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_experiment(dash)
    write_rows(home, "train", 3)
    write_log(home, 2)

    assert main(["import", str(dash), "--dry-run"]) == 0

    assert capsys.readouterr().out == (
        "alice/vision/a/b/exp: 7 records\n1 run: 7 records; nothing was sent.\n"
    )


def test_summary_tells_where_the_runs_are(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(make_experiment(dash), "train", 3)

    assert main(["import", str(dash), "--url", door.url]) == 0

    assert capsys.readouterr().out == (
        f"alice/vision/a/b/exp: 5 records taken, 0 known → {door.url}/projects/p/runs/run\n"
        "1 run: 5 records taken, 0 known already.\n"
    )


def test_a_silent_server_is_told_with_all_that_is_missing(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        write_rows(make_experiment(dash, f"alice/p/{name}"), "train", 3)
    door.fault = lambda path: "hang up"

    assert main(["import", str(dash), "--url", door.url, "--patience", "0"]) == 1

    out = capsys.readouterr().out
    assert f"Stopped: {door.url} does not answer" in out
    assert "  missing: alice/p/one\n  missing: alice/p/two\n" in out


def test_without_a_token_it_ends_at_once(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    make_experiment(dash)
    door.fault = lambda path: Answer(401, {"detail": "no"})

    assert main(["import", str(dash), "--url", door.url, "--json"]) == 1

    summary = told(capsys)
    assert summary["missing"] == ["alice/vision/a/b/exp"]
    assert "runyard login" in summary["stopped"]
    assert len(door.requests) == 1


def test_what_cannot_be_read_is_told(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_experiment(dash)
    write_rows(home, "train", 3)
    with (home / "metrics" / "train" / "data.jsonl").open("a") as file:
        file.write('rubbish\n{"index": 4, "data": {"loss": 1}}\n{"index": 5, "da')

    assert main(["import", str(dash), "--url", door.url, "--json"]) == 1

    left_out = told(capsys)["left_out"]
    assert [problem["is_loss"] for problem in left_out] == [True, False]
    assert "is not JSON" in left_out[0]["reason"]
    assert len([1 for *_, kind, _ in door.events["run"] if kind == "row"]) == 4


def test_a_line_that_is_still_being_written_is_no_failure(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_experiment(dash)
    write_rows(home, "train", 3)
    with (home / "metrics" / "train" / "data.jsonl").open("a") as file:
        file.write('{"index": 3, "da')

    assert main(["import", str(dash), "--url", door.url]) == 0
    with (home / "metrics" / "train" / "data.jsonl").open("a") as file:
        file.write('ta": {"loss": 7}}\n')
    assert main(["import", str(dash), "--url", door.url]) == 0

    rows = [payload["fields"] for payload in door.payloads("run", "row")]
    assert [row["loss"] for row in rows] == [0.0, 0.125, 0.25, 7]


def test_a_refused_file_is_told_and_tried_again(
    dash: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    write_file(make_experiment(dash), "7", "/", "a.bin", b"a")
    door.fault = lambda path: (
        Answer(400, {"detail": "checksum"}) if path.endswith("/files") else None
    )

    for _ in range(2):
        assert main(["import", str(dash), "--url", door.url]) == 1
        assert "file /a.bin: the server refuses it: 400 checksum" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["."], "holds nothing to import"),
        ([".", "--format", "ml_dash"], "holds nothing to import (ml_dash)"),
    ],
)
def test_what_is_no_source_is_misuse(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["import", *arguments, "--url", "http://127.0.0.1:1"]) == 2
    assert words in capsys.readouterr().err


def test_without_a_server_it_says_how_to_name_one(
    dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_experiment(dash)

    assert main(["import", str(dash)]) == 2
    assert "RUNYARD_URL" in capsys.readouterr().err


def test_what_else_a_directory_holds_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "mlruns" / "1"
    for folder in (home / "datasets" / "artifacts", tmp_path / "logs"):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("step,loss\n0,1\n")
        (folder / "b.csv").write_text("step,loss\n0,1\n")
        (folder / "a.tfevents").touch()
    (home / "meta.yaml").write_text("experiment_id: '1'\nname: digits\n")

    assert main(["import", str(tmp_path), "--dry-run", "--json"]) == 0

    assert [one["reason"] for one in told(capsys)["left_out"]] == [
        "also holds 1 event file of TensorBoard: --format tensorboard",
        "also holds 2 tables: --format table",
    ]

    assert main(["import", str(tmp_path / "mlruns"), "--dry-run", "--json"]) == 0
    assert told(capsys)["left_out"] == []


def test_a_format_that_is_asked_for_is_all_that_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(make_experiment(tmp_path), "train", 3)
    (tmp_path / "a.csv").write_text("step,loss\n0,1\n")

    assert main(["import", str(tmp_path), "--dry-run", "--json"]) == 0
    [left_out] = told(capsys)["left_out"]
    assert left_out["reason"] == "also holds 1 table: --format table"

    assert main(["import", str(tmp_path), "--dry-run", "--json", "--format", "ml_dash"]) == 0
    assert told(capsys)["left_out"] == []
