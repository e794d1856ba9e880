"""The rules of the published API for names and values."""

import os
import re
from typing import Literal

from runyard.values import MAX_NAME_LENGTH

Backend = Literal["jsonl", "polars"]

NAME = re.compile(r"[A-Za-z0-9_-]+")
ROUTE_WORDS = frozenset({"metrics", "stream", "runs"})  # the server's addresses need them
BACKENDS: tuple[Backend, ...] = ("jsonl", "polars")
SHOWN_LENGTH = 80  # of a wrong name, which may be a whole text


def check_name(name: object, what: str) -> str:
    """`what`: project or run. Raises: ValueError."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            f"Invalid {what} name. Only alphanumeric characters, underscores, and hyphens are allowed."
            f" Got {_shown(name)}."
        )
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"Invalid {what} name. It has {len(name)} characters; "
            f"at most {MAX_NAME_LENGTH} are allowed."
        )
    if what == "run" and name in ROUTE_WORDS:
        raise ValueError(f"Invalid run name. '{name}' is a reserved word.")
    return name


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def choose_backend(storage_backend: str | None) -> Backend:
    """The environment wins over the argument. A server stores in its own way. Raises: ValueError."""
    backend = os.environ.get("ASPARA_STORAGE_BACKEND") or storage_backend or "jsonl"
    for known in BACKENDS:
        if backend == known:
            return known
    raise ValueError(f"Invalid storage backend: {backend}. Must be one of: {', '.join(BACKENDS)}")
