"""How processes end, and what the server then says of their runs."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from unittest.mock import Mock, call

import pytest
from runyard import lifecycle

from tests.sdk.door import Door, open_door, wait_until
from tests.sdk.jobs import Job, run_command, run_job

DEAD_URL = "http://127.0.0.1:1"
LOG_TEN = """
    run = aspara.init(project="p", name="r")
    for step in range(10):
        aspara.log({"loss": step})
"""
TEN = [(step, float(step)) for step in range(10)]


def spools(root: Path) -> list[Path]:
    return list((root / "spool").glob("*"))


def finish(door: Door) -> tuple[object, ...]:
    (payload,) = door.payloads("r", "finish")
    return payload["status"], payload["exit_code"], payload["reason"]


@pytest.mark.parametrize(
    ("ending", "exit_code", "expected"),
    [
        ("pass", 0, ("completed", None, "")),
        ("sys.exit(0)", 0, ("completed", None, "")),
        ("aspara.finish()", 0, ("completed", 0, "")),
        ("aspara.finish(exit_code=3)", 0, ("failed", 3, "")),
        ("raise ValueError('diverged')", 1, ("failed", None, "ValueError: diverged")),
        ("raise KeyboardInterrupt", -2, ("cancelled", None, "Ctrl-C")),
        ("os.kill(os.getpid(), signal.SIGINT)", -2, ("cancelled", None, "Ctrl-C")),
        ("os.kill(os.getpid(), signal.SIGTERM)", -15, ("cancelled", None, "SIGTERM")),
        ("with run: pass", 0, ("completed", 0, "")),
        ("with run: raise OSError('disk')", 1, ("failed", 1, "OSError: disk")),
        ("with run: raise KeyboardInterrupt", -2, ("cancelled", None, "Ctrl-C")),
        ("with run: sys.exit(4)", 4, ("failed", 1, "SystemExit: 4")),
        ("with run: sys.exit()", 0, ("completed", 0, "")),
    ],
)
def test_end_of_the_process_ends_the_run(
    door: Door, root: Path, ending: str, exit_code: int, expected: tuple[object, ...]
) -> None:
    code, errors = run_job(f"{LOG_TEN}\n    {ending}", root, door.url)

    assert (code, finish(door)) == (exit_code, expected), errors
    assert door.values("r", "loss") == TEN
    assert spools(root) == []


def test_handlers_of_the_job_are_called_and_put_back(door: Door, root: Path) -> None:
    script = """
    def on_sigterm(number, frame):
        say("handler")
        sys.exit(7)

    def on_exception(kind, error, traceback):
        say(f"hook {error}")

    signal.signal(signal.SIGTERM, on_sigterm)
    sys.excepthook = on_exception
    aspara.init(project="p", name="other").finish()
    assert signal.getsignal(signal.SIGTERM) is on_sigterm
    assert sys.excepthook is on_exception
    aspara.init(project="p", name="r")
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        listen()
    except SystemExit:
        raise ValueError("while exiting")
    """
    job = Job(script, root, door.url)

    job.wait_for("handler")
    job.wait_for("hook while exiting")
    code, errors = job.end()

    assert code == 1, errors
    assert finish(door) == ("failed", None, "ValueError: while exiting")


def test_ignored_sigterm_stays_ignored(door: Door, root: Path) -> None:
    script = f"""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    {LOG_TEN}
    os.kill(os.getpid(), signal.SIGTERM)
    """

    assert run_job(script, root, door.url)[0] == 0
    assert finish(door) == ("completed", None, "")


def test_killed_job_loses_nothing_and_sync_brings_it_home(root: Path) -> None:
    job = Job(f"{LOG_TEN}\n    say('logged')\n    listen()", root, DEAD_URL)
    job.wait_for("logged")
    job.kill()

    with open_door() as door:
        outcome = run_command("sync", str(root), "--url", door.url, root=root)

    assert outcome.returncode == 0, outcome.stderr
    assert door.values("r", "loss") == TEN
    assert door.status("r") == "running", "nobody can say how it ended"
    assert spools(root) == []


def test_os_exit_loses_nothing_and_the_next_job_brings_it_home(root: Path) -> None:
    with open_door() as door:
        door.fault = lambda path: "hang"
        run_job(f"{LOG_TEN}\n    os._exit(0)", root, door.url, RUNYARD_INIT_TIMEOUT="0.1")
        left = spools(root)
        door.fault = lambda path: None
        script = """
        aspara.init(project="p", name="next")
        say("started")
        listen()
        """
        job = Job(script, root, door.url)
        job.wait_for("started")
        wait_until(lambda: left[0] not in spools(root))
        job.go_on()
        job.end()

    assert len(left) == 1
    assert door.values("r", "loss") == TEN


def test_forked_children_log_to_the_run_and_do_not_end_it(door: Door, root: Path) -> None:
    script = f"""
    {LOG_TEN}
    for child in range(3):
        if os.fork() == 0:
            for step in range(20):
                aspara.log({{f"child/{{child}}": step}}, step=step)
            if child == 0:
                os._exit(0)  # as workers end: no atexit, no finally
            sys.exit(0) if child == 1 else os.kill(os.getpid(), signal.SIGKILL)
    for child in range(3):
        os.wait()
    aspara.log({{"loss": 10}})
    """

    code, errors = run_job(script.replace("    \n", "\n"), root, door.url)

    assert code == 0, errors
    assert list(door.runs) == ["r"]
    assert door.values("r", "loss") == [*TEN, (10, 10.0)]
    for child in range(3):
        expected = [(step, float(step)) for step in range(20)]
        assert door.values("r", f"child/{child}") == expected
    assert finish(door) == ("completed", None, "")
    assert spools(root) == []


def test_forked_child_with_a_run_of_its_own_ends_it_itself(door: Door, root: Path) -> None:
    script = f"""
    {LOG_TEN}
    if os.fork() == 0:
        aspara.init(project="p", name="child")
        aspara.log({{"loss": 1}})
        os.kill(os.getpid(), signal.SIGTERM)
    os.wait()
    """

    code, errors = run_job(script, root, door.url)

    assert code == 0, errors
    assert door.payloads("child", "finish")[0]["reason"] == "SIGTERM"
    assert finish(door) == ("completed", None, "")


def test_child_that_never_logs_creates_nothing(door: Door, root: Path) -> None:
    script = f"""
    {LOG_TEN}
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    assert len(os.listdir(os.path.join(os.environ["RUNYARD_DIR"], "spool"))) == 1
    aspara.log({{"loss": 10}})
    """

    code, errors = run_job(script, root, door.url)

    assert code == 0, errors
    assert len(door.watermarks) == 1
    assert door.values("r", "loss") == [*TEN, (10, 10.0)]


def test_child_forked_in_the_middle_of_everything_neither_hangs_nor_doubles(
    door: Door, root: Path
) -> None:
    script = """
    import threading
    run = aspara.init(project="p", name="r")

    def hammer(name):
        for step in range(2_000):
            run.log({name: step}, step=step)

    threads = [threading.Thread(target=hammer, args=(f"t{i}",)) for i in range(2)]
    [thread.start() for thread in threads]
    for child in range(20):
        if os.fork() == 0:
            run.log({"child": child}, step=child)
            os._exit(0)
    for child in range(20):
        os.wait()
    [thread.join() for thread in threads]
    """

    code, errors = run_job(script, root, door.url)

    assert code == 0, errors
    assert sorted(door.values("r", "child")) == [(n, float(n)) for n in range(20)]
    for name in ("t0", "t1"):
        assert door.values("r", name) == [(step, float(step)) for step in range(2_000)]
    assert spools(root) == []


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_workers_log_to_the_run(door: Door, root: Path, method: str) -> None:
    script = f"""
    import multiprocessing

    def work(number):
        run = aspara._current or aspara.init(project="p")
        for step in range(5):
            run.log({{f"worker/{{number}}": step}}, step=step)

    if __name__ == "__main__":
        context = multiprocessing.get_context("{method}")
        aspara.init(project="p", name="r")
        workers = [context.Process(target=work, args=(number,)) for number in range(2)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        assert [worker.exitcode for worker in workers] == [0, 0]
        say("joined")
        listen()
    """
    job = Job(script, root, door.url)
    job.wait_for("joined")
    before = {number: door.values("r", f"worker/{number}") for number in range(2)}
    job.go_on()
    code, errors = job.end()

    assert code == 0, errors
    assert before == {key: [(step, float(step)) for step in range(5)] for key in range(2)}
    assert list(door.runs) == ["r"]
    assert finish(door) == ("completed", None, "")


def test_other_ranks_are_silent(door: Door, root: Path) -> None:
    script = f"""
    {LOG_TEN}
    run.config.x = 1
    run.log_artifact(__file__)
    aspara.finish()
    """

    code, errors = run_job(script, root, door.url, RANK="1")

    assert (code, errors) == (0, "")
    assert door.requests == []
    assert not root.exists()


def test_all_ranks_may_log_to_one_run(door: Door, root: Path) -> None:
    uid = "7a0b2c3d-0000-4000-8000-000000000001"
    for rank in ("0", "1"):
        code, errors = run_job(
            LOG_TEN, root, door.url, RANK=rank, RUNYARD_RANKS="all", RUNYARD_RUN=uid
        )
        assert code == 0, errors

    assert door.runs["r"]["uid"] == uid
    assert door.values("r", "loss") == TEN + TEN
    assert finish(door)[0] == "completed", "as the process says that made the run"


LOG_IN_TWO_PARTS = """
    run = aspara.init(project="p", name="r")
    say("init")
    listen()
    for step in range(5):
        aspara.log({"loss": step})
    if os.environ["FLUSH"]:
        run.flush()
    say("middle")
    listen()
    for step in range(5, 10):
        aspara.log({"loss": step})
    say("end")
"""


@pytest.mark.parametrize("moment", ["init", "middle", "finish"])
@pytest.mark.parametrize("trouble", ["hang", "hang up"])
def test_silent_server_delays_the_end_by_the_deadline_at_most_and_nothing_is_lost(
    door: Door, root: Path, moment: str, trouble: str
) -> None:
    def cut(now: str) -> None:
        if now == moment:
            door.fault = lambda path: trouble

    cut("init")
    limits = {"RUNYARD_EXIT_DEADLINE": "1", "RUNYARD_INIT_TIMEOUT": "0.5"}
    flush = "1" if moment == "finish" else ""
    job = Job(LOG_IN_TWO_PARTS, root, door.url, **limits, FLUSH=flush)
    for now in ("middle", "finish"):
        job.wait_for("init" if now == "middle" else "middle")
        cut(now)
        job.go_on()
    job.wait_for("end")
    began = time.monotonic()
    code, errors = job.end()
    took_s = time.monotonic() - began
    door.fault = lambda path: None
    synced = run_command("sync", str(root), "--url", door.url, root=root)

    assert code == 0, errors
    assert took_s <= 3.0, "the deadline and two seconds"
    assert f"runyard sync {root}" in errors
    assert synced.returncode == 0, synced.stderr
    assert door.values("r", "loss") == TEN
    assert finish(door) == ("completed", None, "")


def test_second_ctrl_c_ends_the_waiting(root: Path) -> None:
    script = """
    aspara.init(project="p", name="r")
    aspara.log({"loss": 1})
    say("logged")
    time.sleep(60)
    """
    with open_door() as door:
        door.fault = lambda path: "hang"
        job = Job(script, root, door.url, RUNYARD_EXIT_DEADLINE="60", RUNYARD_INIT_TIMEOUT="0.1")
        job.wait_for("logged")
        job.process.send_signal(signal.SIGINT)
        wait_for_line(job, "KeyboardInterrupt")
        interrupt_until_it_ends(job)
        wait_for_line(job, f"runyard sync {root}")
        code, _ = job.end()

    assert code in {1, -signal.SIGINT}, "which one depends on the moment"


def wait_for_line(job: Job, words: str) -> None:
    assert job.process.stderr
    assert any(words in line for line in job.process.stderr), "the job ended without saying so"


def interrupt_until_it_ends(job: Job) -> None:
    """Between two phases of its end the interpreter itself swallows an interrupt."""
    for _ in range(5):
        job.process.send_signal(signal.SIGINT)
        with suppress(TimeoutExpired):
            job.process.wait(3)
            return
    raise AssertionError("the job goes on waiting")


def test_ctrl_c_before_the_end_was_written_down_still_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Mock()
    monkeypatch.setattr(lifecycle, "_state", lifecycle._State())
    monkeypatch.setattr(lifecycle, "finish_all", Mock(side_effect=KeyboardInterrupt))
    lifecycle._state.open_runs.append(run)
    lifecycle.note_ending("cancelled", "Ctrl-C")

    lifecycle._on_exit()

    assert run.mock_calls == [call.end("cancelled", reason="Ctrl-C"), call.drain(0)]
