"""SDK tests know nothing of the machine they run on, and leave no run behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aspara
import pytest
from runyard import lifecycle
from runyard import sender as sender_module
from runyard.records import encode_event, encode_points
from runyard.sender import Sender
from runyard.spool import Meta, Spool

from tests.sdk.door import Door, open_door
from tests.sdk.scripted import ScriptedTransport

VARIABLES = ("URL", "TOKEN", "RUN", "RANKS", "INIT_TIMEOUT", "EXIT_DEADLINE", "KEEP_SENT")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(f"RUNYARD_{name}", raising=False)
    for name in (
        "AI_MANAGER_TOKEN",
        "RANK",
        "LOCAL_RANK",
        "ASPARA_DATA_DIR",
        "ASPARA_STORAGE_BACKEND",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RUNYARD_DIR", str(tmp_path / "sdk"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("RUNYARD_ENVIRONMENT", "0")
    yield
    for run in list(lifecycle._state.open_runs):
        run.end("completed")
        run.drain(0)
    aspara._current = None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The SDK's directory."""
    return tmp_path / "sdk"


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as door:
        yield door


@pytest.fixture
def make_spool(root: Path) -> Iterator[Callable[..., Spool]]:
    """A spool whose first record is its start."""
    made: list[Spool] = []

    def make(**meta: Any) -> Spool:
        start = {"source": "aspara", "config": {"lr": 0.1}}
        whose = Meta("p", "r", str(uuid4()), str(uuid4()), "http://127.0.0.1:1", start)
        spool = Spool.create(root / "spool", whose._replace(**meta))
        spool.append(encode_event("start", start))
        made.append(spool)
        return spool

    yield make
    for spool in made:
        spool.release()


@pytest.fixture
def spool(make_spool: Callable[..., Spool]) -> Spool:
    return make_spool()


@pytest.fixture
def transport() -> ScriptedTransport:
    return ScriptedTransport()


@pytest.fixture
def sender(spool: Spool, transport: ScriptedTransport, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """Its start has been taken; the jitter is the longest there is."""
    monkeypatch.setattr(sender_module, "full_jitter", lambda limit_s: limit_s)
    sender = Sender(spool, transport)
    sender.step()
    transport.batches.clear()
    return sender


def add_rows(spool: Spool, count: int, first_step: int = 0) -> None:
    """Rows of one metric whose value is its step."""
    for step in range(first_step, first_step + count):
        spool.append(encode_points(("loss",), [float(step)], step, 1_700_000_000_000_000 + step))
