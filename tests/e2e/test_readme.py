"""What the README tells newcomers to type, typed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import ROOT, LiveServer, live_server, server_env
from tests.e2e.training import get

pytestmark = pytest.mark.e2e
ADDRESS = "http://127.0.0.1:3141"  # the one that the README prints


def type_block(language: str, program: list[str], server: LiveServer, home: Path) -> str:
    """The README's only block in this language, with the server's address. Returns what it prints."""
    [block] = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert ADDRESS in block
    done = subprocess.run(
        [*program, "-c", block.replace(ADDRESS, server.url)],
        cwd=home,
        env=server_env(home) | {"RUNYARD_DIR": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_examples_log_what_they_say(tmp_path: Path) -> None:
    with live_server() as server:
        printed = type_block("python", [sys.executable], server, tmp_path)
        answers = type_block("sh", ["sh"], server, tmp_path)

        name = re.search(rf"{server.url}/projects/first/runs/(\S+)", printed)
        assert name, printed
        points = get(server, f"/api/projects/first/runs/metrics?runs={name[1]},by-hand")
        losses = {run: series["values"] for run, series in points["metrics"]["train/loss"].items()}
        assert losses == {name[1]: [1 / (step + 1) for step in range(100)], "by-hand": [0.5]}
        created, _, stored = answers.partition("}")
        assert json.loads(created + "}")["name"] == "by-hand"
        assert stored.replace(" ", "") == '{"status":"ok"}' * 2
        by_hand = get(server, "/api/projects/first/runs/by-hand")
        assert (by_hand["status"], by_hand["exit_code"]) == ("completed", 0)
