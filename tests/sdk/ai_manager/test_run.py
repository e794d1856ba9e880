import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from ai_manager import (
    AIManager,
    ArtifactInfo,
    ConfigDict,
    MetricDict,
    MetricValue,
    Run,
    RunStatus,
)

from tests.sdk.door import Answer
from tests.sdk.gate import Gate


def test_run_tells_what_it_is(run: Run) -> None:
    assert (run.project_name, run.name, run.tags, run.run_id) == ("My Project", "r", [], 7)


def test_made_up_name_is_the_servers_too(manager: AIManager, gate: Gate) -> None:
    run = manager.run()

    assert gate.payloads(run.name, "start")[0]["name"] == run.name


def test_names_may_repeat_without_a_word(
    manager: AIManager, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with manager.run("r") as run:
            run.log({"loss": 1})

    assert list(gate.runs) == ["r", "r-2"]
    assert run.name == "r"
    assert caplog.messages == []


def test_steps_count_by_themselves_from_zero(run: Run, gate: Gate) -> None:
    run.log({"loss": 1})
    run.log(MetricDict({"loss": 2}, step=10))
    run.log(MetricDict(metrics={"loss": 3}))
    run.log(MetricDict({"loss": 4}, step=5), step=6)
    run.log_metric("loss", 5)
    run.log_metric("loss", 6, step=20)
    run.log_metric("loss", MetricValue(7, step=30))
    run.finish()

    assert gate.values("r", "loss") == [
        *((0, 1.0), (10, 2.0), (11, 3.0), (6, 4.0), (7, 5.0), (20, 6.0), (30, 7.0)),
    ]


def test_values_of_every_kind_of_number_are_taken(run: Run, gate: Gate) -> None:
    run.log({"a": True, "b": np.float32(0.5), "c": 3, "nan": float("nan"), "inf": float("inf")})
    run.finish()

    assert [gate.values("r", name) for name in "abc"] == [[(0, 1.0)], [(0, 0.5)], [(0, 3.0)]]
    assert str(gate.values("r", "nan") + gate.values("r", "inf")) == "[(0, nan), (0, inf)]"


def test_texts_stand_in_the_summary_once_for_each_change(run: Run, gate: Gate) -> None:
    run.log({"loss": 1, "phase": "warm-up"})
    run.log({"loss": 2, "phase": "warm-up"})
    run.log({"loss": 3, "phase": "main", "model_type": "transformer"})
    run.log({"phase": "cool-down"})
    run.finish()

    assert gate.payloads("r", "summary") == [
        {"phase": "warm-up"},
        {"phase": "main", "model_type": "transformer"},
        {"phase": "cool-down"},
    ]
    assert gate.values("r", "loss") == [(0, 1.0), (1, 2.0), (2, 3.0)]


@pytest.mark.parametrize(
    ("metrics", "kind", "words"),
    [
        (None, TypeError, r"log\(\) takes a dict of metrics, not NoneType"),
        ([("loss", 1)], TypeError, "not list"),
        ({"loss": [0.5]}, ValueError, "Unsupported value type for 'loss': builtins.list"),
        ({"loss": None, "phase": "a"}, ValueError, "Unsupported value type for 'loss'"),
        ({"loss": 1, "phase": "a\0"}, ValueError, "NUL"),
        ({"": 1}, ValueError, "Metric name cannot be empty"),
    ],
)
def test_misuse_raises_and_keeps_nothing(
    run: Run, gate: Gate, metrics: object, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        run.log(metrics)  # type: ignore[arg-type]
    run.finish()

    assert gate.points["r"] == []
    assert gate.payloads("r", "summary") == []


def test_time_of_a_value_is_kept(run: Run, gate: Gate) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        run.log_metric("loss", MetricValue(1, timestamp="soon"))  # type: ignore[arg-type]
    run.log_metric("loss", MetricValue(1, timestamp=datetime(2026, 1, 1)))  # noqa: DTZ001 -- UTC
    run.finish()

    assert gate.values("r", "loss") == [(0, 1.0)]


def test_config_is_a_dict_whose_changes_are_sent(manager: AIManager, gate: Gate) -> None:
    run = manager.run("r", config=ConfigDict({"lr": 0.1, "net": {"depth": 2}}))
    run.config["epochs"] = np.int64(3)
    run.config.update({"lr": 0.2}, seed=1)
    run.config |= {"path": Path("/data")}
    run.log_config(ConfigDict({"batch_size": 32}))
    assert run.config.setdefault("lr", 7) == 0.2
    assert run.config.setdefault("new", 8) == 8
    run.config.update({})
    run.finish()

    assert gate.payloads("r", "start")[0]["config"] == {"lr": 0.1, "net": {"depth": 2}}
    assert gate.payloads("r", "config") == [
        *({"epochs": 3}, {"lr": 0.2, "seed": 1}, {"path": "/data"}),
        *({"batch_size": 32}, {"new": 8}),
    ]
    whole = {"lr": 0.2, "net": {"depth": 2}, "epochs": 3, "seed": 1, "path": "/data"}
    assert json.loads(json.dumps(run.config)) == whole | {"batch_size": 32, "new": 8}


def test_config_forgets_nothing_and_takes_only_json(run: Run, gate: Gate) -> None:
    run.config["lr"] = 1
    for forget in (lambda: run.config.pop("lr"), run.config.clear, run.config.popitem):
        with pytest.raises(TypeError, match="keeps what was logged"):
            forget()
    with pytest.raises(TypeError, match="keeps what was logged"):
        del run.config["lr"]
    with pytest.raises(TypeError, match="which JSON cannot hold"):
        run.config.update({"good": 1, "bad": object()})

    assert run.config == {"lr": 1}


def test_artifacts_are_uploaded_by_path_or_with_what_is_known_of_them(
    run: Run, gate: Gate, tmp_path: Path
) -> None:
    (tmp_path / "model.pth").write_bytes(b"weights")
    run.log_artifact(tmp_path / "model.pth")
    run.log_artifact(str(tmp_path / "model.pth"))
    run.log_artifact(ArtifactInfo(str(tmp_path / "model.pth"), name="best_model"))
    run.finish()

    assert len(gate.uploads) == 3
    assert gate.payloads("r", "artifact") == [
        *({"name": "model.pth"}, {"name": "model.pth"}, {"name": "best_model"}),
    ]


def test_bad_artifact_is_refused_at_once(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="File does not exist"):
        run.log_artifact(str(tmp_path / "missing"))
    with pytest.raises(ValueError, match="'weights' is not a valid ArtifactType"):
        ArtifactInfo("model.pth", artifact_type="weights")


@pytest.mark.parametrize(
    ("status", "stored", "exit_code"),
    [
        (RunStatus.COMPLETED, "completed", 0),
        ("failed", "failed", 1),
        (RunStatus.STOPPED, "cancelled", None),
    ],
)
def test_run_ends_once_and_as_it_is_told(
    run: Run, gate: Gate, status: RunStatus | str, stored: str, exit_code: int | None
) -> None:
    run.finish(status)
    run.finish(RunStatus.COMPLETED)

    (finish,) = gate.payloads("r", "finish")
    assert (finish["status"], finish["exit_code"]) == (stored, exit_code)
    with pytest.raises(RuntimeError, match="Cannot log to a finished run"):
        run.log({"loss": 1})
    with pytest.raises(RuntimeError, match="Cannot log to a finished run"):
        run.config["a"] = 1


@pytest.mark.parametrize("status", ["running", "done", None])
def test_run_does_not_end_as_anything_else(run: Run, gate: Gate, status: str) -> None:
    with pytest.raises(ValueError, match=r"ends as one of|not a valid RunStatus"):
        run.finish(status)

    assert gate.status("r") == "running"


def test_leaving_the_block_ends_the_run(manager: AIManager, gate: Gate) -> None:
    with manager.run("good") as run:
        run.log({"loss": 1})
    with pytest.raises(ZeroDivisionError), manager.run("bad"):
        1 / 0  # noqa: B018 -- the exception is the point
    with manager.run("told") as run:
        run.finish(RunStatus.STOPPED)

    assert gate.status("good") == "completed"
    assert gate.payloads("bad", "finish")[0]["reason"] == "ZeroDivisionError: division by zero"
    assert (gate.status("bad"), gate.status("told")) == ("failed", "cancelled")


def test_rate_limits_cost_time_and_no_point(run: Run, gate: Gate) -> None:
    answers = iter([Answer(429, {"detail": "slow"}, {"Retry-After": "0.05"})] * 5)
    gate.fault = lambda path: next(answers, None)
    for step in range(500):
        run.log({"loss": step}, step=step)
    run.finish()

    assert next(answers, None) is None
    assert gate.values("r", "loss") == [(step, float(step)) for step in range(500)]


def test_login_that_ends_again_and_again_costs_no_point(manager: AIManager, gate: Gate) -> None:
    with manager.run("r") as run:
        for step in range(5):
            gate.tokens.clear()
            run.log({"loss": step})
            run._core.flush(10)

    assert gate.values("r", "loss") == [(step, float(step)) for step in range(5)]
    assert len(gate.logins) == 6


def test_runs_are_said_on_stdout_in_short(
    manager: AIManager, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.run("A run").finish("stopped")

    page = f"{gate.url}/projects/p/runs/A-run"
    assert capsys.readouterr().out.splitlines() == [
        f"ai_manager: My Project/A run: {page}",
        f"ai_manager: My Project/A run stopped: {page}",
    ]


def test_last_line_tells_what_has_not_arrived_and_stderr_why(
    run: Run,
    gate: Gate,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate.fault = lambda path: Answer(403, {"detail": "You may not change project 'p'."})
    run.finish()

    assert capsys.readouterr().out.splitlines()[-1] == (
        "ai_manager: My Project/r completed: 1 record has not arrived"
    )
    assert caplog.text.count("does not let us in (403 You may not change project 'p'.)") == 1


def test_forked_worker_logs_to_the_run_of_its_parent(run: Run, gate: Gate) -> None:
    """What it says of itself first is what the run is called, should it be heard before."""
    run._core.forget_parent()
    run.log({"worker": 1})
    run._core.flush(10)

    start = gate.payloads("r", "start")[1]
    assert {name: start[name] for name in ("source", "project_name", "name")} == {
        "source": "ai_manager",
        "project_name": "My Project",
        "name": "r",
    }
    assert gate.values("r", "worker") == [(0, 1.0)]
