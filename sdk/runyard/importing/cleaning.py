"""What files say, as far as the server would have it: for one bad value it refuses all beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from runyard.values import MAX_TAGS, MAX_TEXT_LENGTH, as_json, as_tags

Complain = Callable[[str], None]  # hears what is left out


def clean_tags(tags: object, complain: Complain, what: str = "tags") -> list[str]:
    try:
        return as_tags(tags, what)
    except ValueError as error:
        complain(str(error))
    kept = []
    for tag in tags[:MAX_TAGS] if isinstance(tags, list) else []:
        try:
            kept += as_tags([tag])
        except ValueError:
            continue
    return kept


def clean_text(text: str, what: str, complain: Complain) -> str:
    if len(text) > MAX_TEXT_LENGTH:
        complain(f"{what} beyond {MAX_TEXT_LENGTH:,} characters")
    return text[:MAX_TEXT_LENGTH].replace("\0", "\u2400")


def clean_map(values: Mapping[str, Any], what: str, complain: Complain) -> dict[str, Any]:
    """Without what the server would not have: it would refuse all of it for that."""
    cleaned = {}
    for key, value in values.items():
        try:
            cleaned[key] = as_json(value, f"{what} {key!r}")
        except ValueError as error:
            complain(str(error))
    return cleaned
