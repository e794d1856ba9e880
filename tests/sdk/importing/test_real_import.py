"""Imports into the server itself, some of them cut short."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.e2e.live import LiveServer, live_server, wait_until
from tests.sdk.importing.conftest import (
    make_experiment,
    write_file,
    write_json,
    write_lines,
    write_log,
    write_rows,
)
from tests.sdk.jobs import SDK

RECORDED = Path(__file__).parent / "recorded"
NOT_IN_TRASH = "AND r.deleted_at IS NULL"
BY_NAME = "ORDER BY r.id, t.name"
HEADERS = {"X-Requested-With": "test"}  # as the API for browsers wants it
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture
def dash(tmp_path: Path) -> Path:
    return tmp_path / ".dash"


def query(server: LiveServer, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    path = f"file:{server.data_dir / 'runyard.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        return connection.execute(sql, arguments).fetchall()


def select(server: LiveServer, owner: str, columns: str, table: str, end: str = "") -> list[Any]:
    """From what belongs to the runs of a namespace; each test has its own."""
    join = f"JOIN tracking_{table} t ON t.run_id = r.id" if table != "run" else ""
    sql = f"""SELECT {columns} FROM tracking_run r {join}
              JOIN tracking_project p ON p.id = r.project_id WHERE p.namespace = ? {end}"""
    return query(server, sql, owner)


def counts(server: LiveServer, owner: str) -> dict[str, Any]:
    return {
        "runs": select(server, owner, "COUNT(*)", "run", NOT_IN_TRASH)[0][0],
        "rows": dict(select(server, owner, "stream, SUM(t.count)", "rowblock", "GROUP BY stream")),
        "points": dict(select(server, owner, "t.name, t.count", "metric")),
        "lines": select(server, owner, "COUNT(*)", "logline")[0][0],
        "files": select(server, owner, "t.path, t.name, t.size_bytes", "artifact", BY_NAME),
    }


def run_import(server: LiveServer, *arguments: object) -> int:
    return main(["import", *map(str, arguments), "--url", server.url])


def summary(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def make_whole(dash: Path, owner: str) -> Path:
    home = make_experiment(
        dash,
        f"{owner}/vision/a/b/exp",
        description="# Read me",
        tags=["t1"],
        bindrs=["b1"],
        metadata={"gpu": 4},
    )
    write_json(home / "parameters.json", {"version": 1, "data": {"lr": 0.1, "m.depth": None}})
    write_rows(home, "train", 2_500)
    write_rows(home, "train/deep", 3)
    write_rows(home, "None", 2)
    write_log(home, 1_200)
    write_file(home, "7196743999488123", "/models", 'be "st".pt', b"weights", tags=["x, y"])
    write_file(home, "no-number", "/", "notes.txt", b"text", description="d")
    write_file(home, "7196743999488125", "/", "gone.txt", b"gone", deletedAt="2026-01-02T03:04:06Z")
    write_json(home / "tracks" / "cam_pos" / "metadata.json", {"topic": "cam/pos"})
    poses = ({"timestamp": 1.5 + n, "x": n} for n in range(4))
    write_lines(home / "tracks" / "cam_pos" / "data.jsonl", poses)
    return home


def test_everything_of_an_experiment_arrives(
    server: LiveServer, dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_whole(dash, "whole")

    assert run_import(server, dash, "--json") == 0

    assert counts(server, "whole") == {
        "runs": 1,
        "rows": {"": 2, "tracks/cam/pos": 4, "train": 2_500, "train/deep": 3},
        "points": {"loss": 2, "tracks/cam/pos/x": 4, "train/deep/loss": 3, "train/loss": 2_500},
        "lines": 1_200,
        "files": [("models", 'be "st".pt', 7), ("", "notes.txt", 4)],
    }
    columns = "status, source, r.name, folder, readme, r.tags, bindrs, config, started_at, ended_at"
    assert select(server, "whole", columns, "run") == [
        (
            *("completed", "ml_dash", "exp", "a/b", "# Read me", '["t1"]', '["b1"]'),
            *('{"lr": 0.1, "m.depth": null}', "2026-01-02 03:04:05", "2026-01-02 03:41:39"),
        )
    ]
    [(metadata,)] = select(server, "whole", "r.metadata", "run")
    assert json.loads(metadata)["metadata"] == {"gpu": 4}
    assert json.loads(metadata)["environment"]["status_source"] == "inferred"
    assert select(server, "whole", "level, message, time", "logline", "ORDER BY seq LIMIT 1") == [
        ("warn", "line 0", "2026-01-02 03:04:05")
    ]
    assert select(server, "whole", "t.uid, t.tags, t.description", "artifact", "ORDER BY t.id")[
        0
    ] == (*(7196743999488123, '["x, y"]', ""),)
    told = summary(capsys)
    assert (told["complete"], told["left_out"]) == (True, [])
    assert told["runs"][0]["name"] == "whole/vision/a/b/exp"


def test_another_import_changes_nothing_wherever_the_directory_lies(
    server: LiveServer, dash: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_whole(dash, "again")
    assert run_import(server, dash) == 0
    before = counts(server, "again")
    capsys.readouterr()
    moved = dash.rename(tmp_path / "moved")

    assert run_import(server, moved, "--json") == 0

    assert counts(server, "again") == before
    [run] = summary(capsys)["runs"]
    assert (run["taken"], run["known"]) == (0, 3_717)


def test_what_was_added_is_taken_and_what_people_said_stays(
    server: LiveServer, dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_experiment(dash, "grows/p/exp", tags=["local"])
    write_json(home / "parameters.json", {"version": 1, "data": {"lr": 0.1}})
    write_rows(home, "train", 1_100)
    assert run_import(server, dash) == 0
    write_rows(home, "train", 50, first=1_100)
    write_json(home / "parameters.json", {"version": 2, "data": {"lr": 0.2}})
    capsys.readouterr()

    assert run_import(server, dash, "--json") == 0

    assert counts(server, "grows")["rows"] == {"train": 1_150}
    assert select(server, "grows", "r.tags, config", "run") == [('["local"]', '{"lr": 0.2}')]
    [run] = summary(capsys)["runs"]
    assert run["taken"] == 50 + 1 + 1, "rows, params, and a later end"


def test_import_killed_in_the_middle_goes_on(server: LiveServer, dash: Path) -> None:
    home = make_experiment(dash, "killed/p/exp")
    write_rows(home, "train", 60_000)
    write_log(home, 20)
    command = [sys.executable, "-m", "runyard", "import", str(dash), "--url", server.url]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "HOME": str(dash.parent)}
    for at_least in (1, 10_000):
        process = subprocess.Popen(command, env=environment)
        wait_until(
            lambda n=at_least: counts(server, "killed")["rows"].get("train", 0) >= n, 30, "rows"
        )
        process.kill()
        process.wait(10)
    assert counts(server, "killed")["rows"]["train"] < 60_000

    assert run_import(server, dash) == 0

    assert counts(server, "killed") == {
        "runs": 1,
        "rows": {"train": 60_000},
        "points": {"train/loss": 60_000},
        "lines": 20,
        "files": [],
    }


def test_server_killed_in_the_middle_is_waited_for(server: LiveServer, dash: Path) -> None:
    write_rows(make_experiment(dash, "restart/p/exp"), "train", 40_000)
    command = [sys.executable, "-m", "runyard", "import", str(dash), "--url", server.url]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "HOME": str(dash.parent)}
    process = subprocess.Popen([*command, "--patience", "60"], env=environment)
    wait_until(lambda: counts(server, "restart")["rows"].get("train", 0) >= 1_000, 30, "rows")

    server.restart()

    assert process.wait(60) == 0
    assert counts(server, "restart")["rows"] == {"train": 40_000}


def test_rows_that_a_job_sent_itself_are_not_doubled(
    server: LiveServer, dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in hybrid mode, which writes to the disk and to the server."""
    write_rows(make_experiment(dash, "hybrid/p/exp", created_at="2026-01-01T00:00:00Z"), "t", 30)
    write_log(dash / "hybrid/p/exp", 3)
    assert run_import(server, dash) == 0
    home = make_experiment(dash, "hybrid/p/exp")  # as if it had come from elsewhere
    lines = (home / "metrics" / "t" / "data.jsonl").read_text().replace("000000Z", "000001Z")
    (home / "metrics" / "t" / "data.jsonl").write_text(lines)
    before = counts(server, "hybrid")
    capsys.readouterr()

    assert run_import(server, dash, "--json") == 0

    assert counts(server, "hybrid") == before
    [run] = summary(capsys)["runs"]
    assert run["known"] == 31 + 3 + 1  # its end, too


