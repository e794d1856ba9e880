"""Runs that were silent for long and log again: an import called them ended, and takes it back."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from runyard.cli import main

from tests.chaos.points import query
from tests.e2e.live import LiveServer, live_server
from tests.sdk.importing.conftest import make_experiment, row, write_lines

pytestmark = pytest.mark.e2e
STATUS = "SELECT status FROM tracking_run WHERE name = ?"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def time_s(step: int) -> int:
    """Minutes ago, one after the other."""
    return int(time.time()) - 600 + 120 * step


def log_aspara(root: Path, step: int) -> None:
    folder = root / "revived"
    folder.mkdir(parents=True, exist_ok=True)
    line = {"timestamp": time_s(step) * 1000, "step": step, "metrics": {"loss": 1.0}}
    with (folder / f"{root.name}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def log_dash(root: Path, step: int) -> None:
    home = root / "alice/revived" / root.name
    if not home.exists():
        make_experiment(root, f"alice/revived/{root.name}")
    line = row(step, loss=1.0) | {
        "createdAt": datetime.fromtimestamp(time_s(step), UTC).isoformat()
    }
    write_lines(home / "metrics" / "train" / "data.jsonl", [line])


@pytest.mark.parametrize("log", [log_aspara, log_dash])
def test_run_that_logs_again_is_running_again(
    server: LiveServer, tmp_path: Path, log: Callable[[Path, int], None]
) -> None:
    root = tmp_path / ("dash" if log is log_dash else "aspara")

    def bring(idle_minutes: float) -> str:
        assert main(["import", str(root), "--url", server.url, "--idle", str(idle_minutes)]) == 0
        [(status,)] = query(server.data_dir, STATUS, root.name)
        return str(status)

    found = []
    for step in range(3):
        log(root, step)
        found.append((bring(60), bring(0), bring(0)))

    ended = found[0][1]
    assert ended in {"completed", "failed"}
    assert found == [("running", ended, ended)] * 3


@pytest.mark.parametrize("log", [log_aspara, log_dash])
def test_what_is_imported_was_alive_when_it_logged(
    server: LiveServer, tmp_path: Path, log: Callable[[Path, int], None]
) -> None:
    root = tmp_path / ("dash-seen" if log is log_dash else "aspara-seen")
    seen = []
    for step in range(2):
        log(root, step)
        assert main(["import", str(root), "--url", server.url]) == 0
        [(status, at)] = query(
            server.data_dir,
            "SELECT status, last_seen_at FROM tracking_run WHERE name = ?",
            root.name,
        )
        ago = datetime.now(UTC) - datetime.fromisoformat(at).replace(tzinfo=UTC)
        seen.append((status, round(ago.total_seconds() / 60)))

    assert seen == [("running", 10), ("running", 8)]
