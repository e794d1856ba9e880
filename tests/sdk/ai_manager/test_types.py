from datetime import UTC, datetime

import numpy as np
import pytest
from ai_manager import (
    ArtifactInfo,
    ArtifactType,
    ConfigDict,
    MetricDict,
    MetricInterface,
    MetricValue,
    RunInfo,
    RunStatus,
)


def test_words_are_the_published_ones() -> None:
    assert [status.value for status in RunStatus] == ["running", "completed", "failed", "stopped"]
    assert [kind.value for kind in ArtifactType] == ["model", "data", "config", "other"]
    assert RunStatus("stopped") == "stopped"


def test_types_have_the_published_fields_and_defaults() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)

    assert MetricValue(0.5).dict() == {"value": 0.5, "step": None, "timestamp": None}
    assert MetricValue(value=1, step=2, timestamp=noon).timestamp == noon
    assert MetricDict(metrics={"loss": 0.5}).dict() == {"metrics": {"loss": 0.5}, "step": None}
    assert ConfigDict(config={"a": np.int64(1)}).dict() == {"config": {"a": 1}}
    assert ArtifactInfo(file_path="m.pth").dict() == {
        "file_path": "m.pth",
        "name": None,
        "artifact_type": ArtifactType.OTHER,
        "metadata": {},
    }
    assert RunInfo(name="r", tags=["a", "a"]).dict() == {
        "name": "r",
        "config": {},
        "tags": ["a"],
        "status": RunStatus.RUNNING,
    }


def test_types_are_compared_and_shown_by_their_fields() -> None:
    assert MetricDict({"a": 1}, step=2) == MetricDict({"a": 1}, step=2)
    assert MetricDict({"a": 1}) != MetricDict({"a": 2})
    assert MetricValue(1) != ConfigDict({})
    assert repr(MetricDict({"a": 1}, step=2)) == "MetricDict(metrics={'a': 1}, step=2)"


def test_types_do_not_share_the_callers_dict() -> None:
    given = {"net": {"depth": 2}}
    config = ConfigDict(given)
    given["net"]["depth"] = 3

    assert config.config == {"net": {"depth": 2}}


def test_misuse_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="metrics must be a dict, not list"):
        MetricDict([1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="which JSON cannot hold"):
        ConfigDict({"model": object()})
    with pytest.raises(ValueError, match="'done' is not a valid RunStatus"):
        RunInfo("r", status="done")


def test_interface_is_there_to_be_implemented() -> None:
    with pytest.raises(NotImplementedError):
        MetricInterface().log({"loss": 1})
