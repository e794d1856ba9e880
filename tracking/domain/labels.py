"""Values of fields as people write them, and the runs that have them."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

MISSING = "–"
LONGEST = 100  # characters; texts that begin alike for so long are one
WHOLE = 1e16  # from there on a float has no room for every whole number
EXPONENT = re.compile(r"e\+?(-?)0*")


def label_runs(values: Mapping[int, Sequence[Any]]) -> dict[str, set[int]]:
    """Which runs have which value, by its label; a run may have several values.

    Numbers come first, ascending, then texts, then the runs without a value.
    """
    runs: dict[str, set[int]] = {}
    ranks: dict[str, tuple[int, float, str]] = {}
    for run_id, several in values.items():
        for value in several or [None]:
            label = write_value(value)
            ranks.setdefault(label, _rank(value, label))
            runs.setdefault(label, set()).add(run_id)
    return {label: runs[label] for label in sorted(runs, key=ranks.__getitem__)}


def _rank(value: Any, label: str) -> tuple[int, float, str]:
    if label == MISSING:
        return 2, 0.0, ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), label) if is_number else (1, 0.0, label)


def write_value(value: Any) -> str:
    """`0.01`, `1e-5`, `true`; objects and lists as JSON."""
    text = _write(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _write(value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) < WHOLE
        return str(int(value)) if is_whole else EXPONENT.sub(r"e\1", repr(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
