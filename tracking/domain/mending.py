"""Whatever a program sends is kept: what cannot be stored as it is becomes the text of itself.

For doors whose clients repeat a refused call until it is taken, which would be for ever.
"""

import hashlib
import json
import math
from typing import Any

from tracking.domain.values import INT64, JSON_DEPTH, MAX_TEXT_LENGTH, number_word
from tracking.models import NAME_LENGTH

UNPRINTABLE = "\ufffd"
DIGEST_LENGTH = 8  # tells long names apart that begin alike


def mend_text(value: object) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair, and not endless."""
    text = value if isinstance(value, str) else spell(value)
    if len(text) > MAX_TEXT_LENGTH:
        text = f"{text[: MAX_TEXT_LENGTH - 1]}…"
    return _storable(text)


def spell(value: object) -> str:
    """As JSON. What is too deep even for its writer is lost: it was sent to do harm."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deeply)"


def mend_map(value: object) -> dict[str, Any]:
    """As `clean_map`, and nothing is refused; what is no object stands at `value` in one."""
    found = value if isinstance(value, dict) else {"value": value}
    mended: dict[str, Any] = _mend_json(found, 0)
    return mended


def mend_stream(name: str) -> str:
    """The stream's name where it is one; else one that looks like it, always the same."""
    if len(name) <= NAME_LENGTH and name.isprintable():
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
    plain = "".join(char if char.isprintable() else UNPRINTABLE for char in name)
    return f"{plain[: NAME_LENGTH - DIGEST_LENGTH - 1]}~{digest}"


def _mend_json(value: Any, depth: int) -> Any:
    if depth > JSON_DEPTH:
        return mend_text(value)
    if isinstance(value, dict):
        return {_storable(str(key)): _mend_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mend_json(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else number_word(value)
    if isinstance(value, int) and value not in INT64:
        return str(value)
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    return text.replace("\0", UNPRINTABLE).encode("utf-8", "replace").decode()