def test_a_deleted_run_stays_deleted(
    server: LiveServer, dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_experiment(dash, "deleted/p/exp")
    write_rows(home, "train", 5)
    assert run_import(server, dash) == 0
    _delete_runs(server, "deleted")
    write_rows(home, "eval", 5)
    capsys.readouterr()

    assert run_import(server, dash) == 0

    assert counts(server, "deleted")["runs"] == 0
    assert "it was deleted on the server, and is left alone" in capsys.readouterr().out


def _delete_runs(server: LiveServer, owner: str) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        for project, run in select(server, owner, "p.key, r.key", "run"):
            connection.request("DELETE", f"/api/projects/{project}/runs/{run}", headers=HEADERS)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)


def test_prefixes_that_are_short_and_projects_that_are_given(
    server: LiveServer, dash: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(make_experiment(dash, "short/p"), "train", 2)
    write_rows(make_experiment(dash, "solo", project="{user}/x"), "train", 2)

    for _ in range(2):
        assert run_import(server, dash) == 0
    assert run_import(server, dash, "--project", "short/other") == 0

    assert select(server, "short", "p.name, r.name, folder", "run", "ORDER BY r.id") == [
        *(("p", "p", ""), ("other", "p", ""), ("other", "solo", "")),
    ]
    sql = """SELECT p.key, p.namespace FROM tracking_run r
             JOIN tracking_project p ON p.id = r.project_id WHERE r.name = 'solo'"""
    assert query(server, sql) == [("scratch", ""), ("short~other", "short")]


def test_what_the_original_clients_wrote_arrives_whole(
    server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Directories written by ml-dash 0.6.27 and 0.11.0, without their lock files."""
    assert run_import(server, RECORDED, "--json") == 0

    assert counts(server, "orig") == {
        "runs": 2,
        "rows": {"": 2, "eval": 2, "tracks/robot/pose": 10, "train": 26, "train/deep": 2},
        "points": {
            "epoch": 1,
            "eval/epoch": 1,
            "eval/z": 1,
            "tracks/robot/pose/x": 5,
            "train/deep/q": 1,
            "train/epoch": 13,
            "train/loss": 12,
            "train/z": 1,
        },
        "lines": 6,
        "files": [("models", "a.txt", 5), ("models", "b.json", 12)] * 2,
    }
    columns = "r.name, folder, readme, r.tags, config"
    config = '{"lr": 0.1, "model.depth": 3, "model.act": "relu"}'
    assert select(server, "orig", columns, "run", "ORDER BY r.id") == [
        ("v0.11.0", "deep", "# hi", '["a"]', config),
        ("v0.6.27", "deep", "# hi", '["a"]', config),
    ]
    reason = "also holds 4 event files of TensorBoard: --format tensorboard"
    assert [one["reason"] for one in summary(capsys)["left_out"]] == [reason]
