"""From what people log to what is stored: numbers, steps, times, JSON, texts.

Scalars of numpy, torch and their kin are known by their `.item()`; nothing of theirs is imported.
"""

import operator
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from pathlib import PurePath
from typing import Any

INT64 = range(-(2**63), 2**63)
MSGPACK_INTS = range(-(2**63), 2**64)
JSON_DEPTH = 32  # the server's limit too
MAX_NAME_LENGTH = 250  # metric names, tags, artifact names
MAX_TAGS = 100
MAX_TEXT_LENGTH = 100_000  # a long README; more belongs in an artifact
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 -- the SDK supports Python 3.10
MICROSECOND = timedelta(microseconds=1)


def as_float(name: str, value: object) -> float:
    """A metric's value as a float. NaN and ±Inf are data. Raises: ValueError naming the metric."""
    number: Any = value
    if not isinstance(value, (float, int)) and hasattr(value, "item"):
        try:
            number = value.item()
        except (ValueError, RuntimeError, TypeError):  # an array of several values
            raise ValueError(_not_a_number(name, value)) from None
    if isinstance(number, (str, bytes, bytearray)):  # float() would read them
        raise ValueError(_not_a_number(name, value))
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"The value of '{name}' is too large for a float.") from None
    except (TypeError, ValueError):
        raise ValueError(_not_a_number(name, value)) from None


def _not_a_number(name: str, value: object) -> str:
    kind = type(value)
    return (
        f"Unsupported value type for '{name}': {kind.__module__}.{kind.__qualname__}. "
        "A metric takes one number: int, float, bool, or a scalar of numpy or torch."
    )


def as_step(step: object) -> int:
    """A step as an int64; a float counts when it is whole. Raises: ValueError, TypeError."""
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if isinstance(step, bool) or not hasattr(step, "__index__"):
        kind = ValueError if isinstance(step, float) else TypeError
        raise kind(f"step must be a whole number, not {step!r}.")
    number = int(operator.index(step))  # of an IntEnum too: `in range` is slow for subclasses
    if number not in INT64:
        raise ValueError(f"step must fit into 64 bits, not {number}.")
    return number


def as_time_us(timestamp: object) -> int:
    """UTC microseconds of an ISO text, a datetime (naive: UTC) or milliseconds. Raises: ValueError."""
    try:
        if isinstance(timestamp, str):
            text = timestamp.strip()
            timestamp = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "Zz" else text)
        if isinstance(timestamp, datetime):
            aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=EPOCH.tzinfo)
            return (aware - EPOCH) // MICROSECOND
        time_us = round(as_float("timestamp", timestamp) * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"Invalid timestamp: {timestamp!r}.") from None
    if isinstance(timestamp, bool) or time_us not in INT64:
        raise ValueError(f"Invalid timestamp: {timestamp!r}.")
    return time_us


def as_json_map(data: object, path: str) -> dict[str, Any]:
    """A copy of a mapping in values that JSON knows; see `as_json`."""
    if not isinstance(data, Mapping):
        raise TypeError(f"{path} must be a dict, not {type(data).__name__}.")
    return {as_key(key, path): as_json(value, f"{path}[{key!r}]") for key, value in data.items()}


def as_json(value: Any, path: str, depth: int = 1) -> Any:
    """A copy of `value` in values that JSON knows: scalars and arrays unwrapped, paths and times as text.

    `path` names the place in error messages. Raises: TypeError, ValueError.
    """
    if depth > JSON_DEPTH:
        raise ValueError(f"{path} is nested deeper than {JSON_DEPTH} levels.")
    if value is None or isinstance(value, (bool, str, int, float)):
        return _as_plain(value, path)
    if isinstance(value, Mapping):
        return {
            as_key(key, path): as_json(item, f"{path}[{key!r}]", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [as_json(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, Enum):
        return as_json(value.value, path, depth + 1)
    if isinstance(value, (PurePath, date)):  # a datetime is a date too
        return str(value) if isinstance(value, PurePath) else value.isoformat()
    if hasattr(value, "tolist"):  # numpy and torch: scalars become numbers, arrays become lists
        return as_json(value.tolist(), path, depth + 1)
    kind = type(value)
    raise TypeError(f"{path} is a {kind.__module__}.{kind.__qualname__}, which JSON cannot hold.")


def _as_plain(value: Any, path: str) -> Any:
    """Subclasses (np.float64, IntEnum) become what they are made of."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return as_text(str.__str__(value), path)
    if isinstance(value, int):
        number = int(value)
        return number if number in MSGPACK_INTS else str(number)  # a 128-bit seed as text
    return float(value)


def as_key(key: object, path: str) -> str:
    """A key as JSON has them: text, or a plain value spelt out."""
    if isinstance(key, str):
        return as_text(str.__str__(key), path)
    if key is None or isinstance(key, (bool, int, float)):
        return str(key)
    raise TypeError(f"{path} has the key {key!r}, which is not text.")


def as_text(text: object, path: str) -> str:
    """Text that every store can hold: no NUL; half surrogates (odd file names) are spelt out."""
    if not isinstance(text, str):
        raise TypeError(f"{path} must be text, not {type(text).__name__}.")
    if "\0" in text:
        raise ValueError(f"{path} has a NUL character in it.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def as_name(name: object, path: str) -> str:
    """A name for people, on one line and trimmed. Raises: TypeError, ValueError."""
    text = as_text(name, path).strip()
    if not text or len(text) > MAX_NAME_LENGTH or not text.isprintable():
        raise ValueError(f"{path} must have 1 to {MAX_NAME_LENGTH} printable characters.")
    return text


def as_notes(notes: object, path: str = "notes") -> str:
    """What people write for people. Raises: TypeError, ValueError."""
    text = as_text(notes, path)
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(
            f"{path} has {len(text)} characters; at most {MAX_TEXT_LENGTH} are allowed."
        )
    return text


def as_tags(tags: object, path: str = "tags") -> list[str]:
    """Tags trimmed, without repeats, in order. Raises: TypeError, ValueError."""
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise TypeError(f"{path} must be a list of texts, not {type(tags).__name__}.")
    cleaned = list(dict.fromkeys(as_text(tag, path).strip() for tag in tags))
    if len(cleaned) > MAX_TAGS:
        raise ValueError(f"{path} has {len(cleaned)} tags; at most {MAX_TAGS} are allowed.")
    if any(not tag or len(tag) > MAX_NAME_LENGTH for tag in cleaned):
        raise ValueError(f"{path}: a tag has 1 to {MAX_NAME_LENGTH} characters.")
    return cleaned


def check_metric_name(name: object) -> str:
    """Raises: ValueError."""
    if not isinstance(name, str) or not name:
        raise ValueError("Metric name cannot be empty and must be text.")
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"Metric name {name[:40]!r}... has {len(name)} characters; "
            f"at most {MAX_NAME_LENGTH} are allowed."
        )
    if not name.isprintable():
        raise ValueError(f"Metric name {name!r} has control characters in it.")
    return name
