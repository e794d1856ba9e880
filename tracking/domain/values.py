"""What may be stored: names, texts, tags and JSON, checked at every door by the same rules."""

import math
import re
from typing import Any

from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import NAME_LENGTH

JSON_DEPTH = 32
MAX_TAGS = 100
FOLDER_LENGTH = 1_000
MAX_ROW_METRICS = 1_000  # in one logged row; the batch door takes more
MAX_TEXT_LENGTH = 100_000  # a long README; more belongs in an artifact
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
ARTIFACT_NAME = re.compile(r"(?!\.\.)[A-Za-z0-9_.-]+")
# Controls, ends of lines, and what turns the direction of text: `\u202egnp.exe` reads `exe.png`.
UNFIT_FOR_FILES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ROUTE_WORDS = frozenset({"metrics", "stream", "runs"})  # `/runs/metrics` must stay unambiguous
INT64 = range(-(2**63), 2**63)
NUMBER_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
JSON_KINDS: dict[type, str] = {str: "text", dict: "an object", list: "a list", type(None): "null"}


def check_project_key(text: object) -> str:
    return _check_key(text, "project")


def check_run_key(text: object) -> str:
    key = _check_key(text, "run")
    if key in ROUTE_WORDS:
        raise InvalidInput(f"Invalid run name. {key!r} is a reserved word.", field="name")
    return key


def _check_key(text: object, what: str) -> str:
    if not isinstance(text, str) or not PLAIN_KEY.fullmatch(text):
        raise InvalidInput(
            f"Invalid {what} name. Only alphanumeric characters, underscores, and hyphens are allowed.",
            field="name",
        )
    if len(text) > NAME_LENGTH:
        raise LimitExceeded(
            f"Invalid {what} name. It has {len(text)} characters; at most {NAME_LENGTH} are allowed.",
            field="name",
        )
    return text


def check_metric_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidInput("Metric name cannot be empty and must be text.", field="metrics")
    if len(name) > NAME_LENGTH:
        raise LimitExceeded(
            f"Metric name {name[:40]!r}… has {len(name)} characters; at most {NAME_LENGTH} are allowed.",
            field="metrics",
        )
    if not name.isprintable():
        raise InvalidInput(
            f"Metric name {name[:40]!r} has control characters in it.", field="metrics"
        )
    return name


def clean_row(metrics: object) -> dict[str, float]:
    """One logged row: name → float64. Booleans count as 1 and 0, number words as what they say."""
    if not isinstance(metrics, dict):
        raise InvalidInput("metrics must be an object of names and numbers.", field="metrics")
    if not metrics:
        raise InvalidInput("metrics must have at least one name in it.", field="metrics")
    if len(metrics) > MAX_ROW_METRICS:
        raise LimitExceeded(
            f"metrics has {len(metrics)} names; at most {MAX_ROW_METRICS} are allowed in one call.",
            field="metrics",
        )
    return {check_metric_name(name): _clean_value(value, name) for name, value in metrics.items()}


def _clean_value(value: object, name: str) -> float:
    if isinstance(value, str) and value in NUMBER_WORDS:
        return NUMBER_WORDS[value]
    if not isinstance(value, int | float):
        kind = JSON_KINDS.get(type(value), "something else")
        raise InvalidInput(f"Metric {name!r} must be a number, not {kind}.", field="metrics")
    try:
        return float(value)
    except OverflowError:
        raise InvalidInput(f"Metric {name!r} is beyond a float64.", field="metrics") from None


def check_artifact_name(name: object) -> str:
    if (
        not isinstance(name, str)
        or not ARTIFACT_NAME.fullmatch(name)
        or len(name) > NAME_LENGTH
        or name == "."
    ):
        raise InvalidInput(
            "Invalid artifact name. Only letters, digits, '_', '.' and '-' are allowed, not '..' in"
            f" front, at most {NAME_LENGTH} characters.",
            field="name",
        )
    return name


def check_file_name(name: object, field: str = "name") -> str:
    """What file systems take for a name: any characters, but no slash and nothing invisible that
    misleads the reader. It is kept as it is, blanks and all. Raises: InvalidInput."""
    text = clean_text(name, field)
    if not text.strip(". ") or len(text) > NAME_LENGTH:
        raise InvalidInput(
            f"{field}: a name has 1 to {NAME_LENGTH} characters, not only dots.", field=field
        )
    if "/" in text or UNFIT_FOR_FILES.search(text):
        raise InvalidInput(f"{field} has a slash or a control character in it.", field=field)
    return text


