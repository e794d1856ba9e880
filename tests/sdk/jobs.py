"""Jobs in processes of their own, so that they may die in every way there is."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).resolve().parents[2] / "sdk"
TIMEOUT_S = 40.0  # far above what any of them needs


class Job:
    """A script that has `aspara` at hand, and `say` to tell the test how far it is."""

    def __init__(self, script: str, root: Path, url: str, **variables: str) -> None:
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "PYTHONPATH": str(SDK),
            "HOME": str(root.parent / "home"),
            "RUNYARD_DIR": str(root),
            "RUNYARD_URL": url,
            "RUNYARD_EXIT_DEADLINE": "10",
            **variables,
        }
        path = root.parent / "job.py"
        path.write_text(PREAMBLE + textwrap.dedent(script))
        self.process = subprocess.Popen(
            [sys.executable, str(path)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, word: str) -> None:
        """Until the job says it; reading ends when the job does."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip() == word:
                return
        raise AssertionError(f"the job ended without {word!r}:\n{self.end()[1]}")

    def go_on(self) -> None:
        """Let the job return from `listen()`."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """The exit code and what it wrote to stderr."""
        try:
            _, errors = self.process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, errors

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


PREAMBLE = """\
import os, signal, sys, time
import aspara

def say(word):
    print(word, flush=True)

def listen():
    sys.stdin.readline()

"""


def run_job(script: str, root: Path, url: str, **variables: str) -> tuple[int, str]:
    return Job(script, root, url, **variables).end()


def run_command(*arguments: str, root: Path, url: str = "") -> subprocess.CompletedProcess[str]:
    """`runyard …` in a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SDK),
        "HOME": str(root.parent / "home"),
        "RUNYARD_DIR": str(root),
        "RUNYARD_URL": url,
    }
    return subprocess.run(
        [sys.executable, "-m", "runyard", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def deny_writing(
    monkeypatch: pytest.MonkeyPatch, path: Path, denied: int = os.O_RDWR | os.O_CREAT
) -> None:
    """As to a file of another user: even root is not let in."""
    really = os.open

    def open_file(at: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if Path(at) == path and (flags & denied or not denied):
            raise PermissionError(13, "Permission denied", str(path))
        return really(at, flags, *arguments, **options)

    monkeypatch.setattr("os.open", open_file)
