"""Tables with a row for each run."""

import json
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main
from runyard.importing import table_runs
from runyard.importing.detect import open_source
from runyard.importing.source import Options
from runyard.importing.table_runs import read_map

from tests.sdk.importing.reading import Reading

BEGAN_US = 1_767_323_045_000_000
EXPORTED = """\
"Name","State","Notes","User","Tags","Created","Runtime","Sweep","optimizer","lr","amp","epoch","val/loss"
"sun-1","finished","-","ann","base, good","2026-01-02T03:04:05.000Z","90","","adam","0.001","true","9","0.25"
"sea-2","crashed","bad seed","ann","","2026-01-02T03:04:06.000Z","5.5","abc","sgd","0.01","false","3","NaN"
"sun-1","killed","-","bob","","2026-01-02T03:04:07.000Z","","","sgd","0.1","false","",""
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    home = tmp_path / "vision"
    home.mkdir()
    return home / "wandb_export.csv"


def told_of(path: Path, **options: Any) -> dict[str, tuple[Any, Any, str]]:
    """Config, summary and end of each run, by the end of its title."""
    return {
        title.rpartition("/")[2]: (
            run.payloads("config"),
            run.payloads("summary"),
            run.payloads("finish")[0]["status"],
        )
        for title, run in Reading(path, **options).runs.items()
    }


def test_the_runs_of_weights_and_biases_are_runs(path: Path) -> None:
    path.write_text(EXPORTED)

    reading = Reading(path)

    runs = reading.runs
    assert list(runs) == [f"vision/wandb_export/{name}" for name in ("sun-1", "sea-2", "sun-1 2")]
    first, second, third = runs.values()
    assert first.payloads("config") == [{"optimizer": "adam", "amp": True}]
    assert first.payloads("summary") == [{"lr": 0.001, "epoch": 9, "val/loss": 0.25}]
    assert first.points == {}
    assert (first.start["started_at"], first.start["tags"]) == (BEGAN_US, ["base", "good"])
    assert first.start["environment"]["row"] == {"User": "ann"}
    assert first.payloads("finish") == [{"status": "completed", "time": BEGAN_US + 90_000_000}]
    assert second.start["notes"] == "bad seed"
    assert second.payloads("finish") == [{"status": "failed", "time": BEGAN_US + 6_500_000}]
    assert third.payloads("finish") == [{"status": "cancelled", "time": BEGAN_US + 2_000_000}]
    assert third.payloads("summary") == [{"lr": 0.1}]
    assert reading.told == []


def test_numbers_that_people_name_are_config(path: Path) -> None:
    path.write_text(EXPORTED)

    config, summary, _ = told_of(path, config=("lr",))["sun-1"]

    assert config == [{"optimizer": "adam", "lr": 0.001, "amp": True}]
    assert summary == [{"epoch": 9, "val/loss": 0.25}]
    assert Reading(path, config=("no",)).told == [("it has no column 'no'", True)]


def test_an_export_of_a_later_day_tells_the_same_runs_more(path: Path) -> None:
    path.write_text(EXPORTED)
    before = {run.title: run.run_uid for run in open_source(path, Options()).find()}
    path.write_text(EXPORTED.replace("0.25", "0.125").replace("Sweep", "Sweep Name"))

    source = open_source(path, Options())

    assert {run.title: run.run_uid for run in source.find()} == before
    assert told_of(path)["sun-1"][1] == [{"lr": 0.001, "epoch": 9, "val/loss": 0.125}]


@pytest.mark.parametrize(
    ("config", "summary"),
    [
        ("{'lr': 0.1, 'layers': [2, 3], '_wandb': {}}", "{'acc': 0.5}"),
        ('{"lr": 0.1, "layers": [2, 3]}', '{"acc": 0.5, "_wandb": {"runtime": 3}}'),
    ],
)
def test_maps_in_cells_are_opened(path: Path, config: str, summary: str) -> None:
    """As in the table that the documentation of Weights & Biases has people make."""
    rows = [
        {"": 0, "summary": summary, "config": config, "name": "a"},
        {"": 1, "summary": "{}", "config": "{}", "name": "b"},
    ]
    import pandas as pd

    pd.DataFrame(rows).to_csv(path, index=False)

    assert told_of(path) == {
        "a": ([{"lr": 0.1, "layers": [2, 3]}], [{"acc": 0.5}], "completed"),
        "b": ([], [], "completed"),
    }


@pytest.mark.parametrize(
    "text", ["__import__('os').system('x')", "[1]", "{1", "{'a': " * 200, "{" + "(" * 99_000]
)
def test_what_is_no_map_stays_a_text(text: str) -> None:
    assert read_map(text) == {"text": text}


def test_maps_beyond_reason_stay_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_runs, "MAX_MAP_CHARS", 7)

    assert read_map("{'a': 1}") == {"text": "{'a': 1}"}
    assert read_map("{'a':1}") == {"a": 1}


def test_a_name_for_each_row_makes_it_a_run(path: Path) -> None:
    path.write_text("run;config.lr;kind;acc\na;0,5;x;0,75\nb;1;y;\n")

    assert told_of(path) == {
        "a": ([{"lr": 0.5, "kind": "x"}], [{"acc": 0.75}], "completed"),
        "b": ([{"lr": 1, "kind": "y"}], [], "completed"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "run,acc\na,1\na,2\n",  # a name twice
        "run,step,acc\na,0,1\nb,0,2\n",  # steps
        "run,acc\na,1\n",  # but one
        "run,acc\na,1\n,2\n",  # no name
        "name,value\na,1\nb,2\n",  # metrics
        "a,acc\n1,1\n2,2\n",
    ],
)
def test_rows_of_other_tables_are_points(path: Path, text: str) -> None:
    path.write_text(text)

    assert all(run.points for run in Reading(path).runs.values())


def test_people_know_better(path: Path) -> None:
    path.write_text("run,acc\na,1\nb,2\n")
    assert [run.points for run in Reading(path, row="point").runs.values()] == [
        {"acc": [(0, 1.0)]},
        {"acc": [(0, 2.0)]},
    ]

    path.write_text("seed,acc\n7,1\n8,2\n")
    assert list(told_of(path, row="run")) == ["row 1", "row 2"]
    assert list(told_of(path, row="run", run="seed")) == ["7", "8"]


def test_of_a_directory_only_exports_are_taken(path: Path) -> None:
    path.write_text(EXPORTED)
    (path.parent / "people.csv").write_text("name,age\nann,7\nbob,8\n")

    reading = Reading(path.parent)

    assert len(reading.runs) == 3
    assert reading.told == [("no column for steps or times", False)]


def test_there_is_an_end_to_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_runs, "MAX_RUNS", 2)
    path.write_text(EXPORTED)

    reading = Reading(path)

    assert len(reading.runs) == 2
    assert reading.told == [("all runs beyond 2", True)]


def test_the_command_takes_the_words(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("seed,lr,acc\n7,0.1,1\n8,0.2,2\n")

    words = ["--row", "run", "--run", "seed", "--config", "lr"]
    assert main(["import", str(path), *words, "--dry-run", "--json"]) == 0

    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["name"] for run in runs] == ["vision/wandb_export/7", "vision/wandb_export/8"]


@pytest.mark.parametrize(
    ("idle_s", "ends", "states"),
    [(0.0, ["failed"], {}), (1e12, [], {"resume": True})],
)
def test_a_run_exported_while_it_ran_ends_as_one_of_mlflow(
    path: Path, idle_s: float, ends: list[str], states: dict[str, Any]
) -> None:
    path.write_text(EXPORTED.replace("finished", "running"))

    run = next(iter(Reading(path, idle_s=idle_s).runs.values()))

    finishes = run.payloads("finish")
    assert [finish["status"] for finish in finishes] == ends
    assert all(finish["reason"].startswith("inferred") for finish in finishes)
    assert {key: run.states[key] for key in states} == states
    assert ("resume" in run.states) == bool(states)
