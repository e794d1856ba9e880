"""Runs without a server, with both backends."""

from pathlib import Path

import pytest

BACKENDS = ["jsonl", "polars"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "polars":
        pytest.importorskip("polars")
    return str(request.param)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory, which the variable names."""
    monkeypatch.setenv("ASPARA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"
