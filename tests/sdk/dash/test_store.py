import json
import math
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from runyard.dash import streams as streams_module
from runyard.dash.reading import read_experiment
from runyard.dash.records import About
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import ABOUT, read_data, read_lines

NOON = datetime(2026, 5, 1, 12, 0, 0, 250, tzinfo=timezone.utc)  # noqa: UP017 -- as the SDK does


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


# ── Beginning and end ────────────────────────────────────────────────────────


def test_experiment_is_described_as_the_original_does(store: DashStore) -> None:
    document = read(store.home / "experiment.json")

    assert [path.name for path in sorted(store.home.iterdir()) if path.is_dir()] == [
        *("files", "logs", "metrics")
    ]
    created_at = document["created_at"]
    assert document == {
        "name": "exp",
        "project": "proj",
        "description": "# Read",
        "tags": ["t"],
        "bindrs": [],
        "prefix": "alice/proj/a/exp",
        "metadata": None,
        "created_at": created_at,
        "write_protected": False,
        "status": "RUNNING",
        "status_at": created_at,
        "started_at": created_at,
    }


def test_status_is_kept_and_returns_to_running(store: DashStore) -> None:
    path = store.home / "experiment.json"
    created = read(path)

    store.finish("FAILED")
    ended = read(path)
    store.start(ABOUT._replace(readme=None, tags=["new"]))
    again = read(path)

    assert (ended["status"], ended["ended_at"]) == ("FAILED", ended["status_at"])
    assert (again["status"], again["description"], again["tags"]) == ("RUNNING", "# Read", ["new"])
    assert again["started_at"] == created["started_at"]
    assert "ended_at" not in again
    assert str(again["updated_at"]) > str(ended["ended_at"])


def test_status_is_void_once_the_original_has_come_back(store: DashStore) -> None:
    store.finish("COMPLETED")
    path = store.home / "experiment.json"
    before = read_experiment(store.home).status

    path.write_text(json.dumps(read(path) | {"updated_at": "2999-01-01T00:00:00Z"}))

    assert (before, read_experiment(store.home).status) == ("COMPLETED", None)


def test_what_a_newer_tool_wrote_into_the_experiment_stays(store: DashStore) -> None:
    path = store.home / "experiment.json"
    path.write_text(json.dumps(read(path) | {"color": "red"}))

    store.finish("COMPLETED")
    store.start(ABOUT)

    assert read(path)["color"] == "red"


def test_damaged_description_is_kept_and_begun_anew(
    store: DashStore, caplog: pytest.LogCaptureFixture
) -> None:
    path = store.home / "experiment.json"
    path.write_text('{"name": "ex')

    store.start(ABOUT)

    assert read(path)["name"] == "exp"
    assert path.with_name("experiment.json.damaged").read_text() == '{"name": "ex'
    assert "experiment.json is damaged" in caplog.text


def test_unserialisable_description_changes_nothing(store: DashStore) -> None:
    before = (store.home / "experiment.json").read_bytes()

    with pytest.raises(TypeError, match=r"metadata\['model'\] is a builtins.object"):
        store.start(ABOUT._replace(metadata={"model": object()}))

    assert (store.home / "experiment.json").read_bytes() == before


def test_experiment_among_the_files_of_another_is_refused(store: DashStore) -> None:
    with pytest.raises(ValueError, match="'metrics' belongs to the experiment alice/proj/a/exp"):
        DashStore(store.root).start(About("alice/proj/a/exp/metrics/x", "alice", "proj", "", "x"))

    assert list((store.home / "metrics").iterdir()) == []


def test_change_of_directory_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = DashStore(".dash")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    store.start(ABOUT)
    store.append_row("train", {"loss": 1.0}, {})
    store.finish("COMPLETED")

    assert store.home == tmp_path / ".dash" / "alice/proj/a/exp"
    assert read_data(store, "train") == [{"loss": 1.0}]


def test_finished_store_holds_no_descriptors(dash_root: Path) -> None:
    before = count_descriptors()
    store = DashStore(dash_root)
    store.start(ABOUT)
    store.append_row("train", {"loss": 1.0}, {})
    store.log("hello", "info", {}, NOON)
    store.flush()
    wait_until(lambda: count_descriptors() - before == 6)  # three each

    store.finish("COMPLETED")

    wait_until(lambda: count_descriptors() == before)  # the keeper may be syncing


# ── Params ───────────────────────────────────────────────────────────────────


