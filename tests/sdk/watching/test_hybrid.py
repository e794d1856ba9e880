"""A job that writes to the disk and to the server, while its directory is watched or imported too."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ml_dash import Experiment
from runyard.cli import main
from runyard.sender import Sender

from tests.sdk.watching.conftest import Site

ROWS = 7


class Gate:
    """Lets so many steps of a job's sender through; the watcher and the import have ways of their own."""

    def __init__(self) -> None:
        self._is_open = threading.Event()
        self.first_steps = 0

    def open(self) -> None:
        self._is_open.set()

    def wait(self) -> None:
        if self.first_steps:
            self.first_steps -= 1
        else:
            assert self._is_open.wait(60)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate, step = Gate(), Sender.step

    def wait_and_step(sender: Sender) -> float:
        gate.wait()
        return step(sender)

    monkeypatch.setattr(Sender, "step", wait_and_step)
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "2")
    yield gate
    gate.open()


@pytest.fixture
def experiment(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setenv("RUNYARD_DIR", str(tmp_path / "sdk"))
    site.ask_key, site.project = site.project, f"alice~{site.project}"
    return Experiment(f"alice/{site.ask_key}/exp", dash_root=site.root, dash_url=site.server.url)


def log(experiment: Experiment, path: Path) -> None:
    path.write_text("weights")
    for step in range(ROWS):
        experiment.metrics("train").log(loss=1 / (step + 1))
        experiment.logs.info(f"step {step}")
    experiment.params.set(lr=0.1)
    experiment.files("models").upload(path)


def counts(site: Site) -> dict[str, Any]:
    return {
        "runs": site.query("r.status, r.config"),
        "rows": dict(site.query("t.stream, SUM(t.count)", "rowblock", "GROUP BY t.stream")),
        "lines": site.query("COUNT(*)", "logline")[0][0],
        "files": site.query("t.name", "artifact"),
    }


def bring(site: Site, way: str) -> None:
    if way == "watched":
        site.look()
    elif way == "watched anew":
        site.begin(forget=True)
        site.look()
    else:
        with suppress(SystemExit):
            assert main(["import", str(site.root), "--url", site.server.url]) == 0


@pytest.mark.e2e
@pytest.mark.parametrize("way", ["watched", "watched anew", "imported"])
@pytest.mark.parametrize("first_steps", [0, 1], ids=["nothing arrived", "the start arrived"])
def test_what_a_job_sends_itself_is_there_once(  # noqa: PLR0917 -- fixtures
    site: Site, experiment: Experiment, gate: Gate, tmp_path: Path, way: str, first_steps: int
) -> None:
    gate.first_steps = first_steps
    experiment.run.start()
    bring(site, way)
    log(experiment, tmp_path / "model.pt")
    bring(site, way)
    gate.open()
    experiment.flush()
    bring(site, way)
    experiment.metrics("train").log(loss=0.0)
    bring(site, way)
    experiment.run.complete()
    bring(site, way)

    assert counts(site) == {
        "runs": [("completed", '{"lr": 0.1}')],
        "rows": {"train": ROWS + 1},
        "lines": ROWS,
        "files": [("model.pt",)],
    }


@pytest.mark.e2e
def test_what_never_left_the_machine_is_brought(
    site: Site, experiment: Experiment, gate: Gate, tmp_path: Path
) -> None:
    """As of a directory that was copied from a machine without a way to the server."""
    experiment.run.start()
    log(experiment, tmp_path / "model.pt")
    bring(site, "imported")
    assert counts(site)["rows"] == {}
    (tmp_path / "sdk").rename(tmp_path / "elsewhere")

    bring(site, "imported")

    assert (counts(site)["rows"], counts(site)["lines"]) == ({"train": ROWS}, ROWS)
    (tmp_path / "elsewhere").rename(tmp_path / "sdk")
    gate.open()
    experiment.run.complete()
