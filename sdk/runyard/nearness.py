"""What somebody may have meant by a name that is not there."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

MAX_KNOWN = 5_000  # names to compare with: it takes some 10 µs each


def no_such_metrics(asked: Iterable[str], known: Collection[str]) -> list[str]:
    """A sentence about each metric that none of the runs has."""
    return [_say(name, known) for name in dict.fromkeys(asked) if name not in known]


def _say(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known)[:MAX_KNOWN])
    if near:
        return f"No run here has a metric {name!r}. Near to it: {', '.join(near)}."
    return f"No run here has a metric {name!r}."