def test_params_are_merged_and_versions_counted(store: DashStore) -> None:
    path = store.home / "parameters.json"

    store.set_params({"lr": np.float32(0.5), "model.depth": np.int64(3), "list": np.arange(3)})
    first = read(path)
    store.set_params({"lr": math.inf, "nan": math.nan})
    second = read(path)

    assert first["data"] == {"lr": 0.5, "model.depth": 3, "list": [0, 1, 2]}
    assert (first["version"], second["version"]) == (1, 2)
    assert second["createdAt"] == first["createdAt"]
    params = store.get_params()
    assert math.isnan(params.pop("nan"))
    assert params == {"lr": math.inf, "model.depth": 3, "list": [0, 1, 2]}


def test_unserialisable_param_is_named_and_the_file_stays(store: DashStore) -> None:
    store.set_params({"lr": 1})
    before = (store.home / "parameters.json").read_bytes()

    with pytest.raises(TypeError, match=r"params\['model'\] is a builtins.object"):
        store.set_params({"lr": 2, "model": object()})
    store.set_params({})

    assert (store.home / "parameters.json").read_bytes() == before
    assert store.get_params() == {"lr": 1}


def test_params_of_nobody_are_none(store: DashStore) -> None:
    store.set_params({})

    assert store.get_params() == {}
    assert not (store.home / "parameters.json").exists()


# ── Logs ─────────────────────────────────────────────────────────────────────


def test_log_lines_are_numbered_and_in_utc(store: DashStore) -> None:
    store.log("one", "info", {}, NOON)
    store.log("zwei ✓", "warn", {"n": np.int32(1)}, NOON.replace(tzinfo=None))
    store.log("three", "info", {}, NOON.astimezone(timezone(timedelta(hours=9))))

    at = "2026-05-01T12:00:00.000250Z"
    assert read_lines(store.home / "logs" / "logs.jsonl") == [
        {"sequenceNumber": 0, "timestamp": at, "level": "info", "message": "one"},
        {
            "sequenceNumber": 1,
            "timestamp": at,
            "level": "warn",
            "message": "zwei ✓",
            "metadata": {"n": 1},
        },
        {"sequenceNumber": 2, "timestamp": at, "level": "info", "message": "three"},
    ]
    assert (store.home / "logs" / ".log_sequence").read_text() == "3"


# ── Rows ─────────────────────────────────────────────────────────────────────


def test_rows_hold_what_was_logged(store: DashStore) -> None:
    fields = {"loss": np.float64(0.5), "word": "w\n", "list": [1, {"a": None}], "_ts": 1.5}

    store.append_row("train", fields, {})
    store.append_row("train", {"epoch": 1, "ok": True, "seed": 2**70}, {})

    assert read_data(store, "train") == [
        {"loss": 0.5, "word": "w\n", "list": [1, {"a": None}], "_ts": 1.5},
        {"epoch": 1, "ok": True, "seed": str(2**70)},
    ]


def test_nan_and_infinity_come_back(store: DashStore) -> None:
    store.append_row("train", {"a": math.nan, "b": -math.inf}, {})

    (row,) = store.read_rows("train", 0, 10)["data"]
    assert math.isnan(row["data"]["a"])
    assert row["data"]["b"] == -math.inf


def test_unserialisable_row_is_named_and_takes_no_number(store: DashStore) -> None:
    store.append_row("train", {"loss": 1.0}, {})
    with pytest.raises(TypeError, match=r"metrics\['net'\] is a builtins.object"):
        store.append_row("train", {"net": object()}, {})
    store.append_row("train", {"loss": 2.0}, {})

    assert read_data(store, "train") == [{"loss": 1.0}, {"loss": 2.0}]


def test_streams_nest_and_the_unnamed_one_is_none(store: DashStore) -> None:
    for stream in ("train", "train/loss", None, ""):
        store.append_row(stream, {"x": 1}, {})

    listed = [(row["name"], row["totalDataPoints"]) for row in store.list_metrics()]
    assert listed == [(None, "2"), ("train", "1"), ("train/loss", "1")]
    assert store.read_rows(None, 0, 10)["total"] == 2


def test_stream_that_would_escape_is_refused(store: DashStore, tmp_path: Path) -> None:
    for stream in ("../../x", "/x", "a/data.jsonl"):
        with pytest.raises(ValueError, match=r"[Mm]etrics"):
            store.append_row(stream, {"x": 1}, {})

    assert list((store.home / "metrics").iterdir()) == []


