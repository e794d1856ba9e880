"""The process that watches directories beside the server."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.live import wait_until
from tracking import watcher as module
from tracking.watcher import Watcher, make_watcher

SLEEPER = "import sys; sys.stdin.read()"


@contextmanager
def watching(code: str, *arguments: str) -> Iterator[Watcher]:
    watcher = Watcher([sys.executable, "-c", code, *arguments], {})
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.end()


def test_one_that_dies_is_started_again_after_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)
    notes = tmp_path / "notes"
    code = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(3)"

    with watching(code, str(notes)):
        wait_until(lambda: notes.exists() and len(notes.read_text()) >= 3, 30, "it ran three times")

    assert "The watcher ended (3); it starts again in 0 s." in caplog.messages


def test_its_end_is_waited_for_and_is_no_reason_to_start_again() -> None:
    with watching(SLEEPER) as watcher:
        wait_until(lambda: watcher.pid, 10, "it runs")
        process = watcher._process
    assert process

    assert process.poll() is not None
    assert watcher._process is process


def test_one_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_S", 0.2)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    watcher = Watcher([sys.executable, "-c", code], {})
    watcher._process = subprocess.Popen(watcher._command, stdout=subprocess.PIPE)
    assert watcher._process.stdout
    watcher._process.stdout.readline()

    watcher.end()
    watcher._process.stdout.close()

    assert watcher._process.returncode == -9


def test_it_is_told_of_the_server_and_of_none_of_its_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNYARD_SECRET_KEY", "secret")
    monkeypatch.setenv("PATH_OF_SOMETHING", "kept")

    watcher = make_watcher(["/data"], url="http://127.0.0.1:1", token="ry_1", state_dir=tmp_path)

    ours = {name: value for name, value in watcher._env.items() if name.startswith("RUNYARD_")}
    assert ours == {"RUNYARD_URL": "http://127.0.0.1:1", "RUNYARD_TOKEN": "ry_1"}
    assert watcher._env["PATH_OF_SOMETHING"] == "kept"
    assert watcher._command[1:] == [
        *("-P", "-m", "runyard", "watch", "/data", "--url", "http://127.0.0.1:1"),
        *("--state", str(tmp_path), "--until-input-ends"),
    ]
