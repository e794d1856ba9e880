"""A row as a line of JSON, ours and whatever else was ever written."""

import json
from collections.abc import Sequence
from math import floor
from typing import Any, NamedTuple

from runyard.values import INT64, as_time_us, check_metric_name

MAX_NAMES = 100_000  # that are known to be good: names of many runs must not fill the memory
TIMES = range(-(2**53), 2**53)  # milliseconds that are microseconds in 64 bits

PADDING = b"\0\xef\xbb\xbf"  # zeros are what a power cut leaves behind; the rest some editors

_good_names: set[str] = set()
_decode = json.JSONDecoder().decode
_encode = json.JSONEncoder().encode  # NaN and Infinity stand as they are


class Row(NamedTuple):
    """`left_out`: names whose values are no numbers. Nothing that is missing is made up."""

    step: int | None
    time_us: int | None
    values: dict[str, float]
    left_out: tuple[str, ...] = ()


def encode_row(names: Sequence[str], values: Sequence[float], step: int, time_us: int) -> bytes:
    """Numbers are all written as floats: readers take the type of a metric from its first rows."""
    metrics = _encode(dict(zip(names, values, strict=True)))
    return f'{{"timestamp": {time_us // 1000}, "step": {step}, "metrics": {metrics}}}\n'.encode()


def decode_row(line: bytes) -> Row | None:
    """None for a line of another kind, such as old versions wrote. Raises: ValueError saying why."""
    try:
        document = _decode(line.lstrip(PADDING).decode())
    except (ValueError, RecursionError):
        raise ValueError("a line that is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("a line that is not a JSON object")
    metrics = document.get("metrics")
    if not isinstance(metrics, dict):
        if document.get("type", "metrics") == "metrics":
            raise ValueError("a row without metrics")
        return None
    step, timestamp = document.get("step"), document.get("timestamp")
    return Row(
        step if type(step) is int and step in INT64 else _step(step),
        timestamp * 1000 if type(timestamp) is int and timestamp in TIMES else _time_us(timestamp),
        *_numbers(metrics),
    )


def _numbers(metrics: dict[str, Any]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Those that are numbers, and the names of those that are not."""
    if _good_names.issuperset(metrics) and all(type(one) is float for one in metrics.values()):
        return metrics, ()
    numbers = {name: _number(name, value) for name, value in metrics.items()}
    left_out = tuple(name for name, number in numbers.items() if number is None)
    good = {name: number for name, number in numbers.items() if number is not None}
    if len(_good_names) + len(good) > MAX_NAMES:
        _good_names.clear()
    _good_names.update(good)
    return good, left_out


def _number(name: str, value: Any) -> float | None:
    if not isinstance(value, (int, float)):
        return None
    try:
        check_metric_name(name)
        return float(value)
    except (ValueError, OverflowError):
        return None


def _step(value: Any) -> int | None:
    """The original takes steps such as 2.5 and goes on from there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        step = floor(value)
    except (ValueError, OverflowError):  # NaN, Infinity
        return None
    return step if step in INT64 else None


def _time_us(value: Any) -> int | None:
    """ISO text (naive: UTC) or milliseconds."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return as_time_us(value)
    except ValueError:
        return None
