"""A store whose experiment has begun, and eyes for what lies on the disk."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runyard.dash.records import About
from runyard.dash.store import DashStore

ABOUT = About("alice/proj/a/exp", "alice", "proj", "a", "exp", readme="# Read", tags=["t"])


@pytest.fixture
def dash_root(tmp_path: Path) -> Path:
    return tmp_path / ".dash"


@pytest.fixture
def store(dash_root: Path) -> Iterator[DashStore]:
    store = DashStore(dash_root)
    store.start(ABOUT)
    yield store
    store.finish("COMPLETED")


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_data(store: DashStore, stream: str) -> list[Any]:
    """The fields of all rows, whose numbers have no gap."""
    rows = read_lines(store.home / "metrics" / stream / "data.jsonl")
    assert [row["index"] for row in rows] == list(range(len(rows)))
    return [row["data"] for row in rows]


def read(path: Path) -> dict[str, object]:
    document = json.loads(path.read_text())
    assert isinstance(document, dict)
    return document


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
