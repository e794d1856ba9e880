"""Environments with an original client and nothing of ours, kept from one test run to the next."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "var" / "originals"
JOBS = Path(__file__).with_name("jobs")
INSTALL_S, RUN_S = 600, 120  # the second ends clients that would try for ever
VERSIONS = ("0.6.27", "0.11.0")
OURS = "ours"  # in the environment of the tests
KEPT = ("PATH", "LANG", "TMPDIR")  # of our environment
NOWHERE = "http://127.0.0.1:9"  # where clients are sent that look for a newer release of themselves


def find_python(version: str, *pins: str) -> Path:
    """The interpreter that has this `ml-dash`; made if it is not there."""
    return find_environment(f"ml-dash=={version}", *pins)


def find_environment(*requirements: str) -> Path:
    """The interpreter that has these packages; made if it is not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    home = CACHE / "_".join(
        name.translate({ord(sign): "-" for sign in "<>="}) for name in requirements
    )
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            _make(home, list(requirements))
    return home / "bin" / "python"


def _make(home: Path, requirements: list[str]) -> None:
    uv, python = str(Path(sys.executable).with_name("uv")), str(home / "bin" / "python")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "--quiet", "--python", python, *requirements],
    ):
        subprocess.run(command, cwd=CACHE, env=environment, check=True, timeout=INSTALL_S)
    (home / ".ready").touch()


class Client:
    """An original client, or ours in its place, and the home directory of who uses it."""

    def __init__(self, version: str, home: Path, *pins: str) -> None:
        self.version = version
        self.home = home
        self.python = Path(sys.executable) if version == OURS else find_python(version, *pins)
        self.packages = ROOT / "sdk" if version == OURS else self.python.parents[1]
        home.mkdir(parents=True, exist_ok=True)

    def sign_in(self, token: str) -> None:
        """Keep a token where this client looks for it."""
        self.run("keep_token", token=token)

    def run(self, job: str, *, timeout_s: float = RUN_S, **options: Any) -> dict[str, Any]:
        """What the job tells. A test fails whose job fails, or does not end in time."""
        process = self.start(job, **options)
        try:
            said, complaints = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaints = process.communicate()
            pytest.fail(
                f"{job} did not end in {timeout_s} s:\n{said[-2000:]}\n{complaints[-2000:]}"
            )
        assert process.returncode == 0, f"{said[-2000:]}\n{complaints[-4000:]}"
        return self.facts()

    def start(self, job: str, **options: Any) -> "subprocess.Popen[str]":
        (self.home / "facts.json").unlink(missing_ok=True)
        return subprocess.Popen(
            [str(self.python), "-I", str(JOBS / f"{job}.py"), json.dumps(options)],
            cwd=self.home,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.home / "facts.json").read_text())
        assert Path(facts.pop("client")).is_relative_to(self.packages)
        assert facts.pop("version") == self.version
        return facts

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            "HOME": str(self.home),
            "USER": "alice",
            "ML_DASH_NO_VERSION_CHECK": "1",
            "ML_DASH_MAX_RETRIES": "6",  # of 0.11.0: a server may take a while here to come back
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
        }
