"""How jobs that log into files end their runs, and which of several processes does."""

import json
from pathlib import Path

import pytest
from runyard.aspara_store.layout import RunPaths

from tests.sdk.aspara.runs import LOG_TEN, TEN, about, job, run_to_its_end
from tests.sdk.aspara_store.files import points_of


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("", ("completed", 0, "")),
        ("raise ValueError('diverged')", ("failed", 1, "ValueError: diverged")),
        ("os.kill(os.getpid(), signal.SIGINT)", ("cancelled", 130, "Ctrl-C")),
        ("os.kill(os.getpid(), signal.SIGTERM)", ("cancelled", 143, "SIGTERM")),
    ],
)
def test_end_of_the_process_ends_the_run(
    data: Path, backend: str, ending: str, said: tuple[str, int, str]
) -> None:
    script = (
        f"    signal.signal(signal.SIGINT, signal.default_int_handler)\n{LOG_TEN}    {ending}\n"
    )

    job(script, data, ASPARA_STORAGE_BACKEND=backend).end()

    found = about(data)
    assert (found.status, found.exit_code, found.reason) == said
    assert points_of(data, "p", "r") == TEN
    assert not RunPaths(data, "p", "r").life.exists()
    assert not RunPaths(data, "p", "r").marker.exists()


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", "completed"),
        ("raise ValueError('diverged')", "failed"),
        ("signal.raise_signal(signal.SIGINT)", "cancelled"),
    ],
)
def test_end_of_the_process_is_said_as_one_that_is_asked_for(
    data: Path, ending: str, status: str
) -> None:
    script = f"""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    aspara.init(project="p", name="r")
    sys.stdout.flush()
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    {ending}
    """

    ended = job(script, data)
    out, _ = ended.process.communicate(timeout=30)

    begun, *rest = out.splitlines()
    assert begun.startswith(f"aspara: p/r: {data}/p ")
    assert rest == [f"aspara: p/r {status}: {data}/p (runyard import {data})"]


def test_other_ranks_are_silent(data: Path) -> None:
    script = f"{LOG_TEN}    run.config.x = 1\n    run.log_artifact(__file__)\n    aspara.finish()\n"

    code, errors = job(script, data, RANK="1").end()

    assert (code, errors) == (0, "")
    assert not data.exists()


@pytest.mark.parametrize("named", [True, False])
def test_all_ranks_may_log_to_one_run(data: Path, named: bool) -> None:
    script = LOG_TEN if named else LOG_TEN.replace(', name="r"', "")
    for rank in ("0", "1"):
        run_to_its_end(script, data, RANK=rank, RUNYARD_RANKS="all", RUNYARD_RUN="some-uid")

    (path,) = (data / "p").glob("*.meta.json")
    document = json.loads(path.read_text())
    assert (document["run_id"], document["status"]) == ("some-uid", "completed")
    assert points_of(data, "p", path.name.removesuffix(".meta.json")) == TEN + TEN


SHARED = """
    aspara.init(project="p", name="r", resume=True)
    say("begun")
    listen()
    raise ValueError(os.environ["RANK"])
"""


def test_of_ranks_that_share_a_run_the_one_that_made_it_ends_it(data: Path) -> None:
    shared = {"RUNYARD_RUN": "job-17", "RUNYARD_RANKS": "all"}
    first = job(SHARED.replace(", resume=True", ""), data, RANK="0", **shared)
    first.wait_for("begun")
    second = job(SHARED, data, RANK="1", **shared)
    second.wait_for("begun")

    second.go_on()
    second.end()
    joined = about(data).status
    first.go_on()
    first.end()

    assert (joined, about(data).status, about(data).reason) == (None, "failed", "ValueError: 0")


def test_job_that_was_killed_goes_on_under_its_id_and_ends(data: Path) -> None:
    killed = job(SHARED, data, RUNYARD_RUN="job-17", RANK="0")
    killed.wait_for("begun")
    killed.kill()

    again = job(SHARED, data, RUNYARD_RUN="job-17", RANK="0")
    again.wait_for("begun")
    again.go_on()
    again.end()

    assert (about(data).run_id, about(data).status) == ("job-17", "failed")
