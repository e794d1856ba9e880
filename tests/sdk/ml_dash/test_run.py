"""How experiments begin and end."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_dash import Experiment, ExperimentError, OperationMode, ml_dash_experiment
from runyard import lifecycle

from tests.sdk.door import Door
from tests.sdk.jobs import SDK
from tests.sdk.ml_dash.conftest import DEAD_URL


def status_of(prefix: str, root: Path | str = ".dash") -> str:
    return str(json.loads(Path(root, prefix, "experiment.json").read_text())["status"])


def reason_of(prefix: str) -> str | None:
    about = json.loads(Path(".dash", prefix, "experiment.json").read_text())
    assert about.get("reason") != ""
    return about.get("reason")  # type: ignore[no-any-return]


def end_with(error: BaseException | None) -> Callable[[Experiment], None]:
    def body(experiment: Experiment) -> None:
        experiment.log("x")
        if error:
            raise error

    return body


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (None, "COMPLETED", None),
        (ValueError("x"), "FAILED", "ValueError: x"),
        (KeyboardInterrupt(), "CANCELLED", "Ctrl-C"),
        (SystemExit(0), "COMPLETED", None),
        (SystemExit(3), "FAILED", "SystemExit: 3"),
    ],
)
def test_block_and_function_end_as_their_body_does(
    error: BaseException | None, status: str, reason: str | None
) -> None:
    body = end_with(error)
    for name in ("block", "function"):
        experiment = Experiment(f"a/p/{name}")
        caught = None
        try:
            if name == "block":
                with experiment.run as same:
                    assert same is experiment
                    body(same)
            else:
                experiment.run(body)()
        except BaseException as problem:  # noqa: BLE001 -- it is compared
            caught = problem

        assert caught is error
        assert status_of(f"a/p/{name}") == status
        assert reason_of(f"a/p/{name}") == reason


def test_reason_is_gone_once_the_experiment_went_on() -> None:
    experiment = Experiment("a/p/x")
    with pytest.raises(ValueError, match="boom"), experiment.run:
        raise ValueError("boom")
    assert reason_of("a/p/x") == "ValueError: boom"

    with experiment.run:
        assert reason_of("a/p/x") is None
    assert reason_of("a/p/x") is None


def test_server_hears_why_a_block_failed(door: Door) -> None:
    experiment = Experiment("a/p/x", dash_url=door.url)
    with pytest.raises(ValueError, match="x"), experiment.run:
        raise ValueError("x")

    (finish,) = door.payloads(next(iter(door.runs)), "finish")
    assert finish.pop("time") > 0
    assert finish == {"status": "failed", "exit_code": 1, "reason": "ValueError: x"}
    assert reason_of("a/p/x") == "ValueError: x"


@pytest.mark.parametrize(
    ("method", "status"), [("complete", "COMPLETED"), ("fail", "FAILED"), ("cancel", "CANCELLED")]
)
def test_run_ended_by_hand_can_go_on(method: str, status: str) -> None:
    experiment = Experiment("a/p/x")

    assert experiment.run.start() is experiment
    assert experiment.run.start() is experiment
    experiment.metrics("m").log(a=1)
    assert status_of("a/p/x") == "RUNNING"
    assert getattr(experiment.run, method)() is None
    assert getattr(experiment.run, method)() is None
    assert status_of("a/p/x") == status

    experiment.run.start()
    assert status_of("a/p/x") == "RUNNING"
    experiment.metrics("m").log(a=2)
    assert [row["data"]["a"] for row in experiment.metrics("m").read()["data"]] == [1, 2]
    experiment.run.complete()


def test_decorated_function_keeps_arguments_name_and_result() -> None:
    experiment = Experiment("a/p/x")

    @experiment.run
    def train(given: Experiment, rate: float, *, steps: int) -> tuple[bool, float, int]:
        """Trains."""
        return given is experiment, rate, steps

    assert train(0.1, steps=3) == (True, 0.1, 3)
    assert (train.__name__, train.__doc__) == ("train", "Trains.")


def test_coroutine_runs_inside_the_experiment() -> None:
    experiment = Experiment("a/p/x")

    @experiment.run
    async def train(given: Experiment) -> str:
        await asyncio.sleep(0)
        given.log("inside")
        return status_of("a/p/x")

    assert asyncio.run(train()) == "RUNNING"
    assert status_of("a/p/x") == "COMPLETED"


def test_decorator_makes_an_experiment_for_each_call() -> None:
    seen = []

    @ml_dash_experiment("a/p/x", tags=["t"])
    def train(rate: float, experiment: Experiment) -> float:
        seen.append((experiment, experiment.tags))
        return rate

    assert (train(1), train(2)) == (1, 2)
    assert [tags for _, tags in seen] == [["t"], ["t"]]
    assert seen[0][0] is not seen[1][0]


@pytest.mark.parametrize(
    "use",
    [
        lambda one: one.params,
        lambda one: one.log("x"),
        lambda one: one.log(),
        lambda one: one.logs,
        lambda one: one.metrics,
        lambda one: one.files,
        lambda one: one.flush(),
        lambda one: one.bindrs("x").list(),
    ],
)
def test_what_is_not_open_says_how_to_open_it(use: Callable[[Experiment], Any]) -> None:
    words = r"Experiment not started\. Use `with experiment\.run as exp:`"
    with pytest.raises(RuntimeError, match=words) as error:
        use(Experiment("a/p/x"))

    assert isinstance(error.value, ExperimentError)
    assert not Path(".dash").exists()


def test_builders_that_were_kept_say_so_too(local: Experiment) -> None:
    params, files, metric = local.params, local.files("m"), local.metrics("m")
    local.run.complete()

    for use in (
        lambda: params.set(a=1),
        lambda: files.save_text("x", to="x"),
        lambda: metric.log(a=1),
        lambda: metric.buffer(a=1),
    ):
        with pytest.raises(ExperimentError, match="not started"):
            use()


def test_prefix_changes_between_runs_only() -> None:
    experiment = Experiment("a/p/x")
    experiment.run.prefix = "a/p/b/y"

    assert (experiment.run.prefix, experiment.folder, experiment.name) == ("a/p/b/y", "b", "y")
    with experiment.run, pytest.raises(ExperimentError, match="cannot change"):
        experiment.run.prefix = "a/p/z"
    assert status_of("a/p/b/y") == "COMPLETED"


def test_end_of_a_process_ends_a_local_experiment() -> None:
    experiment = Experiment("a/p/x")
    experiment.run.start()
    lifecycle.note_ending("failed", "ValueError: x")

    lifecycle.finish_all()

    assert (status_of("a/p/x"), reason_of("a/p/x")) == ("FAILED", "ValueError: x")
    experiment.run.complete()


def test_directory_stays_where_it_was_when_the_job_moves(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = Experiment("a/p/x")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")

    with experiment.run:
        experiment.metrics("m").log(a=1)

    assert status_of("a/p/x", here / ".dash") == "COMPLETED"
    assert not (here / "sub" / ".dash").exists()


def test_what_nobody_summed_up_is_told(local: Experiment, caplog: pytest.LogCaptureFixture) -> None:
    local.metrics("m").buffer(a=1, b=2)
    local.run.complete()

    assert [record.getMessage() for record in caplog.records] == [
        "runyard: 2 buffered values were not logged: call metrics.buffer.log_summary()."
    ]


WORDS: dict[str, Any] = {"readme": "# R", "tags": ["t"], "bindrs": ["b"], "metadata": {"k": 1}}


def test_server_hears_of_beginning_and_end(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = "alice/my proj/a/b/exp 1"
    with Experiment(prefix, **WORDS, dash_url=door.url, dash_root=None).run as experiment:
        experiment.run.fail()

    (key,) = door.runs
    (start,) = door.payloads(key, "start")
    assert start.pop("started_at") > 0
    names = {"namespace": "alice", "project_name": "my proj", "folder": "a/b", "name": "exp 1"}
    assert start == {"source": "ml_dash", **names, **WORDS, "resume": True}
    assert door.status(key) == "failed"
    page = f"{door.url}/projects/p/runs/{key}"
    assert capsys.readouterr().out.splitlines() == [
        f"ml_dash: {prefix}: {page}",
        f"ml_dash: {prefix} failed: {page}",
    ]
    assert not Path(".dash").exists()


def test_local_end_says_where_it_is_and_how_to_bring_it_to_a_server(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = Experiment("alice/vision/exp"), Experiment("a/p/x", dash_root=tmp_path / "my runs")
    for experiment in (near, far):
        with experiment.run:
            experiment.run.fail()
        experiment.run.complete()
    near.run.start()
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    near.run.cancel()

    home = "alice/vision/exp"
    assert capsys.readouterr().out.splitlines() == [
        f"ml_dash: {home} failed: .dash/{home} (runyard import .dash)",
        f"ml_dash: a/p/x failed: {tmp_path}/my runs/a/p/x (runyard import '{tmp_path}/my runs')",
        f"ml_dash: {home} cancelled: {here}/.dash/{home} (runyard import {here}/.dash)",
    ]


def test_id_and_data_are_known_once_the_server_has_answered(door: Door) -> None:
    experiment = Experiment("alice/p/a/x", **WORDS, dash_url=door.url, dash_root=None)
    assert (experiment.id, experiment.data, experiment.mode) == (None, None, OperationMode.REMOTE)
    with experiment.run:
        first_id = experiment.id

    (run,) = door.runs.values()
    assert experiment.id == first_id == run["uid"]
    names = {"id": first_id, "name": "x", "prefix": "alice/p/a/x", "folder": "a"}
    assert experiment.data == {
        "experiment": {**names, **WORDS, "description": "# R"},
        "project": {"slug": "p", "namespace": {"slug": "alice"}},
    }


AUTO_START = """
from ml_dash.auto_start import dxp

