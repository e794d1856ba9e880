"""What other trackers left, imported into the server itself: all of it, and once."""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.chaos.points import read_points
from tests.e2e.live import LiveServer, live_server
from tests.sdk.importing.reading import RECORDED, Reading
from tests.sdk.importing.test_mlflow import MAKERS

pytestmark = pytest.mark.e2e
TABLE = "run,step,timestamp,loss,acc,note\n" + "".join(
    f"{'ab'[n % 2]},{n // 2},{1_767_323_045 + n},{1 / (n + 1)!r},{'' if n % 3 else n},x\n"
    for n in range(3_000)
)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def make_board(folder: Path) -> Path:
    return RECORDED / "tensorboard"


def make_table(folder: Path) -> Path:
    (folder / "table.csv").write_text(TABLE)
    return folder / "table.csv"


def bring(server: LiveServer, path: Path, project: str, capsys: Any) -> dict[str, Any]:
    arguments = ["import", str(path), "--url", server.url, "--project", project]
    assert main([*arguments, "--idle", "0", "--json"]) == 0
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary


def query(server: LiveServer, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    path = f"file:{server.data_dir / 'runyard.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        return connection.execute(sql, arguments).fetchall()


def counts(server: LiveServer) -> list[tuple[Any, ...]]:
    return [
        *query(server, "SELECT r.id, r.name, r.status, ended_at FROM tracking_run r ORDER BY r.id"),
        *query(server, "SELECT run_id, name, count FROM tracking_metric ORDER BY id"),
        *query(server, "SELECT run_id, path, name, size_bytes FROM tracking_artifact ORDER BY id"),
        *query(server, "SELECT run_id, message FROM tracking_logline ORDER BY id"),
        *query(server, "SELECT id, key, name FROM tracking_project ORDER BY id"),
    ]


def words(values: Iterable[float]) -> list[str]:
    """NaN is itself here."""
    return ["nan" if math.isnan(value) else repr(value) for value in values]


@pytest.mark.parametrize("kind", ["tensorboard", "files", "database", "table"])
def test_all_arrives_once(
    server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = {"tensorboard": make_board, "table": make_table, **MAKERS}[kind](tmp_path)
    reading = Reading(path, project=kind)

    summary = bring(server, path, kind, capsys)

    stored = read_points(server.data_dir, kind)
    keys = {run["name"]: run["url"].rpartition("/")[2] for run in summary["runs"]}
    expected = {
        (keys[title], name): (points, run.times_us[name])
        for title, run in reading.runs.items()
        for name, points in run.points.items()
    }
    assert set(stored) == set(expected)
    for place, (points, times_us) in expected.items():
        steps, values = zip(*points, strict=True)
        assert stored[place].steps.tolist() == list(steps)
        assert words(stored[place].values.tolist()) == words(values)
        assert stored[place].times_us.tolist() == times_us
    before = counts(server)

    again = bring(server, path, kind, capsys)

    assert counts(server) == before
    assert {run["taken"] for run in again["runs"]} == {0}
    assert sum(run["known"] for run in again["runs"]) == sum(
        run["taken"] for run in summary["runs"]
    )


def test_words_and_files_of_mlflow_arrive(
    server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(server, MAKERS["files"](tmp_path), "words", capsys)

    sql = """SELECT r.tags, r.notes, r.config, r.status FROM tracking_run r JOIN tracking_project p
             ON p.id = r.project_id WHERE p.key = 'words' AND r.name = 'parent run'"""
    [(tags, notes, config, status)] = query(server, sql)
    assert (json.loads(tags), notes, status) == (
        ["empty", "team=blue"],
        "# Note\n\n<b>b</b>",
        "completed",
    )
    assert json.loads(config)["lr"] == 0.1
    sql = """SELECT a.path, a.name, a.size_bytes FROM tracking_artifact a JOIN tracking_run r ON
             r.id = a.run_id JOIN tracking_project p ON p.id = r.project_id WHERE p.key = 'words'"""
    assert sorted(query(server, sql)) == [("", "conf.json", 12), ("notes", "a.txt", 5)]
