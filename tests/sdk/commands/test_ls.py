import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.live import LiveServer
from tests.sdk.commands.conftest import Outcome
from tests.sdk.jobs import SDK, run_job

pytestmark = pytest.mark.e2e
Runyard = Callable[..., Outcome]


def cells(outcome: Outcome, *columns: int) -> list[list[str]]:
    """Of each line some of what is divided by blanks."""
    lines = [line.split() for line in outcome.out.splitlines()]
    return [[line[place] for place in columns] for line in lines]


def test_projects_are_listed(runyard: Runyard, project: str) -> None:
    outcome = runyard("ls")

    assert outcome.status == 0
    assert cells(outcome, 0, 1)[0] == ["PROJECT", "RUNS"]
    assert [project, "3"] in cells(outcome, 0, 1)


def test_times_of_projects_are_local_as_those_of_runs(
    runyard: Runyard, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = [one for one in runyard("ls", "--json").json() if one["name"] == project]
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        outcome = runyard("ls")
    finally:
        monkeypatch.undo()
        time.tzset()

    local = datetime.fromisoformat(one["updated_at"]) + timedelta(hours=5, minutes=45)
    assert f"{local:%Y-%m-%d %H:%M:%S}" in outcome.out


@pytest.mark.parametrize(
    "sort", ["-loss.min", "acc/top.last_step", "config.lr", "summary.best", "started", '"loss"']
)
def test_fields_to_sort_by_are_known(runyard: Runyard, project: str, sort: str) -> None:
    assert runyard("ls", project, "--sort", sort).status == 0


def test_runs_are_listed_newest_first_with_chosen_metrics(runyard: Runyard, project: str) -> None:
    outcome = runyard("ls", project, "-m", "loss", "-m", "nope")

    assert cells(outcome, 0, 1, 5, 6)[1:] == [
        ["r2", "failed", "8", "-"],
        ["r1", "completed", "5", "-"],
        ["r0", "completed", "2", "-"],
    ]
    assert outcome.out.splitlines()[0].split() == (
        ["RUN", "STATUS", "STARTED", "DURATION", "loss", "nope", "TAGS"]
    )


def test_metric_that_no_run_has_is_said_with_those_near_to_it(
    runyard: Runyard, project: str
) -> None:
    outcome = runyard("ls", project, "-m", "losss", "-m", "loss")

    assert outcome.status == 0, "the list itself is right"
    assert outcome.err == "runyard: No run here has a metric 'losss'. Near to it: loss.\n"


def test_tags_do_not_steer_the_terminal(runyard: Runyard, project: str) -> None:
    outcome = runyard("ls", project)

    assert "\x1b" not in outcome.out
    assert "a, b\N{REPLACEMENT CHARACTER}[31m" in outcome.out


def test_query_sort_and_limit_choose(runyard: Runyard, project: str) -> None:
    found = runyard("ls", project, "--query", "config.lr > 0.05", "--sort", "loss", "--limit", 1)

    assert cells(found, 0)[1:] == [["r1"]]
    assert runyard("ls", project, "--limit", 0).err == "No runs are there.\n"
    assert runyard("ls", project, "--query", "config.lr > 9") == (0, "", "No runs fit.\n")


def test_a_minus_turns_the_sort(runyard: Runyard, project: str) -> None:
    query = ("--query", "config.lr > 0.05")

    found = [
        runyard("ls", project, *query, *sort, "--limit", 1)
        for sort in (["--sort", "-loss"], ["--sort=-loss"], ["--sort", "loss"])
    ]

    assert found[0] == found[1] != found[2]


def test_json_holds_all_that_is_known(runyard: Runyard, project: str) -> None:
    runs = runyard("ls", project, "--json").json()

    assert [run["name"] for run in runs] == ["r2", "r1", "r0"]
    assert runs[1]["config"] == {"lr": 0.1, "model": {"depth": 1}, "large": str(2**70)}
    assert runs[1]["summary"] == {"best": "Infinity"}
    assert project in [one["name"] for one in runyard("ls", "--json").json()]


def test_it_ends_quietly_when_nobody_reads_on(server: LiveServer, project: str, root: Path) -> None:
    """As a shell calls it for a program that SIGPIPE has ended. Its output waits until the exit."""
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [sys.executable, "-m", "runyard", "ls", project, "--url", server.url],
        env={"PYTHONPATH": str(SDK), "HOME": str(root)},
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["ls", "export", "show"])
def test_full_disk_is_said_once(server: LiveServer, project: str, root: Path, command: str) -> None:
    name = f"{project}/r0" if command == "show" else project
    with Path("/dev/full").open("ab") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "runyard", command, name, "--url", server.url],
            env={"PYTHONPATH": str(SDK), "HOME": str(root)},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )

    said = b"Not all could be written: No space left on device.\n"
    assert (ended.returncode, ended.stderr) == (1, said)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["ls", "nope"], 1, "runyard: Project 'nope' not found"),
        (["ls", "looked-at", "--query", "lr <"], 2, "Expected"),
        (
            ["ls", "looked-at", "--sort", "-los"],
            2,
            "No run here has a field 'los' to sort by. Near to it: loss.",
        ),
        (["ls", "looked-at", "--sort", "config.model.dept", "--json"], 2, "config.model.depth, "),
        (["ls", "looked-at", "--limit", "-1"], 2, "--limit is a number from 0 on."),
        (["ls", "--query", "loss < 1"], 2, "name one"),
    ],
)
def test_what_cannot_be_listed_is_explained(
    runyard: Runyard, project: str, arguments: list[str], status: int, said: str
) -> None:
    outcome = runyard(*arguments)

    assert (outcome.status, outcome.out) == (status, "")
    assert said in outcome.err


def test_silent_server_and_none_at_all_are_told_apart(
    runyard: Runyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = runyard("ls", "--url", "http://127.0.0.1:1")
    monkeypatch.delenv("RUNYARD_URL")

    assert silent.status == 1
    assert silent.err.startswith("runyard: http://127.0.0.1:1 does not answer: ConnectionRefused")
    assert runyard("ls") == (
        *(2, "", "runyard: Which server? Pass --url http://host:port or set RUNYARD_URL.\n"),
    )


def test_run_that_goes_on_is_called_running(
    runyard: Runyard, server: LiveServer, tmp_path: Path
) -> None:
    job = 'aspara.init(project="goes-on", name="r").log({"a": 1}); os.kill(os.getpid(), 9)'
    code, _ = run_job(job, tmp_path / "sdk", server.url)
    assert code == -9
    runyard("sync", str(tmp_path / "sdk"))

    assert cells(runyard("ls", "goes-on"), 0, 1)[1:] == [["r", "running"]]
    assert "status   running\n" in runyard("show", "goes-on/r").out
