"""Runs without a server: where they go, and what is known of them."""

from pathlib import Path

import aspara
import pytest
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.metadata import edit_run
from runyard.aspara_store.reading import read_project, read_run

from tests.sdk.aspara.conftest import BACKENDS
from tests.sdk.aspara.runs import start
from tests.sdk.aspara_store.files import points_of, read_meta


# ── The documented examples ─────────────────────────────────────────────────
def test_documented_init_and_log_run_as_printed(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    run = aspara.init(
        project="my_project",
        name="my_run",
        config={"lr": 0.001},
        tags=["baseline"],
        notes="First experiment",
        dir="./data",
        storage_backend=backend,
    )
    aspara.log({"loss": 0.5, "accuracy": 0.95})
    aspara.log({"loss": 0.3}, step=10)
    aspara.log({"train/loss": 0.5}, commit=False)
    aspara.log({"val/loss": 0.6}, commit=True)
    aspara.finish()

    stored = read_run(tmp_path / "data", "my_project", "my_run")
    about = stored.about
    assert stored.backend == backend
    assert (about.config, about.tags, about.notes) == (
        {"lr": 0.001},
        ["baseline"],
        "First experiment",
    )
    assert (about.status, about.exit_code, about.run_id) == ("completed", 0, run.id)
    assert points_of(tmp_path / "data", "my_project", "my_run") == [
        (0, "loss", 0.5),
        (0, "accuracy", 0.95),
        (10, "loss", 0.3),
        (11, "train/loss", 0.5),
        (11, "val/loss", 0.6),
    ]


def test_documented_context_manager_finishes(data: Path, backend: str) -> None:
    with aspara.init(project="my_project", storage_backend=backend) as run:
        aspara.log({"loss": 0.5})

    assert read_run(data, "my_project", run.name).about.status == "completed"


def test_documented_config_and_summary_run_as_printed(data: Path, backend: str) -> None:
    run = aspara.init(project="test", config={"lr": 0.01}, storage_backend=backend)
    assert (run.config.lr, run.config["lr"]) == (0.01, 0.01)
    run.config.batch_size = 32
    run.config.update({"epochs": 100})
    run.summary["best_accuracy"] = 0.98
    run.summary.update({"final_loss": 0.01})

    about = read_run(data, "test", run.name).about
    assert about.config == {"lr": 0.01, "batch_size": 32, "epochs": 100}
    assert about.summary == {"best_accuracy": 0.98, "final_loss": 0.01}


# ── Where it goes ───────────────────────────────────────────────────────────
def test_environment_chooses_the_backend(
    data: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("ASPARA_STORAGE_BACKEND", backend)
    other = next(name for name in BACKENDS if name != backend)

    start(other)

    assert read_run(data, "p", "r").backend == backend


def test_default_directory_is_that_of_the_original(tmp_path: Path) -> None:
    aspara.init(name="r")

    assert (tmp_path / "share" / "aspara" / "default" / "r.jsonl").is_file()


def test_unknown_backend_and_directories_of_the_system_are_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="Must be one of: jsonl, polars"):
        start("csv")
    with pytest.raises(ValueError, match="belongs to the system"):
        start("jsonl", dir="/etc")

    assert not data.exists()


def test_missing_polars_says_how_to_get_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "polars", None)

    with pytest.raises(ImportError, match=r"pip install 'runyard\[polars\]'"):
        start("polars")

    assert not (data / "p" / "r.jsonl").exists()


def test_directory_that_cannot_be_written_to_is_said_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="Not a directory"):
        aspara.init(dir=tmp_path / "file" / "below")