dxp.params.set(lr=0.001, batch_size=32)
dxp.metrics("train").log(loss=0.5, step=0)
dxp.files("models").save("model.pt")
# Auto-completed on Python exit
"""
LIFECYCLE = """
from pathlib import Path
from ml_dash.auto_start import dxp

def status():
    return Path(".dash/me/scratch/dxp/experiment.json").read_text()

dxp.run.complete()   # close manually
assert "COMPLETED" in status()
dxp.run.start()      # reopen
assert "RUNNING" in status()
dxp.run.fail()       # mark failed
"""


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (AUTO_START, "COMPLETED"),
        (LIFECYCLE, "FAILED"),
        ("from ml_dash.auto_start import dxp\nraise ValueError", "FAILED"),
    ],
    ids=["exit", "by hand", "exception"],
)
def test_auto_started_experiment_is_here_and_ends_with_the_process(
    script: str, status: str, here: Path
) -> None:
    (here / "model.pt").write_bytes(b"weights")
    (here / "job.py").write_text(script)
    environment = {"PYTHONPATH": str(SDK), "ML_DASH_USER": "me", "RUNYARD_URL": DEAD_URL}

    job = subprocess.run([sys.executable, "job.py"], env=environment, timeout=30, check=False)

    assert job.returncode == (1 if "raise" in script else 0)
    assert status_of("me/scratch/dxp") == status
    about = json.loads((here / ".dash/me/scratch/dxp/experiment.json").read_text())
    assert (about["name"], about["project"], about["tags"]) == ("dxp", "scratch", [])


def test_forked_child_logs_and_leaves_the_end_to_its_parent(local: Experiment) -> None:
    if (child := os.fork()) == 0:
        local.metrics("m").log(a=1)
        lifecycle.finish_all()
        os._exit(0)
    os.waitpid(child, 0)

    assert status_of("alice/tests/exp") == "RUNNING"
    assert local.metrics("m").stats()["count"] == 1
