"""From many values to one: the names that `log_summary` knows."""

import math
import re
from collections.abc import Callable, Sequence

Aggregate = Callable[[Sequence[float]], float]
PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)", re.ASCII)


def find_aggregate(name: str) -> Aggregate:
    """Of values without NaN, in the order they came, at least one. Raises: ValueError."""
    if name in BY_NAME:
        return BY_NAME[name]
    match = PERCENTILE.fullmatch(name) if isinstance(name, str) else None
    if match and float(match[1]) <= 100:
        share = float(match[1]) / 100
        return lambda values: percentile(values, share)
    raise ValueError(
        f"Unknown aggregation {name!r}. Use one of: {', '.join(BY_NAME)}, or p0 to p100."
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Between two values, in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Of a sample; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    middle = mean(values)
    squares = [(value - middle) * (value - middle) for value in values]  # ** would overflow
    return math.sqrt(sum(squares) / (len(values) - 1))


BY_NAME: dict[str, Aggregate] = {
    "mean": mean,
    "std": deviation,
    "min": min,
    "max": max,
    "count": len,
    "median": lambda values: percentile(values, 0.5),
    "sum": sum,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}
