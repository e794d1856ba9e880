import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from runyard.artifacts import check_artifact
from runyard.errors import NoServer, RunExists, RunFinished, StartRefused
from runyard.memory import note_next_step
from runyard.orphans import spool_paths
from runyard.run import Run, open_run

from tests.sdk.door import Answer, Door, wait_until

DEAD_URL = "http://127.0.0.1:1"


def start(url: str, key: str | None = "r", **payload: Any) -> Run:
    return open_run(project="p", key=key, start={"source": "aspara", **payload}, url=url)


def test_run_is_started_logged_to_and_finished(door: Door, root: Path) -> None:
    run = start(door.url, config={"lr": 0.1}, tags=["a"])
    run.log({"loss": 0.5, "acc": 1})
    run.record("summary", {"best": 0.5})
    left = run.finish("completed", exit_code=0)

    payload = door.payloads("r", "start")[0]
    assert left == 0
    assert abs(payload.pop("started_at") / 1e6 - time.time()) < 60
    assert payload == {"source": "aspara", "config": {"lr": 0.1}, "tags": ["a"]}
    assert door.values("r", "loss") == [(0, 0.5)]
    assert door.values("r", "acc") == [(0, 1.0)]
    assert door.payloads("r", "summary") == [{"best": 0.5}]
    assert run.page_url == f"{door.url}/projects/p/runs/r"
    assert spool_paths(root) == []


def test_steps_count_up_jump_and_stay(door: Door) -> None:
    run = start(door.url)
    run.log({"loss": 1})
    run.log({"loss": 2}, step=10)
    run.log({"loss": 3})
    run.log({"loss": 4}, commit=False)
    run.log({"val": 5}, commit=True)
    run.log({})
    run.log({"loss": 6}, step=-3, commit=False)
    run.log({"loss": 7})
    run.finish("completed")

    steps = [step for step, _ in door.values("r", "loss")]
    assert steps == [0, 10, 11, 12, -3, -3]
    assert door.values("r", "val") == [(12, 5.0)]


@pytest.mark.parametrize(
    ("values", "step"),
    [({"a": 1, "b": "x"}, None), ({"a": 1, "": 2}, None), ({"a": 1}, 1.5), ({"a": 1}, 2**63)],
)
def test_row_with_an_error_leaves_nothing_behind(
    door: Door, values: Mapping[str, object], step: object
) -> None:
    run = start(door.url)
    run.log({"loss": 1})
    with pytest.raises(ValueError, match=r"'b'|empty|step must"):
        run.log(values, step=step)
    run.log({"loss": 2})
    run.finish("completed")

    assert door.values("r", "loss") == [(0, 1.0), (1, 2.0)]
    assert {name for _, _, name, _, _ in door.points["r"]} == {"loss"}


def test_steps_end_at_64_bits(door: Door) -> None:
    run = start(door.url)
    run.log({"loss": 1}, step=2**63 - 1)

    with pytest.raises(ValueError, match="step must fit into 64 bits"):
        run.log({"loss": 2})
    run.log({"loss": 3}, step=0)


