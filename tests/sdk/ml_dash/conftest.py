"""Experiments here, on a live server, and in both places, in a directory and home of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_dash import Experiment
from runyard import config

from tests.e2e.live import LiveServer, live_server

MODES = [
    "local",
    pytest.param("remote", marks=pytest.mark.e2e),
    pytest.param("hybrid", marks=pytest.mark.e2e),
]
DEAD_URL = "http://127.0.0.1:1"


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test works; nothing is known of the machine's user."""
    for name in ("ML_DASH_PREFIX", "ML_DASH_USER", "ML_DASH_API_URL"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def places(mode: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What makes an Experiment of this mode."""
    if mode == "local":
        return {}
    server: LiveServer = request.getfixturevalue("server")
    return {"dash_url": server.url} | ({"dash_root": None} if mode == "remote" else {})


@pytest.fixture
def make(places: dict[str, Any], request: pytest.FixtureRequest) -> Callable[..., Experiment]:
    """Experiments of this mode, each known by the name of its test unless it is given a prefix."""

    def make(prefix: str | None = None, **options: Any) -> Experiment:
        name = request.node.name.replace("/", "_")
        return Experiment(prefix or f"alice/tests/{name}", **{**places, **options})

    return make


@pytest.fixture
def experiment(make: Callable[..., Experiment]) -> Iterator[Experiment]:
    """An open one."""
    with make().run as experiment:
        yield experiment


@pytest.fixture
def local() -> Iterator[Experiment]:
    """An open one on this machine."""
    with Experiment("alice/tests/exp").run as experiment:
        yield experiment


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits long for a server that does not answer."""
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "0.2")
    monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "0.2")
    monkeypatch.setattr("ml_dash._remote.READ_PATIENCE_S", 0.2)
    assert config.exit_deadline_s() == 0.2