def clean_file_path(path: object, field: str = "path") -> str:
    """The folder of a file: names joined by slashes, without one at its ends; "" is the top.

    Raises: InvalidInput."""
    parts = [part for part in clean_text(path, field).split("/") if part]
    cleaned = "/".join(check_file_name(part, field) for part in parts)
    if len(cleaned) > FOLDER_LENGTH:
        raise InvalidInput(f"{field} has at most {FOLDER_LENGTH} characters.", field=field)
    return cleaned


def check_step(step: object) -> int:
    """An int64. A whole float counts as one: JSON writers are not careful about that."""
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if isinstance(step, bool) or not isinstance(step, int):
        raise InvalidInput("step must be a whole number.", field="step")
    if step not in INT64:
        raise InvalidInput("step must fit into 64 bits.", field="step")
    return step


def clean_text(text: object, field: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"{field} must be text.", field=field)
    if len(text) > MAX_TEXT_LENGTH:
        raise LimitExceeded(
            f"{field} has {len(text)} characters; at most {MAX_TEXT_LENGTH} are allowed.",
            field=field,
        )
    return _storable(text, field)


def clean_name(name: object, field: str = "name") -> str:
    """What people call a thing: one line of any characters, without blanks at its ends."""
    text = clean_text(name, field).strip()
    if not text or len(text) > NAME_LENGTH:
        raise InvalidInput(f"{field} has 1 to {NAME_LENGTH} characters.", field=field)
    if not text.isprintable():
        raise InvalidInput(f"{field} has control characters in it.", field=field)
    return text


def clean_folder(path: object, field: str = "folder") -> str:
    """Names joined by slashes, each fit to be read by people; "" is the top. Raises: InvalidInput."""
    parts = [part.strip() for part in clean_text(path, field).split("/") if part]
    cleaned = "/".join(clean_name(part, field) for part in parts)
    if {".", ".."} & set(parts) or len(cleaned) > FOLDER_LENGTH:
        raise InvalidInput(
            f"{field} has at most {FOLDER_LENGTH} characters, and no '..' in it.", field=field
        )
    return cleaned


def clean_tags(tags: object, field: str = "tags") -> list[str]:
    """The tags without repeats, in order."""
    if not isinstance(tags, list | tuple):
        raise InvalidInput(f"{field} must be a list of texts.", field=field)
    cleaned = list(dict.fromkeys(clean_text(tag, field).strip() for tag in tags))
    if len(cleaned) > MAX_TAGS:
        raise LimitExceeded(
            f"{field} has {len(cleaned)} tags; at most {MAX_TAGS} are allowed.", field=field
        )
    if any(not tag or len(tag) > NAME_LENGTH for tag in cleaned):
        raise InvalidInput(f"{field}: a tag has 1 to {NAME_LENGTH} characters.", field=field)
    return cleaned


def clean_map(value: object, field: str) -> dict[str, Any]:
    """A JSON object fit for every database: NaN and infinities as words, no NUL, not too deep."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{field} must be an object.", field=field)
    return {_storable(key, field): _clean_json(item, field, 1) for key, item in value.items()}


def flatten_map(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as one, their names joined by dots; lists and empty objects are values."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict) and item:
            for path, inner in flatten_map(item, f"{name}.").items():
                flat.setdefault(path, inner)
        else:
            flat[name] = item  # one that has the dots in itself was written so: it goes first
    return flat


def _clean_json(value: object, field: str, depth: int) -> Any:
    if depth > JSON_DEPTH:
        raise LimitExceeded(f"{field} is nested deeper than {JSON_DEPTH} levels.", field=field)
    if isinstance(value, dict):
        return {
            _storable(key, field): _clean_json(item, field, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean_json(item, field, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else number_word(value)
    if isinstance(value, str):
        return _storable(value, field)
    if isinstance(value, int) and value not in INT64:
        raise InvalidInput(f"{field} has a whole number beyond 64 bits in it.", field=field)
    if value is None or isinstance(value, int):
        return value
    raise InvalidInput(f"{field} has a value that JSON cannot hold.", field=field)


def _storable(text: object, field: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"{field} has a key that is not text.", field=field)
    if "\0" in text:
        raise InvalidInput(f"{field} has a NUL character in it.", field=field)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{field} has half a surrogate pair in it.", field=field) from None
    return text


def number_word(value: float) -> str:
    """The word for a float that strict JSON cannot write."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
