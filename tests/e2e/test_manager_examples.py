"""The Python example of the AI Manager documentation as printed, and what may befall its training."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.live import LiveServer, live_server
from tests.e2e.manager_jobs import (
    JOB_S,
    job_settings,
    register,
    run_job,
    started_job,
    wait_for,
)

pytestmark = pytest.mark.e2e
EXAMPLE = """
from ai_manager import AIManager

# Initialize client
manager = AIManager(
    project_name="my_project",
    api_url="http://localhost:8000",
    username="user",
    password="pass"
)

# Start training run
with manager.run(name="training_run") as run:
    for epoch in range(100):
        # Log metrics
        run.log({
            "loss": 0.5,
            "accuracy": 0.85
        }, step=epoch)
"""
STEPS = list(range(100))

StartServer = Callable[..., LiveServer]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """A fresh server with some settings, on a port of its own."""
    with ExitStack() as stack:
        (tmp_path / "data").mkdir()
        yield lambda **settings: stack.enter_context(
            live_server(data_dir=tmp_path / "data", **settings)
        )


def log_in(server: LiveServer, username: str = "user", password: str = "pass") -> dict[str, str]:
    """The headers of whoever has logged in."""
    form = {"username": username, "password": password}
    answer = requests.post(f"{server.url}/auth/login", data=form, timeout=30)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def read_rows(server: LiveServer, query: str) -> list[Any]:
    path = f"file:{server.data_dir / 'runyard.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        return database.execute(query).fetchall()


METRICS = "SELECT name, count, sum, last_step FROM tracking_metric ORDER BY name"
RUNS = """
    SELECT p.name, r.name, r.status, r.source, u.username FROM tracking_run r
    JOIN tracking_project p ON p.id = r.project_id JOIN tracking_user u ON u.id = r.created_by_id
    ORDER BY r.id
"""


def test_python_example_runs_as_printed(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    register(server)

    status, _, errors = run_job(EXAMPLE, server, tmp_path)

    assert (status, errors) == (0, "")

    headers = log_in(server)
    (project,) = requests.get(f"{server.url}/projects/", headers=headers, timeout=30).json()
    (run,) = requests.get(f"{server.url}/runs/?project_id=1", headers=headers, timeout=30).json()
    history = requests.get(
        f"{server.url}/metrics/1/history/accuracy", headers=headers, timeout=30
    ).json()
    assert (project["id"], project["name"]) == (1, "my_project")
    assert (run["id"], run["name"], run["status"]) == (1, "training_run", "completed")
    assert (history["steps"], history["values"]) == (STEPS, [0.85] * 100)
    assert read_rows(server, METRICS) == [
        ("accuracy", 100, pytest.approx(85.0), 99),
        ("loss", 100, 50.0, 99),
    ]


def test_example_twice_gives_a_project_with_two_runs(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    register(server)

    run_job(EXAMPLE, server, tmp_path)
    run_job(EXAMPLE, server, tmp_path)

    run = ("my_project", "training_run", "completed", "ai_manager", "user")
    assert read_rows(server, RUNS) == [run, run]
    assert read_rows(server, "SELECT key FROM tracking_run ORDER BY id") == [
        *(("training_run",), ("training_run-2",)),
    ]


def test_somebody_elses_public_project_of_that_name_is_left_alone(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    register(server)
    register(server, "other")
    answer = requests.post(
        f"{server.url}/projects/",
        json={"name": "my_project", "is_public": True},
        headers=log_in(server, "other"),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text

    run_job(EXAMPLE, server, tmp_path)

    assert read_rows(
        server,
        """SELECT p.key, p.name, u.username, count(r.id) FROM tracking_project p
           JOIN tracking_user u ON u.id = p.owner_id
           LEFT JOIN tracking_run r ON r.project_id = p.id GROUP BY p.id ORDER BY p.id""",
    ) == [("my_project", "my_project", "other", 0), ("my_project-2", "my_project", "user", 1)]


def test_wrong_password_ends_the_job_before_the_training(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    register(server)

    status, _, errors = run_job(EXAMPLE.replace('"pass"', '"wrong"'), server, tmp_path)

    assert status == 1
    assert errors.splitlines()[-1] == (
        f"runyard.errors.LoginRefused: {server.url} refuses 'user': "
        "401 Incorrect username or password"
    )
    assert read_rows(server, "SELECT * FROM tracking_run") == []


OUTAGE = """
import sys
from ai_manager import AIManager

