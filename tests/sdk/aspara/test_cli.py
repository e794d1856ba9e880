"""The command `aspara`: what it starts, and what it lists."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import aspara
import pytest
from aspara import _cli
from runyard import __version__, serving
from runyard.api import Api

from tests.e2e.live import answers, free_port, server_env, wait_until
from tests.sdk.jobs import SDK

Started = list[tuple[list[str], dict[str, str]]]
Launch = Callable[[str], tuple[subprocess.Popen[bytes], int]]
SITE = Path(pytest.__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What the server would have been started with."""
    calls: Started = []

    def note(arguments: list[str], settings: dict[str, str]) -> NoReturn:
        calls.append((arguments, settings))
        raise SystemExit(0)

    monkeypatch.setattr(serving, "become_server", note)
    return calls


def start(*arguments: str) -> None:
    with pytest.raises(SystemExit) as exit_info:
        _cli.main(arguments)
    assert exit_info.value.code == 0


@pytest.mark.parametrize(
    ("arguments", "port", "is_watched"),
    [
        (["dashboard"], "3141", True),
        (["dashboard", "--with-tracker", "--project-search-mode", "manual"], "3141", True),
        (["dashboard", "--port", "4000"], "4000", True),
        (["tracker"], "3142", False),
        (["serve"], "3141", True),
        (["serve", "tracker"], "3142", False),
        (["serve", "dashboard", "tracker"], "3141", True),
        (["serve", "together", "--port", "4000"], "4000", True),
    ],
)
def test_server_is_started_where_the_original_was(
    started: Started, home: Path, arguments: list[str], port: str, is_watched: bool
) -> None:
    start(*arguments, "--data-dir", str(home))

    watched = ["--watch", str(home)] if is_watched else []
    assert started == [
        (
            ["--host", "127.0.0.1", "--port", port, *watched],
            {"RUNYARD_DATA_DIR": str(home / ".runyard")},
        )
    ]
    assert list(home.iterdir()) == []


def test_host_and_development_are_handed_on(started: Started, home: Path) -> None:
    start("tracker", "--host", "::1", "--dev", "--data-dir", str(home))

    ((arguments, settings),) = started
    assert arguments[:2] == ["--host", "::1"]
    assert settings["RUNYARD_DEBUG"] == "1"


def test_directory_comes_from_the_environment(
    started: Started, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASPARA_DATA_DIR", str(home))

    start("dashboard")

    assert started[0][1] == {"RUNYARD_DATA_DIR": str(home / ".runyard")}


def test_storage_backend_is_taken_and_explained(
    started: Started, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start("tracker", "--storage-backend", "polars", "--data-dir", str(home))

    assert "--storage-backend is without effect here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dashboard", "--data-dir", "/etc"], "Error: /etc belongs to the system"),
        (["dashboard", "--data-dir", "/nowhere/at/all"], "Error: /nowhere/at is not there"),
        (["projects", "--data-dir", "/usr"], "Error: /usr belongs to the system"),
        (["runs", "nope", "--data-dir", "/nowhere"], "Error: There is no project 'nope' in"),
    ],
)
def test_what_cannot_be_done_is_explained(
    started: Started, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _cli.main(arguments) == 1

    assert capsys.readouterr().err.startswith(said)
    assert started == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "nonsense"], "Invalid component: nonsense. There are dashboard, tracker,"),
        (["dashboard", "--port", "99999"], "99999 is no port: there are 1 to 65535."),
        (["projects", "--data-dir", __file__], f"{__file__} is no directory: choose another"),
        (["runs", "p", "--data-dir", __file__], f"{__file__} is no directory: choose another"),
        (["dashboard", "--data-dir", __file__], f"{__file__} is no directory: choose another"),
    ],
)
def test_misuse_is_one_sentence(
    started: Started, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _cli.main(arguments) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {said}")
    assert started == []


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["tracker", "--storage-backend", "x"]])
def test_misuse_ends_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        _cli.main(arguments)

    assert exit_info.value.code == 2


def test_version_is_that_of_the_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        _cli.main(["--version"])

    assert exit_info.value.code == 0
    assert capsys.readouterr().out == f"aspara {__version__}\n"


