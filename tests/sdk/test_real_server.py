"""The SDK against the server itself, which is killed in the middle of a training."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live import LiveServer, live_server
from tests.sdk.jobs import Job, run_command, run_job

pytestmark = pytest.mark.e2e
ROWS = 6_000


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def query(server: LiveServer, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    path = f"file:{server.data_dir / 'runyard.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        return connection.execute(sql, arguments).fetchall()


def metrics_of(server: LiveServer, key: str) -> dict[str, tuple[int, float, int]]:
    """Of each metric of a run: how many points, their sum, the greatest step."""
    sql = """SELECT m.name, m.count, m.sum, m.last_step FROM tracking_metric m
             JOIN tracking_run r ON r.id = m.run_id WHERE r.key = ?"""
    return {name: tuple(rest) for name, *rest in query(server, sql, key)}  # type: ignore[misc]


def run_of(server: LiveServer, key: str, columns: str) -> tuple[Any, ...]:
    ((*row,),) = query(server, f"SELECT {columns} FROM tracking_run WHERE key = ?", key)
    return tuple(row)


def test_server_killed_in_mid_training_has_every_point_once(server: LiveServer, root: Path) -> None:
    script = f"""
    aspara.init(project="p", name="killed")
    for step in range({ROWS}):
        aspara.log({{"loss": step, "acc": 1.0}})
        time.sleep(0.0005)
        if step in ({ROWS // 3}, {2 * ROWS // 3}):
            say(f"at {{step}}")
    """
    # It trains on while the server starts again, which may take as long as the usual deadline.
    job = Job(script, root, server.url, RUNYARD_EXIT_DEADLINE="35")
    for step in (ROWS // 3, 2 * ROWS // 3):
        job.wait_for(f"at {step}")
        server.kill()
        server.start()
    code, errors = job.end()

    assert code == 0, errors
    assert metrics_of(server, "killed") == {
        "loss": (ROWS, ROWS * (ROWS - 1) / 2, ROWS - 1),
        "acc": (ROWS, float(ROWS), ROWS - 1),
    }
    assert run_of(server, "killed", "status") == ("completed",)


def test_job_and_server_killed_together_lose_nothing(server: LiveServer, root: Path) -> None:
    script = """
    aspara.init(project="p", name="both")
    for step in range(100_000):
        aspara.log({"loss": step})
        if step == 3_000:
            say("far enough")
            listen()
    """
    job = Job(script, root, server.url)
    job.wait_for("far enough")
    server.kill()
    job.kill()
    server.start()

    synced = run_command("sync", str(root), root=root, url=server.url)

    assert synced.returncode == 0, synced.stderr
    assert metrics_of(server, "both") == {"loss": (3_001, 3_000 * 3_001 / 2, 3_000)}
    assert run_of(server, "both", "status") == ("running",)


def test_whole_run_arrives_as_it_was_logged(server: LiveServer, root: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(bytes(3_000_000))
    script = f"""
    with aspara.init(
        project="p", name="whole", config={{"lr": 0.1}}, tags=["a"], notes="n", project_tags=["x"]
    ) as run:
        run.log({{"loss": float("nan")}}, step=-5)
        run.config.lr = 0.2
        run.summary["best"] = float("inf")
        run.set_tags(["b"])
        run.log_artifact({str(tmp_path / "model.pt")!r}, category="model", description="best")
    """

    code, errors = run_job(script, root, server.url)

    assert code == 0, errors
    columns = "status, exit_code, config, summary, tags, notes"
    assert run_of(server, "whole", columns) == (
        *("completed", 0, '{"lr": 0.2}', '{"best": "Infinity"}', '["b"]', "n"),
    )
    sql = "SELECT name, category, description, size_bytes FROM tracking_artifact"
    assert query(server, sql) == [("model.pt", "model", "best", 3_000_000)]


def test_resumed_run_goes_on_and_a_taken_name_is_refused(server: LiveServer, root: Path) -> None:
    script = """
    from aspara.exceptions import RunAlreadyExistsError

    for _ in range(2):
        run = aspara.init(project="p", name="resumed", resume=True)
        for _ in range(10):
            run.log({"loss": 1.0})
        run.finish()
    try:
        aspara.init(project="p", name="resumed")
    except RunAlreadyExistsError as error:
        say("refused")
    """
    job = Job(script, root, f"{server.url}/tracker")
    job.wait_for("refused")
    code, errors = job.end()

    assert code == 0, errors
    assert metrics_of(server, "resumed") == {"loss": (20, 20.0, 19)}


def test_worker_that_ends_after_the_run_does_not_open_it_again(
    server: LiveServer, root: Path
) -> None:
    script = """
    aspara.init(project="p", name="forked")
    if os.fork() == 0:
        aspara.log({"child": 1})
        os._exit(0)
    os.wait()
    aspara.log({"loss": 1})
    """

    code, errors = run_job(script, root, server.url)

    assert code == 0, errors
    assert metrics_of(server, "forked") == {"child": (1, 1.0, 0), "loss": (1, 1.0, 0)}
    assert run_of(server, "forked", "status") == ("completed",)
