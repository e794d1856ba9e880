import os
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import msgpack
import pytest
from runyard import environment
from runyard.config import describes_environment
from runyard.environment import describe
from runyard.run import open_run

from tests.sdk.door import Door
from tests.sdk.jobs import SDK

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from runyard.environment import describe
print(describe())
"""


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job of nobody's, far from any repository."""
    for name in environment.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in environment.PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "train.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "--password", "secret"])


def test_machine_and_program_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("TOKEN", "secret")
    torch = ModuleType("torch")
    torch.__version__ = type("TorchVersion", (str,), {})("2.4.0+cu121")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    system = os.uname()

    told = describe()

    assert told == {
        "hostname": system.nodename,
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "cpu_count": told["cpu_count"],
        "script": "train.py",
        "python": ".".join(map(str, sys.version_info[:3])),
        "runyard": "0.1.0",
        "packages": {"torch": "2.4.0+cu121"},
        "variables": {"CUDA_VISIBLE_DEVICES": "0,1", "RANK": "0"},
    }
    assert 1 <= told["cpu_count"] <= (os.cpu_count() or 1)
    assert msgpack.unpackb(msgpack.packb(told, strict_types=True)) == told


def test_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]

    assert describe()["runyard"] == project["version"]


def test_commit_is_that_of_the_script_else_of_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("code", "here"):
        (tmp_path / name / ".git").mkdir(parents=True)
        (tmp_path / name / ".git" / "HEAD").write_text(f"ref: refs/heads/{name}")
    (tmp_path / "code" / "train.py").touch()
    monkeypatch.chdir(tmp_path / "here")

    for script, branch in [("../code/train.py", "code"), ("../train.py", "here"), ("-c", "here")]:
        monkeypatch.setattr(sys, "argv", [script])
        assert describe()["git"] == {"branch": branch}


@pytest.mark.parametrize("argv", [[""], ["-c"], [], None])
def test_program_without_a_script_has_none(argv: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", argv)

    assert "script" not in describe()


class Trap(ModuleType):
    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"{name} would load it")


def test_modules_are_not_loaded_for_their_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", Trap("torch"))
    monkeypatch.setitem(sys.modules, "jax", None)  # how an import is forbidden
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))

    assert "packages" not in describe()
    assert "numpy" not in sys.modules


def test_odd_machine_does_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(os, "uname", refuse)
    monkeypatch.setattr(os, "sched_getaffinity", refuse, raising=False)
    monkeypatch.setattr(sys, "argv", [f"{'x' * 600}\udce9.py"])
    monkeypatch.setenv("RANK", "\udce9" + "0" * 600)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    told = describe()

    assert sorted(told) == ["python", "runyard", "script", "variables"]
    assert told["script"] == "x" * 500
    assert told["variables"] == {"RANK": "\\udce9" + "0" * 494}


def test_it_takes_no_time_to_speak_of() -> None:
    times = []
    for _ in range(20):
        start = time.perf_counter()
        describe()
        times.append(time.perf_counter() - start)

    assert statistics.median(times) < 0.005


def test_script_is_told_as_it_was_started(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    outcome = subprocess.run(
        [sys.executable, "job.py", str(SDK), "--token=abc"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert "'script': 'job.py'" in outcome.stdout
    assert "abc" not in outcome.stdout


@pytest.mark.parametrize(
    ("text", "expected"), [(None, True), ("1", True), ("", True), ("0", False), (" No ", False)]
)
def test_it_can_be_switched_off(
    text: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNYARD_ENVIRONMENT")
    if text is not None:
        monkeypatch.setenv("RUNYARD_ENVIRONMENT", text)

    assert describes_environment() is expected


@pytest.mark.parametrize("switch", ["0", "1"])
def test_start_carries_it(switch: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_ENVIRONMENT", switch)

    run = open_run(project="p", key="r", start={"source": "aspara"}, url=door.url)
    run.finish("completed")

    (start,) = door.payloads("r", "start")
    assert start.pop("started_at")
    expected = {"environment": describe()} if switch == "1" else {}
    assert start == {"source": "aspara", **expected}


def test_forked_child_leaves_it_to_its_parent(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_ENVIRONMENT", "1")
    run = open_run(project="p", key="r", start={"source": "aspara"}, url=door.url)

    run.forget_parent()
    run.log({"loss": 1.0})
    run.flush(10)

    assert ["environment" in start for start in door.payloads("r", "start")] == [True, False]
