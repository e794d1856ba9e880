import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from runyard.dash.reading import read_experiment
from runyard.dash.records import About
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import (
    ABOUT,
    count_descriptors,
    read,
    read_data,
    read_lines,
    wait_until,
)

NOON = datetime(2026, 5, 1, 12, 0, 0, 250, tzinfo=UTC)


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
    wait_until(lambda: count_descriptors() - before == 7)  # three each, and its life

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
