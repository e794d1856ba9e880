"""Rows of runs without a server."""

import math
import threading
from pathlib import Path
from typing import Any

import aspara
import pytest
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.reading import read_run

from tests.sdk.aspara.runs import start
from tests.sdk.aspara_store.files import DAY_US, NOON_US, points_of


def test_row_is_in_the_file_when_log_returns(data: Path, backend: str) -> None:
    run = start(backend)

    for step in range(3):
        run.log({"loss": 1.5})
        assert points_of(data, "p", "r") == [(i, "loss", 1.5) for i in range(step + 1)]
    assert run.flush() == 0


def test_every_kind_of_number_is_a_float(data: Path, backend: str) -> None:
    import numpy as np

    run = start(backend)

    run.log({"a": 1, "b": True, "c": np.float32(0.5), "d": np.int64(2)})
    run.log({"a": 0.5})

    assert points_of(data, "p", "r") == [
        *((0, "a", 1.0), (0, "b", 1.0), (0, "c", 0.5), (0, "d", 2.0)),
        (1, "a", 0.5),
    ]


def test_nan_and_infinity_are_data(data: Path, backend: str) -> None:
    run = start(backend)
    run.log({"loss": math.nan, "up": math.inf, "down": -math.inf})
    aspara.finish()

    assert str(points_of(data, "p", "r")) == str(
        [(0, "loss", math.nan), (0, "up", math.inf), (0, "down", -math.inf)]
    )


def test_metrics_may_be_called_step_and_timestamp(data: Path, backend: str) -> None:
    run = start(backend)
    run.log({"step": 0.5, "timestamp": 7}, step=3)
    aspara.finish()

    assert points_of(data, "p", "r") == [(3, "step", 0.5), (3, "timestamp", 7.0)]


def test_metric_that_comes_after_many_rows_is_there(data: Path, backend: str) -> None:
    run = start(backend)
    for _ in range(150):
        run.log({"loss": 1})
    run.log({"val/loss": 0.5})
    aspara.finish()

    assert points_of(data, "p", "r")[-1] == (150, "val/loss", 0.5)


def test_steps_count_up_jump_and_stay(data: Path, backend: str) -> None:
    run = start(backend)
    run.log({"a": 1})
    run.log({"a": 2}, step=-5)
    run.log({"a": 3}, commit=False)
    run.log({"a": 4})
    run.log({})
    run.log({"a": 5})

    assert [step for step, _, _ in points_of(data, "p", "r")] == [0, -5, -4, -4, -2]


def test_timestamps_are_kept(data: Path, backend: str) -> None:
    run = start(backend)
    for timestamp in ("2023-11-15T12:00:00", "2023-11-15T21:00:00+09:00", NOON_US // 1000):
        run.log({"a": 1}, timestamp=timestamp)
    aspara.finish()

    assert [record.row.time_us for record in read_run(data, "p", "r").records()] == [NOON_US] * 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"loss": "0.5"}, "Unsupported value type for 'loss'"),
        ({"good": 1, "bad": None}, "Unsupported value type for 'bad'"),
        ({"": 1}, "Metric name cannot be empty"),
        ({"a\nb": 1}, "has control characters"),
        ({7: 1}, "must be text"),
        ({f"m{i}": 1 for i in range(10_001)}, "10001 metrics in one row"),
    ],
)
def test_row_with_an_error_leaves_nothing_behind(
    data: Path, backend: str, row: dict[Any, Any], words: str
) -> None:
    run = start(backend)

    with pytest.raises(ValueError, match=words):
        run.log(row)
    run.log({"a": 1})

    assert points_of(data, "p", "r") == [(0, "a", 1.0)]


def test_steps_end_at_64_bits(data: Path) -> None:
    run = start("jsonl")
    run.log({"a": 1}, step=2**63 - 1)

    with pytest.raises(ValueError, match="step must fit into 64 bits"):
        run.log({"a": 2})

    assert points_of(data, "p", "r") == [(2**63 - 1, "a", 1.0)]


def test_no_row_is_lost_over_midnight(
    data: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    from runyard.aspara_store import backends

    monkeypatch.setattr(backends, "WAL_BYTES", 500)
    run = start(backend)
    for step in range(80):
        run.log({"loss": step}, timestamp=(NOON_US + step * DAY_US // 30) / 1000)
    aspara.finish()

    assert points_of(data, "p", "r") == [(step, "loss", float(step)) for step in range(80)]


def test_rows_move_into_the_archive_at_a_megabyte_and_at_the_end(data: Path) -> None:
    pytest.importorskip("polars")
    run = start("polars")
    paths = RunPaths(data, "p", "r")
    row = {f"metric-{i:02}": 0.123456789 for i in range(50)}
    for _ in range(800):
        run.log(row)
    before = (paths.has_archive(), 0 < paths.wal.stat().st_size < 1024**2)
    run.log({"last": 1})
    aspara.finish()

    assert before == (True, True)
    assert paths.wal.stat().st_size == 0
    assert paths.rows.read_bytes() == b"", "only says that the run is there"
    assert len(points_of(data, "p", "r")) == 800 * 50 + 1


def test_rows_that_must_stay_are_not_looked_at_for_each_row(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("polars")
    from runyard.aspara_store import backends

    monkeypatch.setattr(backends, "WAL_BYTES", 500)
    attempts = []
    really = backends.archive
    monkeypatch.setattr(backends, "archive", lambda *what: attempts.append(1) or really(*what))
    run = start("polars")
    for step in range(200):
        run.log({"loss": step}, timestamp=(NOON_US - step * DAY_US) / 1000)
    aspara.finish()

    assert points_of(data, "p", "r") == [(step, "loss", float(step)) for step in range(200)]
    assert len(attempts) < 10


def test_rows_reach_the_disk_within_a_second_or_so(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runyard.aspara_store import appending

    synced = threading.Event()
    run = start("jsonl")
    monkeypatch.setattr(appending.os, "fsync", lambda fd: synced.set())  # not of the documents
    run.log({"loss": 1})

    assert synced.wait(10)
