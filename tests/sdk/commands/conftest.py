"""A server of its own for the tests of commands, with runs in it that a job has logged."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from runyard.api import Api
from runyard.cli import main

from tests.e2e.live import LiveServer, live_server
from tests.sdk.jobs import run_job

PROJECT = "looked-at"
NUMBERS = range(3)
JOB = f"""
for number in {list(NUMBERS)}:
    run = aspara.Run(
        name=f"r{{number}}",
        project="{PROJECT}",
        config={{"lr": number / 10, "model": {{"depth": number}}, "large": 2**70 if number else 1}},
        tags=["a", "b\\x1b[31m"][:number],
        notes="first line\\nsecond" * (number == 2),
    )
    for step in range(3 * (number + 1)):
        run.log({{"loss": float("nan") if step == 1 else step, "acc/top": step / 10}}, step=step)
    run.summary["best"] = [0.5, float("inf"), 2][number]
    if number:
        with open("m.pt", "wb") as file:
            file.write(b"weights")
        run.log_artifact("m.pt", category="model")
    run.finish(exit_code=int(number == 2))
    time.sleep(0.01)  # their order is that of their starts
"""


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    with live_server(RUNYARD_MAX_ANSWER_POINTS="1000") as server:
        yield server


@pytest.fixture(scope="session")
def project(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three runs that tests only look at: r0, r1 and r2, of which each has more."""
    folder = tmp_path_factory.mktemp("logged")
    code, errors = run_job(f"os.chdir({str(folder)!r})\n{JOB}", folder / "sdk", server.url)
    assert code == 0, errors
    return PROJECT


@pytest.fixture
def api(server: LiveServer) -> Api:
    return Api(server.url)


@pytest.fixture
def runyard(
    server: LiveServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """The command `runyard`, for which the server is the one that is meant."""
    monkeypatch.setenv("RUNYARD_URL", server.url)

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return run


def import_tables(runyard: Callable[..., Outcome], home: Path, *names: str) -> None:
    """A run of each name in the project `home`: two of one name get different keys."""
    for name in names:
        path = home / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("step,loss\n0,1.5\n")
    assert runyard("import", home).status == 0


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]