def test_what_is_said_of_a_stream_first_stays(store: DashStore) -> None:
    store.append_row("train", {"x": 1}, {"description": "first", "tags": ["t"]})
    store.append_row("train", {"x": 2}, {"description": "second"})
    words = read(store.home / "metrics" / "train" / "metadata.json")

    times = {"createdAt": words["createdAt"], "updatedAt": words["updatedAt"]}
    assert words == {
        "metricId": "local-metric-train",
        "name": "train",
        "description": "first",
        "tags": ["t"],
        "metadata": None,
        "totalDataPoints": 2,
        "nextIndex": 2,
        **times,
    }


def test_more_streams_than_are_held_open(store: DashStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "MAX_OPEN", 3)
    before = count_descriptors()

    for i in range(40):
        store.append_row(f"s{i % 8}", {"i": i}, {})
    store.flush()

    wait_until(lambda: count_descriptors() - before <= 9)
    assert read_data(store, "s3") == [{"i": i} for i in range(3, 40, 8)]
    assert {row["totalDataPoints"] for row in store.list_metrics()} == {"5"}


def test_deleted_experiment_does_not_come_back_by_itself(
    store: DashStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._keeper, "touch", lambda: None)  # it would write meanwhile
    store.append_row("train", {"x": 1}, {})
    shutil.rmtree(store.home / "metrics")

    store.flush()
    deleted = list(store.home.glob("metrics/*"))
    store.append_row("train", {"x": 2}, {})

    assert deleted == []
    assert read_data(store, "train") == [{"x": 2}]


def test_pages_are_read_one_after_another(store: DashStore) -> None:
    for i in range(5):
        store.append_row("train", {"i": i}, {})

    first, second = store.read_rows("train", 0, 3), store.read_rows("train", 3, 3)
    back = store.read_rows("train", 1, 1)

    assert [row["data"]["i"] for row in first["data"]] == [0, 1, 2]
    assert {key: first[key] for key in first if key != "data"} == {
        "startIndex": 0,
        "endIndex": 2,
        "total": 3,
        "hasMore": True,
    }
    assert [row["data"]["i"] for row in second["data"]] == [3, 4]
    assert (second["endIndex"], second["hasMore"]) == (4, False)
    assert [row["index"] for row in back["data"]] == [1]
    store.append_row("train", {"i": 5}, {})
    assert [row["data"]["i"] for row in store.read_rows("train", 5, 3)["data"]] == [5]


def test_page_ends_before_a_line_that_is_being_written(store: DashStore) -> None:
    data = store.home / "metrics" / "train" / "data.jsonl"
    store.append_row("train", {"i": 0}, {})
    with data.open("ab") as file:
        file.write(b'{"index":1,"data":{"i":')
    torn = store.read_rows("train", 0, 10)
    store.append_row("train", {"i": "a longer one"}, {})

    assert (torn["total"], torn["hasMore"]) == (1, False)
    assert [row["data"] for row in store.read_rows("train", 1, 10)["data"]] == [
        {"i": "a longer one"}
    ]


@pytest.mark.parametrize("start", [0, 7, -3])
def test_missing_stream_is_an_empty_page(store: DashStore, start: int) -> None:
    start_index = max(0, start)

    assert store.read_rows("none", start, 10) == {
        "data": [],
        "startIndex": start_index,
        "endIndex": start_index - 1,
        "total": 0,
        "hasMore": False,
    }


def test_stats_are_the_original_ones_and_the_documented_ones(store: DashStore) -> None:
    for i in range(3):
        store.append_row("train", {"i": i}, {"tags": ["t"]})

    stats = store.stats("train")

    first, *_, last = read_lines(store.home / "metrics" / "train" / "data.jsonl")
    times = {key: stats[key] for key in ("createdAt", "updatedAt")}
    assert stats == {
        "metricId": "local-metric-train",
        "name": "train",
        "description": None,
        "tags": ["t"],
        "metadata": None,
        "totalDataPoints": "3",
        "bufferedDataPoints": "3",
        "chunkedDataPoints": "0",
        "totalChunks": 0,
        "chunkSize": 10000,
        "firstDataAt": first["createdAt"],
        "lastDataAt": last["createdAt"],
        **times,
        "count": 3,
        "firstValue": {"i": 0},
        "lastValue": {"i": 2},
    }


def test_stats_of_a_missing_stream(store: DashStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.stats("none")
