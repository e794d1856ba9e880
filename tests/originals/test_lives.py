"""How runs of the original clients begin, end, come back, and live through an outage."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.points import query, read_points
from tests.e2e.live import LiveServer, live_server, wait_until
from tests.originals.conftest import OWNER, Place, make_token
from tests.originals.environments import RUN_S, VERSIONS, Client

pytestmark = [pytest.mark.e2e, pytest.mark.full]
RUNS = """
    SELECT run.name, run.status FROM tracking_run run
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.namespace = ? AND project.name = ? ORDER BY run.id
"""
KEY = "SELECT key FROM tracking_project WHERE namespace = ? AND name = ?"
COUNT = """
    SELECT {columns} FROM tracking_{table} item JOIN tracking_run run ON run.id = item.run_id
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.namespace = ? AND project.name = ? {end}
"""


def client_at(place: Place, version: str, home: Path, *pins: str) -> Client:
    client = Client(version, home, *pins)
    client.sign_in(place.token)
    return client


def select(server: LiveServer, project: str, table: str, columns: str, end: str = "") -> list[Any]:
    sql = COUNT.format(table=table, columns=columns, end=end)
    return query(server.data_dir, sql, OWNER, project)


def points(server: LiveServer, project: str) -> dict[str, list[float]]:
    [(key,)] = query(server.data_dir, KEY, OWNER, project)
    found = read_points(server.data_dir, key)
    return {name: columns.values.tolist() for (_, name), columns in found.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_runs_end_and_come_back(place: Place, version: str, tmp_path: Path) -> None:
    project = f"lives-{version}"

    facts = client_at(place, version, tmp_path / "home").run(
        "lives", url=place.server.url, owner=OWNER, project=project
    )

    assert facts["told"] == {
        "done": ["RUNNING", "COMPLETED"] * 3,
        "broken": [*["RUNNING", "FAILED"] * 2, "RUNNING", "COMPLETED"],
        "stopped": [*["RUNNING", "CANCELLED"] * 2, "RUNNING", "COMPLETED"],
        "raised": ["FAILED"],
    }
    assert query(place.server.data_dir, RUNS, OWNER, project) == [
        *(("done", "completed"), ("broken", "completed"), ("stopped", "completed")),
        ("raised", "failed"),
    ]
    assert select(place.server, project, "rowblock", "run.name, SUM(item.count)", "GROUP BY 1") == [
        *(("broken", 2), ("done", 2), ("stopped", 2)),
    ]


@pytest.mark.parametrize(("version", "pins"), [("0.6.27", ["httpx<0.28"]), ("0.11.0", [])])
def test_odd_values_are_taken_and_end_no_client_in_a_loop(
    place: Place, version: str, pins: list[str], tmp_path: Path
) -> None:
    """The older client repeats what is refused for ever. Newer httpx refuse NaN themselves."""
    project = f"odd-{version}"

    facts = client_at(place, version, tmp_path / "home", *pins).run(
        "odd_values", timeout_s=40, url=place.server.url, prefix=f"{OWNER}/{project}/odd"
    )

    odd = [] if facts["refused"] else [math.nan, math.inf, -math.inf]
    assert facts["refused"] == ([] if odd else ["nan", "inf", "minus"])
    assert bool(odd) == (version == "0.6.27")
    assert query(place.server.data_dir, RUNS, OWNER, project) == [("odd", "completed")]
    assert dict(select(place.server, project, "rowblock", "stream, item.count")) == {
        "train": 3 + len(odd),
        "a b/é": 1,
        "why?": 1,
        "cut#": 1,
        "big": 1,
        "tracks/cam/é x": 1,
    }
    found = points(place.server, project)
    assert str(found["train/loss"]) == str([0.0, 1.0, 2.0, *odd])
    assert found["big/big"] == [2.0**70]


@pytest.mark.parametrize("version", VERSIONS)
def test_flush_at_exit_waits_for_a_server_that_comes_back(version: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with live_server() as server:
        client = client_at(Place(server, make_token(server, is_open=True)), version, home)
        job = client.start("outage", url=server.url, prefix=f"{OWNER}/outage/run")
        try:
            wait_until((home / "begun").exists, RUN_S, "the job has begun")
            server.kill()
            (home / "gone").touch()
            wait_until((home / "ending").exists, RUN_S, "the job ends")
            server.start()
            _, complaints = job.communicate(timeout=RUN_S)
        finally:
            job.kill()
            job.wait()

        assert job.returncode == 0, complaints[-4000:]
        assert client.facts()["took_s"] < RUN_S
        assert query(server.data_dir, RUNS, OWNER, "outage") == [("run", "completed")]
        assert sorted(points(server, "outage")["train/loss"]) == list(range(100))
        lines = [message for (message,) in select(server, "outage", "logline", "message")]
        assert sorted(lines) == sorted(f"line {i}" for i in range(100))
        assert sorted(points(server, "outage")["tracks/pose/x"]) == list(range(50, 100))
        assert select(server, "outage", "artifact", "path, item.name, size_bytes") == [
            ("logs", "end.txt", 10)
        ]
