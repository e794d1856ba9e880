import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from runyard.dash import streams as streams_module
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import count_descriptors, read, read_data, read_lines, wait_until


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


def test_stream_that_cannot_be_opened_is_told_and_never_raised(
    store: DashStore, caplog: pytest.LogCaptureFixture
) -> None:
    (store.home / "metrics" / "train").write_text("in the way")

    for i in range(3):
        store.append_row("train", {"x": i}, {})
    (store.home / "metrics" / "train").unlink()
    store.append_row("train", {"x": 3}, {})
    store.finish("COMPLETED")

    assert read_data(store, "train") == [{"x": 3}]
    told = [record.getMessage().split(f"{store.home} ")[-1] for record in caplog.records]
    assert told[1:] == [
        "can be written to again. Lost so far: rows: 3.",
        "could be written. Lost for good: rows: 3.",
    ]
    assert "What is logged now is LOST" in told[0]


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
