from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aspara import Config, Summary


@pytest.fixture
def records() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def config(records: list[dict[str, Any]]) -> Config:
    return Config({"lr": 0.01, "net": {"depth": 2}}, records.append)


def test_config_is_read_like_a_dict_and_like_an_object(config: Config) -> None:
    assert config.lr == config["lr"] == config.get("lr") == 0.01
    assert config.get("missing") is None
    assert config.get("missing", 7) == 7
    assert "lr" in config
    assert "missing" not in config
    assert len(config) == 2
    assert list(config) == list(config.keys()) == ["lr", "net"]
    assert list(config.values()) == [0.01, {"depth": 2}]
    assert dict(config.items()) == config.to_dict() == {"lr": 0.01, "net": {"depth": 2}}
    assert repr(config) == "Config({'lr': 0.01, 'net': {'depth': 2}})"


def test_missing_names_raise_what_dicts_and_objects_raise(config: Config) -> None:
    with pytest.raises(AttributeError, match="Config has no attribute 'missing'"):
        _ = config.missing
    with pytest.raises(KeyError, match="missing"):
        _ = config["missing"]


def test_each_change_is_one_record_of_what_changed(
    config: Config, records: list[dict[str, Any]]
) -> None:
    config.batch_size = 32
    config["lr"] = np.float32(0.5)
    config.update({"epochs": 10, "path": Path("/data")}, seed=1)
    config.update({})

    assert records == [
        {"batch_size": 32},
        {"lr": 0.5},
        {"epochs": 10, "path": "/data", "seed": 1},
    ]
    assert config.to_dict() == {
        "lr": 0.5,
        "net": {"depth": 2},
        "batch_size": 32,
        "epochs": 10,
        "path": "/data",
        "seed": 1,
    }


@pytest.mark.parametrize("make", [Config, Summary])
def test_value_that_json_cannot_hold_changes_nothing(
    make: Callable[..., Summary], records: list[dict[str, Any]]
) -> None:
    mapping = make({"a": 1}, records.append)

    with pytest.raises(TypeError, match=r"\['bad'\] is a builtins.object"):
        mapping.update({"good": 1, "bad": object()})

    assert mapping.to_dict() == {"a": 1}
    assert records == []


def test_change_that_cannot_be_recorded_does_not_happen() -> None:
    def refuse(changes: dict[str, Any]) -> None:
        raise RuntimeError("Cannot log to a finished run.")

    config = Config({"a": 1}, refuse)

    with pytest.raises(RuntimeError, match="finished run"):
        config.a = 2
    assert config.a == 1


def test_config_does_not_share_the_callers_dict() -> None:
    given = {"net": {"depth": 2}}
    config = Config(given)
    given["net"]["depth"] = 3
    config.to_dict()["net"]["depth"] = 4

    assert config.net == {"depth": 2}


def test_underscored_names_are_plain_attributes(
    config: Config, records: list[dict[str, Any]]
) -> None:
    config._note = "mine"

    assert config._note == "mine"
    assert records == []
    assert "_note" not in config


def test_summary_has_items_update_and_to_dict(records: list[dict[str, Any]]) -> None:
    summary = Summary(None, records.append)
    summary["best"] = 0.98
    summary.update({"final": np.int64(3)})

    assert summary["best"] == 0.98
    assert "final" in summary
    assert summary.to_dict() == {"best": 0.98, "final": 3}
    assert records == [{"best": 0.98}, {"final": 3}]
