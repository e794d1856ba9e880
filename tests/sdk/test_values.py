import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runyard.values import as_float, as_json, as_json_map, as_notes, as_step, as_tags, as_time_us


class FakeTensor:
    """What torch looks like from outside."""

    def __init__(self, *items: float) -> None:
        self.items = items

    def item(self) -> float:
        if len(self.items) != 1:
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.items[0]

    def tolist(self) -> Any:
        return list(self.items)


class Colour(Enum):
    RED = "red"


class Five(IntEnum):
    FIVE = 5


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (True, 1.0),
        (False, 0.0),
        (2**70, float(2**70)),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(-7), -7.0),
        (np.bool_(1), 1.0),
        (np.array(3.5), 3.5),
        (FakeTensor(0.25), 0.25),
        (Decimal("1.5"), 1.5),
        (Fraction(1, 4), 0.25),
        (float("inf"), math.inf),
    ],
)
def test_numbers_of_all_kinds_become_floats(value: object, expected: float) -> None:
    number = as_float("loss", value)

    assert (type(number), number) == (float, expected)


def test_nan_is_data() -> None:
    assert math.isnan(as_float("loss", float("nan")))
    assert math.isnan(as_float("loss", np.float32("nan")))


@pytest.mark.parametrize(
    "value",
    [
        "0.5",
        b"1",
        None,
        {},
        [1.0],
        (1,),
        1j,
        np.array([1.0, 2.0]),
        FakeTensor(1, 2),
        np.str_("1"),
        object(),
    ],
)
def test_what_is_no_number_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(ValueError, match="Unsupported value type for 'train/loss'"):
        as_float("train/loss", value)


def test_integer_beyond_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="'loss' is too large for a float"):
        as_float("loss", 10**400)


@pytest.mark.parametrize("step", [5, 5.0, np.int64(5), np.int32(5), np.float64(5.0), Five.FIVE])
def test_whole_steps_become_ints(step: object) -> None:
    assert (type(as_step(step)), as_step(step)) == (int, 5)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (2.5, ValueError),
        (math.nan, ValueError),
        ("7", TypeError),
        (True, TypeError),
        (None, TypeError),
        (2**63, ValueError),
    ],
)
def test_other_steps_are_refused(step: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="step must"):
        as_step(step)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
        ("2026-01-01T00:00:00.000001", 1_767_225_600_000_001),
        ("2026-01-01T09:00:00+09:00", 1_767_225_600_000_000),
        (1_767_225_600_000, 1_767_225_600_000_000),
        (1_767_225_600_000.5, 1_767_225_600_000_500),
        (np.int64(5), 5_000),
        (datetime(2026, 1, 1), 1_767_225_600_000_000),  # noqa: DTZ001 -- naive counts as UTC
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1_767_225_600_000_000),
    ],
)
def test_timestamps_become_microseconds(timestamp: object, expected: int) -> None:
    assert as_time_us(timestamp) == expected


@pytest.mark.parametrize("timestamp", ["yesterday", "", True, math.nan, math.inf, 1e300, [], None])
def test_other_timestamps_are_refused(timestamp: object) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        as_time_us(timestamp)


def test_json_takes_what_jobs_have_in_their_configs() -> None:
    config = {
        "path": Path("/data/set"),
        "when": datetime(2026, 1, 1, tzinfo=timezone.utc),  # noqa: UP017 -- as the SDK spells it
        "day": date(2026, 1, 2),
        "array": np.array([[1, 2], [3, 4]]),
        "scalar": np.float32(0.5),
        "flag": np.bool_(1),
        "tensor": FakeTensor(1.0, 2.0),
        "tuple": (1, "a", None),
        "enum": Colour.RED,
        "level": Level.HIGH,
        "seed": 2**127,
        3: {"nested": True},
        "file": "caf\udce9",
    }

    converted = as_json_map(config, "config")

    assert converted == {
        "path": "/data/set",
        "when": "2026-01-01T00:00:00+00:00",
        "day": "2026-01-02",
        "array": [[1, 2], [3, 4]],
        "scalar": 0.5,
        "flag": True,
        "tensor": [1.0, 2.0],
        "tuple": [1, "a", None],
        "enum": "red",
        "level": 3,
        "seed": str(2**127),
        "3": {"nested": True},
        "file": "caf\\udce9",
    }
    assert type(converted["level"]) is int


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ({1, 2}, TypeError, r"config\['x'\] is a builtins.set"),
        (lambda: None, TypeError, r"config\['x'\] is a builtins.function"),
        (b"raw", TypeError, r"config\['x'\] is a builtins.bytes"),
        ({"y": [1, object()]}, TypeError, r"config\['x'\]\['y'\]\[1\] is a builtins.object"),
        ({(1, 2): 3}, TypeError, r"config\['x'\] has the key \(1, 2\)"),
        ("a\0b", ValueError, r"config\['x'\] has a NUL character"),
    ],
)
def test_json_refuses_the_rest_and_says_where_it_is(
    value: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        as_json_map({"x": value}, "config")


def test_json_refuses_what_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)

    with pytest.raises(ValueError, match="nested deeper than 32 levels"):
        as_json(loop, "config")


def test_tags_are_trimmed_and_named_once() -> None:
    assert as_tags(["a ", "b", "a"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ("abc", TypeError),
        (None, TypeError),
        ([1], TypeError),
        ([""], ValueError),
        (["x" * 251], ValueError),
        (map(str, range(101)), ValueError),
    ],
)
def test_bad_tags_are_refused(tags: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="tags"):
        as_tags(tags)


def test_notes_may_be_long_but_not_without_bounds() -> None:
    assert as_notes("x" * 100_000) == "x" * 100_000
    with pytest.raises(ValueError, match="100001 characters"):
        as_notes("x" * 100_001)
