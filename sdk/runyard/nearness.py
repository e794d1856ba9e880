"""What somebody may have meant by a name that is not there."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

MAX_KNOWN = 5_000  # names to compare with: it takes some 10 µs each


def no_such_metrics(asked: Iterable[str], known: Collection[str]) -> list[str]:
    """A sentence about each metric that none of the runs has."""
    return [_say(name, known) for name in dict.fromkeys(asked) if name not in known]


def _say(name: str, known: Collection[str]) -> str:
    return f"No run here has a metric {name!r}.{near_to(name, known)}"


def near_to(name: str, known: Collection[str]) -> str:
    """A sentence to go on with, or nothing."""
    near = get_close_matches(name, sorted(known)[:MAX_KNOWN])
    return f" Near to it: {', '.join(near)}." if near else ""