def test_threads_share_the_counter_without_a_collision(door: Door) -> None:
    run = start(door.url)
    threads = [
        threading.Thread(target=lambda: [run.log({"loss": 1}) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish("completed")

    assert [step for step, _ in door.values("r", "loss")] == list(range(2_000))


def test_finished_run_takes_nothing_more(door: Door) -> None:
    run = start(door.url)
    run.finish("completed")

    with pytest.raises(RunFinished, match="Cannot log to a finished run"):
        run.log({"loss": 1})
    with pytest.raises(RunFinished):
        run.record("config", {"lr": 1})
    assert run.finish("failed") == 0
    assert door.status("r") == "completed"


def test_taken_name_is_refused_and_nothing_stays(door: Door, root: Path) -> None:
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}

    with pytest.raises(RunExists, match="resume=True"):
        start(door.url)

    wait_until(lambda: spool_paths(root) == [])
    assert not door.run_of


def test_start_the_server_will_not_have_raises_its_words(door: Door, root: Path) -> None:
    door.fault = lambda path: Answer(404, {"detail": "No such project."})

    with pytest.raises(StartRefused, match=r"^No such project\.$"):
        start(door.url)

    assert issubclass(StartRefused, ValueError)
    assert spool_paths(root) == []


def test_start_that_is_too_large_leaves_nothing_behind(door: Door, root: Path) -> None:
    with pytest.raises(ValueError, match=r"This start takes .* Log it as an artifact"):
        start(door.url, config={"x": "y" * 9_000_000})

    assert spool_paths(root) == []


def test_no_server_is_said_at_once() -> None:
    with pytest.raises(NoServer, match="tracker_uri"):
        open_run(project="p", key="r", start={})


def test_silent_server_is_warned_about_and_hears_it_all_later(
    door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "0.2")
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    door.fault = lambda path: "hang up"
    run = start(door.url)
    run.log({"loss": 1})
    warnings = [record.message for record in caplog.records]
    door.fault = lambda path: None

    assert run.finish("completed") == 0
    assert len(warnings) == 1
    assert "does not answer" in warnings[0]
    assert (run.key, door.values("r-2", "loss")) == ("r-2", [(0, 1.0)])
    assert "the name 'r' was taken: the run is called 'r-2'" in caplog.text


def test_answer_that_comes_after_init_gave_up_is_no_error(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is slow, not silent, and says that the name is taken when nobody waits any more."""
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "0.1")
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    gave_up = threading.Event()
    take = door.take
    door.take = lambda path, body: (gave_up.wait(10), take(path, body))[1]  # type: ignore[method-assign]
    run = start(door.url)
    gave_up.set()
    run.log({"loss": 1})

    assert run.finish("completed") == 0
    assert door.values("r-2", "loss") == [(0, 1.0)]


def test_resumed_run_goes_on_where_the_server_says(door: Door) -> None:
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    door.next_step = 41
    run = start(door.url, resume=True)
    run.log({"loss": 1})
    run.finish("completed")

    assert run.uid == "another"
    assert door.values("r", "loss") == [(41, 1.0)]


def test_resumed_run_goes_on_where_this_machine_knows_when_the_server_is_away(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = start(DEAD_URL)
    for _ in range(7):
        first.log({"loss": 1})
    first.finish("completed", timeout_s=0)

    second = start(DEAD_URL, resume=True)

    assert second.next_step == 7
    assert "resuming 'r' without the server: steps go on from 7" in caplog.text


def test_resumed_run_counts_what_a_killed_job_left_to_be_sent(
    door: Door, root: Path, make_spool: Callable[..., Any]
) -> None:
    from tests.sdk.conftest import add_rows

    note_next_step(root, "p", "r", 900)  # of a run of that name that is long gone
    add_rows(make_spool(url="http://elsewhere"), 60)
    door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    door.next_step = 41

    assert start(door.url, resume=True).next_step == 60


def test_directory_that_cannot_be_written_to_is_replaced(
    door: Door, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root.write_text("a file")

    run = start(door.url)
    run.log({"loss": 1})

    assert run.finish("completed") == 0
    assert door.values("r", "loss") == [(0, 1.0)]
    assert f"cannot write to {root}" in caplog.text


def test_what_is_left_is_said_with_the_command_to_send_it(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = start(DEAD_URL)
    run.log({"loss": 1})

    assert run.finish("completed", timeout_s=0.0) == 3
    *_, last = [record.message for record in caplog.records]
    why = last.removeprefix("runyard: 3 records of p/r have not arrived: ").partition(". They")[0]
    assert why.startswith(f"{DEAD_URL} does not answer (ConnectionRefusedError")
    assert last.endswith(f"They are safe in {root}; to send them: runyard sync {root}")
    assert run.whereabouts() == f"3 records have not arrived: {why}"


def refuse(status: int, detail: str, **headers: str) -> Callable[[str], Answer]:
    return lambda path: Answer(status, {"detail": detail}, headers)


def test_run_that_is_not_let_in_says_why_and_how_to_send_it(
    door: Door, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door.fault = refuse(401, "Sign in.")
    run = start(door.url)
    why = f"{door.url} does not let us in (401 Sign in.)"
    assert run.whereabouts() == why

    run.log({"loss": 1})

    assert run.finish("completed") == 3
    assert run.whereabouts() == "3 records have not arrived"
    [first, last] = [record.message for record in caplog.records]
    assert first.startswith(f"runyard: {why}: set RUNYARD_TOKEN to a valid token, or run: ")
    assert last == (
        f"runyard: 3 records of p/r have not arrived. They are safe in {root}; "
        f"to send them: runyard login {door.url} && runyard sync {root}"
    )


def test_run_whose_token_ends_midway_tells_what_has_not_arrived(
    door: Door, root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_revoked")
    run = start(door.url)
    assert run.whereabouts() == f"{door.url}/projects/p/runs/r"

    door.fault = refuse(401, "It was revoked.")
    run.log({"loss": 1})

    assert run.finish("completed") == 2
    assert run.whereabouts() == "2 records have not arrived"
    why = f"{door.url} does not let us in (401 It was revoked.)"
    assert caplog.text.count(why) == 1
    assert caplog.records[-1].message.endswith(
        f"to send them: unset RUNYARD_TOKEN && runyard login {door.url} && runyard sync {root}"
    )


def test_run_sent_to_another_address_need_not_log_in(
    door: Door, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door.fault = refuse(301, "", Location="https://elsewhere")

    start(door.url).finish("completed")

    assert caplog.records[-1].message.endswith(f"to send them: runyard sync {root}")


def test_token_that_came_meanwhile_is_tried_at_the_end(door: Door) -> None:
    door.fault = refuse(401, "Sign in.")
    run = start(door.url)
    run.log({"loss": 1})
    door.fault = lambda path: None

    assert run.finish("completed") == 0
    assert door.values("r", "loss") == [(0, 1.0)]
    assert run.whereabouts() == f"{door.url}/projects/p/runs/r"


def test_deleted_run_goes_on_in_silence(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    run = start(door.url)
    door.fault = lambda path: Answer(410, {"detail": "The run was deleted."})
    run.log({"loss": 1})
    wait_until(lambda: "the run was deleted" in caplog.text)
    for _ in range(1_000):
        run.log({"loss": 2})
    run.finish("completed")

    assert len(caplog.records) == 1
    assert run.whereabouts() == (
        "the run was deleted on the server (410 The run was deleted.);"
        f" {run.left} records have not arrived"
    )


def test_artifact_is_copied_at_once(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(b"before")
    run = start(door.url)
    run.log_artifact(check_artifact(file, None, "the best", "model"))
    file.write_bytes(b"after")
    run.finish("completed")

    ((path, body),) = door.uploads
    assert path == "/tracker/api/v1/projects/p/runs/r/artifacts"
    assert b"before" in body
    assert b"the best" in body
    assert door.payloads("r", "artifact") == [{"name": "model.pt"}]


def test_artifact_without_room_is_a_gap_and_no_error(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(b"x")
    run = start(door.url)

    def refuse(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("shutil.copyfile", refuse)
    run.log_artifact(check_artifact(file, None, None, None))
    run.finish("completed")

    assert door.payloads("r", "gap") == [
        {"count": 1, "reason": "no copy of artifact 'model.pt': No space left on device"}
    ]
    assert "no copy of artifact 'model.pt'" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", None, None, None), "File path cannot be empty"),
        (("/nowhere", None, None, None), "File does not exist: /nowhere"),
        (("/", None, None, None), "Path is not a file: /"),
        ((__file__, None, None, "zzz"), "Invalid category: zzz. Must be one of: code, model,"),
        ((__file__, "../../evil", None, None), "Invalid artifact name"),
        ((__file__, "..", None, None), "Invalid artifact name"),
        ((__file__, ".", None, None), "Invalid artifact name"),
        ((__file__, "a b", None, None), "Invalid artifact name"),
        ((__file__, "x\n", None, None), "Invalid artifact name"),
        ((__file__, "x" * 251, None, None), "at most 250"),
        ((__file__, "x", "a\0b", None), "description has a NUL"),
    ],
)
def test_bad_artifacts_are_refused(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_artifact(*arguments)
