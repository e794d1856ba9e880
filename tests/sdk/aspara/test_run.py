from pathlib import Path

import numpy as np
import pytest
from aspara import Run

from tests.sdk.door import Answer, Door


@pytest.fixture
def run(door: Door) -> Run:
    return Run(name="r", project="p", tracker_uri=door.url, tags=["a", "a"], notes="n")


def test_run_tells_what_it_is(run: Run, door: Door) -> None:
    assert (run.name, run.project, run.tags, run.notes) == ("r", "p", ["a"], "n")
    assert run.id == door.runs["r"]["uid"]
    assert run.config.to_dict() == run.summary.to_dict() == {}


def test_made_up_name_is_the_servers_too(door: Door) -> None:
    run = Run(tracker_uri=door.url)

    assert list(door.runs) == [run.name]


def test_values_and_steps_of_numpy_are_taken(run: Run, door: Door) -> None:
    run.log({"loss": np.float32(0.5), "count": np.int64(3), "flag": True}, step=np.int64(4))  # type: ignore[arg-type]
    run.log({"loss": np.array(0.25)})
    run.finish()

    assert door.values("r", "loss") == [(4, 0.5), (5, 0.25)]
    assert door.values("r", "count") == [(4, 3.0)]
    assert door.values("r", "flag") == [(4, 1.0)]


def test_nan_and_infinity_are_data(run: Run, door: Door) -> None:
    run.log({"loss": float("nan")})
    run.log({"loss": float("-inf")})
    run.finish()

    assert [str(value) for _, value in door.values("r", "loss")] == ["nan", "-inf"]


@pytest.mark.parametrize("data", [None, [("loss", 1)], "loss"])
def test_log_takes_a_dict(run: Run, data: object) -> None:
    with pytest.raises(TypeError, match=r"log\(\) takes a dict of metrics"):
        run.log(data)  # type: ignore[arg-type]


def test_bad_timestamp_is_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp: 'soon'"):
        run.log({"loss": 1}, timestamp="soon")


def test_tags_are_replaced(run: Run, door: Door) -> None:
    run.set_tags(["x", "y", "x"])
    with pytest.raises(TypeError, match="tags must be a list of texts"):
        run.set_tags("xy")
    run.finish()

    assert run.tags == ["x", "y"]
    assert door.payloads("r", "tags") == [{"tags": ["x", "y"]}]


def test_what_is_not_given_is_not_sent(door: Door) -> None:
    """So that resuming a run does not wipe its tags and notes."""
    Run(name="bare", tracker_uri=door.url).finish()

    start = door.payloads("bare", "start")[0]
    assert set(start) == {"source", "config", "started_at"}


def test_project_tags_and_resume_travel_with_the_start(door: Door) -> None:
    Run(name="r", tracker_uri=door.url, project_tags=["prod"], resume=True).finish()

    start = door.payloads("r", "start")[0]
    assert (start["project_tags"], start["resume"]) == (["prod"], True)


def test_finish_gives_the_exit_code_once(run: Run, door: Door) -> None:
    run.finish(exit_code=2)
    run.finish()

    (finish,) = door.payloads("r", "finish")
    assert (finish["status"], finish["exit_code"]) == ("failed", 2)
    with pytest.raises(RuntimeError, match="Cannot log to a finished run"):
        run.log({"loss": 1})


def test_finish_keeps_to_its_own_timeout(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "0.1")
    waits: list[float] = []
    for timeout in (30.0, 5.0):
        run = Run(name=f"r{timeout:.0f}", tracker_uri=door.url)
        monkeypatch.setattr(run._core, "drain", lambda timeout_s: waits.append(timeout_s) or 0)
        run.finish(flush_timeout=timeout)

    assert waits == [0.1, 5.0]


def test_flush_returns_the_number_of_records_that_have_not_arrived(run: Run, door: Door) -> None:
    run.log({"loss": 1})
    assert run.flush() == 0
    door.fault = lambda path: "hang up"
    run.log({"loss": 2})

    assert run.flush(timeout=0.1) == 1


def test_leaving_the_block_ends_the_run(door: Door) -> None:
    with Run(name="good", tracker_uri=door.url) as run:
        run.log({"loss": 1})
    with pytest.raises(ZeroDivisionError), Run(name="bad", tracker_uri=door.url):
        1 / 0  # noqa: B018 -- the exception is the point

    assert door.status("good") == "completed"
    assert door.payloads("bad", "finish")[0]["reason"] == "ZeroDivisionError: division by zero"
    assert door.status("bad") == "failed"


def test_run_may_be_finished_before_its_block_ends(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    with Run(name="r", tracker_uri=door.url) as run:
        run.finish(exit_code=3)

    assert [payload["exit_code"] for payload in door.payloads("r", "finish")] == [3]
    assert capsys.readouterr().out.count(" failed: ") == 1


def test_closed_stdout_is_no_reason_to_fail(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr("sys.stdout", None)
        Run(name="r", tracker_uri=door.url).finish()

    assert door.status("r") == "completed"


def test_artifact_is_uploaded(run: Run, door: Door, tmp_path: Path) -> None:
    file = tmp_path / "m.txt"
    file.write_text("weights")
    run.log_artifact(file, name="model.txt", description="d", category="model")
    with pytest.raises(ValueError, match="Invalid artifact name"):
        run.log_artifact(file, name="../evil")
    run.finish()

    assert len(door.uploads) == 1
    assert door.payloads("r", "artifact") == [{"name": "model.txt"}]


def test_artifact_of_a_file_with_an_odd_name_is_uploaded(
    run: Run, door: Door, tmp_path: Path
) -> None:
    file = tmp_path / "confusion matrix.png"
    file.write_bytes(b"x")

    run.log_artifact(file)
    with pytest.raises(ValueError, match=r"'confusion matrix\.png'\. Only letters, digits"):
        run.log_artifact(file, name="confusion matrix.png")
    run.finish()

    assert door.payloads(run.name, "artifact") == [{"name": "confusion_matrix.png"}]
    assert len(door.uploads) == 1


def test_last_line_tells_what_has_not_arrived_and_stderr_why(
    run: Run,
    door: Door,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    door.fault = lambda path: Answer(401, {"detail": "It was revoked."})
    run.log({"loss": 1})
    run.finish()

    assert capsys.readouterr().out.splitlines()[-1] == (
        "aspara: p/r completed: 2 records have not arrived"
    )
    assert caplog.text.count(f"{door.url} does not let us in (401 It was revoked.)") == 1


def test_first_line_tells_why_there_is_no_page(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.fault = lambda path: Answer(403, {"detail": "This API token may only read."})
    Run(name="r", project="p", tracker_uri=door.url)

    assert capsys.readouterr().out == (
        f"aspara: p/r: {door.url} does not let us in (403 This API token may only read.)\n"
    )