def test_without_the_server_it_says_how_to_get_it(tmp_path: Path) -> None:
    """As where only the SDK is installed: without the packages that `make setup` links to."""
    outcome = subprocess.run(
        [sys.executable, "-S", "-m", "aspara", "dashboard"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{SDK}:{SITE}", "ASPARA_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == f"Error: {serving.HOW_TO_GET_IT}\n"
    assert serving.is_installed(), "here it is"


def test_ctrl_c_while_the_server_is_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("raise KeyboardInterrupt")

    outcome = subprocess.run(
        [sys.executable, "-P", "-m", "runyard.serving", "serve"],
        env={"PYTHONPATH": f"{tmp_path}:{SDK}", "DJANGO_SETTINGS_MODULE": "slow"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (130, "", "")


# ── Lists ────────────────────────────────────────────────────────────────────


def log_run(home: Path, name: str, exit_code: int | None = 0, **arguments: Any) -> aspara.Run:
    run = aspara.Run(name=name, dir=home, **arguments)
    run.log({"loss": 1.0})
    if exit_code is not None:
        run.finish(exit_code, quiet=True)
    return run


def lines_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    capsys.readouterr()
    assert _cli.main(list(arguments)) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_projects_are_listed_with_their_runs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_run(home, "a", project="one")
    log_run(home, "b", project="one")
    log_run(home, "c", project="two")
    (home / ".runyard").mkdir()
    (home / "empty").mkdir()

    lines = lines_of(capsys, "projects", "--data-dir", str(home))

    assert lines[0] == ["PROJECT", "RUNS", "LAST", "UPDATED"]
    assert [line[:2] for line in lines[1:]] == [["empty", "0"], ["one", "2"], ["two", "1"]]


def test_runs_are_listed_with_their_states(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, exit_code in (("done", 0), ("broken", 3), ("open", None)):
        log_run(home, name, exit_code, project="p")
    (home / "p" / "foreign.jsonl").write_text('{"timestamp": 1, "step": 0, "metrics": {"x": 1}}\n')
    (home / "p" / "silent.jsonl").write_text("")
    long_ago = time.time() - 7200
    os.utime(home / "p" / "silent.jsonl", (long_ago, long_ago))

    lines = lines_of(capsys, "runs", "p", "--data-dir", str(home))

    assert lines[0] == ["RUN", "STATUS", "STARTED"]
    assert {line[0]: line[1] for line in lines[1:]} == {
        "broken": "failed",
        "done": "completed",
        "foreign": "wip",
        "open": "wip",
        "silent": "maybe_failed",
    }
    assert len(lines[1]) == 4
    assert lines[3][2] == "-", "the original knows no start of it"


def test_lists_are_had_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = log_run(home, "r", 3, project="p", config={"lr": 0.1}, tags=["a"], notes="n")
    run_id, before_ms = run.id, time.time() * 1000
    capsys.readouterr()

    assert _cli.main(["projects", "--json", "--data-dir", str(home)]) == 0
    (project,) = json.loads(capsys.readouterr().out)
    assert _cli.main(["runs", "p", "--json", "--data-dir", str(home)]) == 0
    (listed,) = json.loads(capsys.readouterr().out)

    times = [listed.pop(name) for name in ("start_time", "finish_time", "last_update")]
    assert project == {"name": "p", "run_count": 1, "last_update": times[-1]}
    assert all(before_ms - 60_000 < one <= before_ms for one in times)
    assert listed == {
        "name": "r",
        "run_id": run_id,
        "status": "failed",
        "exit_code": 3,
        "reason": "",
        "tags": ["a"],
        "notes": "n",
        "config": {"lr": 0.1},
        "summary": {},
    }


def test_no_projects_are_an_empty_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.main(["projects", "--json", "--data-dir", str(home)]) == 0

    assert capsys.readouterr() == ("[]\n", "")


def test_nothing_is_said_to_be_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.main(["projects", "--data-dir", str(home)]) == 0
    (home / "p").mkdir(parents=True)
    assert _cli.main(["runs", "p", "--data-dir", str(home)]) == 0

    assert capsys.readouterr().err == (
        f"There are no projects in {home}.\nThere are no runs in project p.\n"
    )


# ── The real server ──────────────────────────────────────────────────────────


SCRIPT = """
import sys
sys.path.remove("")  # as the installed command has it
from aspara._cli import main
sys.exit(main())
"""


@pytest.fixture
def launch(home: Path, tmp_path: Path) -> Iterator[Launch]:
    """The command, started where a foreign `config` lies; the process and the port it answers on."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise SystemExit('not ours')")
    processes: list[subprocess.Popen[bytes]] = []

    def start_command(name: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, name, "--port", str(port)],
            cwd=tmp_path,
            env=server_env(home) | {"ASPARA_DATA_DIR": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        wait_until(lambda: process.poll() is not None or answers(port), 60, "the server answers")
        assert process.poll() is None, "it has ended at once"
        return process, port

    yield start_command
    for process in processes:
        process.terminate()
        process.wait(20)


@pytest.mark.e2e
def test_tracker_takes_the_place_of_the_command(
    launch: Launch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, port = launch("tracker")

    assert answers(port, "/tracker/api/v1/health")
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    assert b"serve" in command
    assert (home / ".runyard" / "runyard.sqlite3").exists()
    assert _cli.main(["tracker", "--data-dir", str(home)]) == 1
    assert f"A server uses {home} already" in capsys.readouterr().err

    process.send_signal(signal.SIGTERM)
    assert (process.wait(20), errors_of(process)) == (0, "")
    assert not serving.is_in_use(home / ".runyard")


@pytest.mark.e2e
def test_dashboard_shows_the_runs_of_the_directory(launch: Launch, home: Path) -> None:
    log_run(home, "before", project="p")

    process, port = launch("dashboard")
    running = log_run(home, "beside", None, project="p")

    api = Api(f"http://127.0.0.1:{port}")
    found = wait_until(lambda: len(seen := _losses(api)) == 2 and seen, 30, "both are there")
    running.finish(quiet=True)
    assert found == {"before": ([0], [1.0]), "beside": ([0], [1.0])}
    process.send_signal(signal.SIGINT)
    assert (process.wait(20), errors_of(process)) == (0, "")


def errors_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    with process.stderr as stream:
        return stream.read().decode()


def _losses(api: Api) -> dict[str, tuple[list[int], list[float]]]:
    """Of each run that has any: steps and values."""
    try:
        series = api.runs("p").series("loss")
    except FileNotFoundError:
        return {}
    return {run: (one.steps, one.values) for run, one in series.get("loss", {}).items()}