manager = AIManager("my_project", "http://localhost:8000", "user", "pass")
with manager.run(name="through an outage", config={"lr": 0.1}) as run:
    for step in range(3_000):
        run.log({"loss": step}, step=step)
        if step in (1_000, 2_000):
            print(step, flush=True)
            sys.stdin.readline()
"""


def test_training_goes_on_through_an_outage(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    register(server)
    with started_job(OUTAGE, server, tmp_path) as job:
        assert job.stdin
        wait_for(job, "1000")
        server.kill()  # the next thousand points are logged to nobody
        job.stdin.write("\n")
        job.stdin.flush()
        wait_for(job, "2000")
        server.start()
        _, errors = job.communicate("\n", timeout=JOB_S)

    assert job.returncode == 0, errors
    assert read_rows(server, METRICS) == [("loss", 3_000, 3_000 * 2_999 / 2, 2_999)]
    assert read_rows(server, RUNS) == [
        ("my_project", "through an outage", "completed", "ai_manager", "user")
    ]


EXPIRY = """
import time
from ai_manager import AIManager

manager = AIManager("my_project", "http://localhost:8000", "user", "Long-enough-2-guess")
with manager.run(name="training_run") as run:
    until = time.monotonic() + 6
    step = 0
    while time.monotonic() < until:
        run.log({"loss": step}, step=step)
        step += 1
        time.sleep(0.01)
print(step)
"""


def test_login_is_renewed_while_the_training_runs(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Each token lasts two seconds, the training six; nobody gets in without one."""
    server = start_server(
        RUNYARD_ACCESS="login", RUNYARD_REGISTRATION="open", RUNYARD_JWT_LIFETIME="2"
    )
    register(server, password="Long-enough-2-guess")

    status, printed, errors = run_job(EXPIRY, server, tmp_path)

    assert (status, errors) == (0, "")
    count = int(printed.split()[-1])
    assert read_rows(server, METRICS) == [
        ("loss", count, count * (count - 1) / 2, count - 1),
    ]
    assert read_rows(server, RUNS) == [
        ("my_project", "training_run", "completed", "ai_manager", "user")
    ]


LIMITED = """
from ai_manager import AIManager

manager = AIManager("my_project", "http://localhost:8000", "user", "pass")
with manager.run(name="training_run") as run:
    for step in range(20_000):
        run.log({"loss": step}, step=step)
"""


def test_rate_limits_of_the_rest_calls_lose_no_point(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(RUNYARD_REQUESTS_PER_MINUTE="3", RUNYARD_POINTS_PER_SECOND="1")
    register(server)

    run_job(LIMITED, server, tmp_path)

    assert read_rows(server, METRICS) == [("loss", 20_000, 20_000 * 19_999 / 2, 19_999)]


@pytest.mark.full
def test_login_that_is_put_off_is_made_up_for(start_server: StartServer, tmp_path: Path) -> None:
    """The server says 429 to the login itself: the job begins, and logs in later."""
    server = start_server(RUNYARD_REQUESTS_PER_MINUTE="1")
    register(server)

    began = time.monotonic()
    status, _, errors = run_job(EXAMPLE, server, tmp_path)

    assert status == 0
    assert "does not let us in now (429" in errors
    assert time.monotonic() - began < 60, "a deadline ends the job, not the server's patience"
    run_sync(server, tmp_path)
    assert read_rows(server, METRICS)[1] == ("loss", 100, 50.0, 99)


def run_sync(server: LiveServer, folder: Path) -> None:
    """With a token that the password gets, once the server lets one log in again."""
    end = time.monotonic() + JOB_S
    while True:
        form = {"username": "user", "password": "pass"}
        answer = requests.post(f"{server.url}/auth/login", data=form, timeout=30)
        if answer.status_code == 200:
            break
        assert time.monotonic() < end, answer.text
        time.sleep(float(answer.headers["Retry-After"]))
    token = {"RUNYARD_TOKEN": answer.json()["access_token"], "RUNYARD_URL": server.url}
    subprocess.run(
        [sys.executable, "-m", "runyard", "sync"],
        env={**job_settings(folder), **token},
        check=True,
        timeout=JOB_S,
    )
