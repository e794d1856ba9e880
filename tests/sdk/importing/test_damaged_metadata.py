"""Runs of Aspara whose metadata somebody has damaged: still one run each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.chaos.points import query
from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
ABOUT = {"run_id": "abc123", "tags": ["kept"], "notes": "kept", "status": "completed"}
END = {"is_finished": True, "exit_code": 0, "finish_time": 1_700_000_500_000}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


def make_run(root: Path, name: str) -> Path:
    folder = root / "damaged"
    folder.mkdir(parents=True)
    row = {"timestamp": 1_700_000_000_000, "step": 0, "metrics": {"loss": 1.0}}
    (folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    (folder / f"{name}.meta.json").write_text(json.dumps({**ABOUT, **END}))
    return folder / f"{name}.meta.json"


def bring(root: Path, server: LiveServer, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code = main(["import", str(root), "--url", server.url, "--json"])
    return {"code": code, **json.loads(capsys.readouterr().out)}


def stored(server: LiveServer, name: str) -> list[Any]:
    sql = """SELECT key, status, tags, notes, (SELECT sum(count) FROM tracking_metric m
             WHERE m.run_id = r.id) FROM tracking_run r WHERE key LIKE ?"""
    return query(server.data_dir, sql, f"{name}%")


@pytest.mark.parametrize(
    ("name", "left"), [("torn", '{"run_id": "abc123", "tags": ["k'), ("lost", ""), ("odd", "[]")]
)
def test_it_stays_one_run_and_its_problem_is_told(
    server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, left: str
) -> None:
    meta = make_run(tmp_path, name)
    whole = meta.read_text()
    first = bring(tmp_path, server, capsys)
    before = stored(server, name)

    meta.write_text(left)
    damaged = bring(tmp_path, server, capsys)
    meta.write_text(whole)
    mended = bring(tmp_path, server, capsys)

    assert (first["code"], damaged["code"], mended["code"]) == (0, 1, 0)
    assert before == [(name, "completed", '["kept"]', "kept", 1)]
    assert stored(server, name) == before
    reasons = " ".join(one["reason"] for one in damaged["left_out"])
    assert ("meta.json: it cannot be read" in reasons) or ("damaged metadata" in reasons)


def test_run_that_comes_damaged_is_shown_as_far_as_it_can_be_read(
    server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path, "new").write_text("")

    codes = [bring(tmp_path, server, capsys)["code"] for _ in range(2)]

    assert codes == [1, 1]
    assert stored(server, "new") == [("new", "failed", "[]", "", 1)]