def test_runs_are_said_on_stdout_with_what_shows_them(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start("jsonl")
    aspara.finish()
    start("jsonl", dir=tmp_path / "other dir")
    aspara.finish(quiet=True)

    shown = f"aspara dashboard --data-dir '{tmp_path / 'other dir'}'"
    assert capsys.readouterr().out.splitlines() == [
        f"aspara: p/r: {data}/p (to look at it: aspara dashboard)",
        f"aspara: p/r completed: {data}/p (runyard import {data})",
        f"aspara: p/r: {tmp_path}/other dir/p (to look at it: {shown})",
    ]


# ── Documents ───────────────────────────────────────────────────────────────
def test_value_that_json_cannot_hold_raises_by_name_and_poisons_nothing(data: Path) -> None:
    run = start("jsonl")

    with pytest.raises(TypeError, match=r"summary\['model'\] is a builtins.object"):
        run.summary["model"] = object()
    with pytest.raises(TypeError, match=r"config\['net'\]\['f'\]"):
        run.config.net = {"f": print}
    run.summary["best"] = 1
    aspara.finish()

    about = read_run(data, "p", "r").about
    assert (about.config, about.summary, about.status) == ({}, {"best": 1}, "completed")


def test_edits_in_a_dashboard_survive_the_rest_of_the_run(data: Path, tmp_path: Path) -> None:
    run = start("jsonl", tags=["mine"], notes="mine")
    edit_run(RunPaths(data, "p", "r"), tags=["theirs"], notes="theirs")

    run.summary["best"] = 1
    run.config.lr = 1
    (tmp_path / "f.txt").write_text("x")
    run.log_artifact(tmp_path / "f.txt")
    aspara.finish()

    about = read_run(data, "p", "r").about
    assert (about.tags, about.notes, about.status) == (["theirs"], "theirs", "completed")


def test_tags_of_people_stay_when_the_job_says_its_own(data: Path) -> None:
    run = start("jsonl", tags=["t0", "t1"])
    edit_run(RunPaths(data, "p", "r"), tags=["t0", "human"])  # without t1
    run.set_tags(["t0", "t1", "job"])
    assert read_run(data, "p", "r").about.tags == ["t0", "human", "job"]

    run.set_tags(["job"])
    assert read_run(data, "p", "r").about.tags == ["human", "job"]
    aspara.finish()

    start("jsonl", tags=["again"], resume=True)
    assert read_run(data, "p", "r").about.tags == ["human", "again"]


def test_tags_are_replaced_and_project_tags_are_added(data: Path) -> None:
    start("jsonl", name="a", project_tags=["x"])
    run = start("jsonl", name="b", project_tags=["y"], tags=["old"])
    run.set_tags(["new"])

    assert read_run(data, "p", "b").about.tags == ["new"]
    assert read_project(data, "p").tags == ["x", "y"]


def test_finish_gives_status_and_exit_code_once(data: Path, backend: str) -> None:
    run = start(backend)

    run.finish(exit_code=3)
    first = read_meta(data, "p", "r")
    run.finish()

    assert (first["status"], first["is_finished"], first["exit_code"]) == ("failed", True, 3)
    assert first["finish_time"] >= first["start_time"]
    assert read_meta(data, "p", "r") == first
    assert not RunPaths(data, "p", "r").life.exists()


def test_finished_run_takes_nothing_more(data: Path, tmp_path: Path) -> None:
    run = start("jsonl")
    run.finish()
    (tmp_path / "f.txt").touch()

    for use in (
        lambda: run.log({"a": 1}),
        lambda: run.summary.update({"a": 1}),
        lambda: run.set_tags(["a"]),
        lambda: run.log_artifact(tmp_path / "f.txt"),
    ):
        with pytest.raises(RuntimeError, match="Cannot log to a finished run"):
            use()

    assert run.flush() == 0
    assert points_of(data, "p", "r") == []


@pytest.mark.parametrize(
    ("error", "status", "exit_code"),
    [(ValueError("x"), "failed", 1), (KeyboardInterrupt(), "cancelled", 130)],
)
def test_leaving_the_block_with_an_error_says_why(
    data: Path, error: BaseException, status: str, exit_code: int
) -> None:
    with pytest.raises(type(error)), start("jsonl"):
        raise error

    about = read_run(data, "p", "r").about
    assert (about.status, about.exit_code) == (status, exit_code)
    assert about.reason in {"ValueError: x", "Ctrl-C"}


def test_full_disk_is_said_and_training_goes_on(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from runyard.aspara_store import appending

    run = start("jsonl")
    monkeypatch.setattr(appending.os, "write", lambda fd, line: 0)
    run.log({"a": 1})
    waiting = run.flush()
    run.finish()
    monkeypatch.undo()

    assert waiting == 1
    texts = [record.getMessage() for record in caplog.records]
    assert "rows wait in memory" in texts[0]
    assert "p/r: 1 row could not be written: LOST" in texts[-1]
