"""Experiments of ML-Dash in files, shown while they are written."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from runyard.watching import loop, mirror

from tests.e2e.live import wait_until
from tests.sdk.importing.conftest import BEGIN, make_experiment, write_json, write_log, write_rows
from tests.sdk.watching.conftest import Site

PREFIX = "alice/{}/sweeps/exp"
JOB = """
import sys, time
from ml_dash import Experiment
run = Experiment(prefix=sys.argv[2], dash_root=sys.argv[1]).run
run.start()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def dash(site: Site) -> Site:
    """Its project has the key that the server makes of owner and name."""
    site.home = make_experiment(site.root, PREFIX.format(site.project), tags=["old"])
    site.ask_key, site.project = site.project, f"alice~{site.project}"
    return site


def counts(site: Site) -> dict[str, Any]:
    return {
        "rows": dict(site.query("t.stream, SUM(t.count)", "rowblock", "GROUP BY t.stream")),
        "lines": site.query("COUNT(*)", "logline")[0][0],
    }


def test_rows_and_lines_are_shown_as_they_are_written(dash: Site) -> None:
    seen = []
    for number in range(3):
        write_rows(dash.home, "train", 2, first=2 * number)
        write_log(dash.home, number)
        dash.look()
        seen.append(counts(dash))
    write_rows(dash.home, "val", 1)
    dash.look()
    dash.begin(forget=True)
    dash.look()

    assert seen == [
        {"rows": {"train": 2}, "lines": 0},
        {"rows": {"train": 4}, "lines": 1},
        {"rows": {"train": 6}, "lines": 3},
    ]
    assert counts(dash) == {"rows": {"train": 6, "val": 1}, "lines": 3}


def test_params_and_status_follow_the_files(dash: Site) -> None:
    about = json.loads((dash.home / "experiment.json").read_text())
    write_json(dash.home / "experiment.json", about | {"status": "RUNNING", "status_at": "2999"})
    write_rows(dash.home, "train", 1)
    dash.look()
    write_json(dash.home / "parameters.json", {"version": 1, "data": {"lr": 0.1}})
    dash.look()
    end = {"status": "FAILED", "status_at": "2999", "ended_at": "2026-01-02T04:00:00.000000Z"}
    write_json(dash.home / "experiment.json", about | end)
    dash.look()

    assert dash.query("config, status") == [('{"lr": 0.1}', "failed")]


def test_edits_go_into_the_file(dash: Site) -> None:
    write_rows(dash.home, "train", 1)
    dash.look()
    [key] = dash.names()
    dash.ask("PUT", f"/runs/{key}/metadata", {"tags": ["new"]})
    dash.look()
    write_rows(dash.home, "train", 1, first=1)
    dash.look()

    assert json.loads((dash.home / "experiment.json").read_text())["tags"] == ["new"]
    assert dash.shown(key)["tags"] == ["new"]


def test_an_experiment_deleted_by_people_stays_deleted(dash: Site) -> None:
    write_rows(dash.home, "train", 1)
    dash.look()
    [key] = dash.names()
    dash.ask("DELETE", f"/runs/{key}")
    write_rows(dash.home, "train", 1, first=1)
    write_json(dash.home / "parameters.json", {"version": 1, "data": {"lr": 0.1}})
    dash.look()

    assert dash.names() == []


def test_new_experiments_are_found_however_deep(dash: Site) -> None:
    dash.look()
    name = dash.ask_key
    for path in (f"alice/{name}/other", f"alice/{name}/a/b/c/deep"):
        write_rows(make_experiment(dash.root, path), "train", 1)
        dash.look()

    assert dash.names() == ["a~b~c~deep", "other", "sweeps~exp"]


def test_damaged_lines_are_told_on_the_page(dash: Site) -> None:
    write_rows(dash.home, "train", 1)
    with (dash.home / "metrics" / "train" / "data.jsonl").open("a") as file:
        file.write("garbage\n")
    write_rows(dash.home, "train", 1, first=1)
    dash.look()
    dash.look()

    assert counts(dash) == {"rows": {"train": 2}, "lines": 1}
    [(level, message)] = dash.query("t.level, t.message", "logline")
    assert (level, "a line that is not JSON" in message) == ("error", True)


@contextmanager
def silent_job(dash: Site) -> Iterator[None]:
    """One that has opened the experiment and logs nothing; it is killed in the end."""
    prefix = dash.home.relative_to(dash.root)
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, str(dash.root), str(prefix)],
        stdout=subprocess.PIPE,
        env={**os.environ, "RUNYARD_ENVIRONMENT": "0"},
    )
    assert job.stdout
    with closing(job.stdout) as words:
        try:
            while words.readline() != b"ready\n":
                assert job.poll() is None
            yield
        finally:
            job.kill()
            job.wait()


def test_silent_experiments_are_alive_as_long_as_their_processes(
    dash: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LIFE_S", 0.0)
    monkeypatch.setattr(loop, "LOOK_S", 0.0)
    with silent_job(dash):
        dash.look()
        first = dash.query("last_seen_at")
        wait_until(lambda: dash.look() or dash.query("last_seen_at") > first, 10, "a sign of life")
    dash.look()
    last = dash.query("last_seen_at")
    for _ in range(3):
        time.sleep(0.01)
        dash.look()

    assert dash.query("last_seen_at") == last
    assert dash.query("status") == [("running",)]


def test_silence_of_hours_is_no_end_as_long_as_the_process_lives(dash: Site) -> None:
    long_ago = {"status": "RUNNING", "status_at": BEGIN, "started_at": BEGIN, "updated_at": None}
    path = dash.home / "experiment.json"
    seen = []
    with silent_job(dash):
        write_json(path, json.loads(path.read_text()) | long_ago)
        dash.look()
        seen += dash.query("status")
    dash.begin(forget=True)
    dash.look()

    assert [*seen, *dash.query("status")] == [("running",), ("failed",)]
