"""Keys for what people name freely: the key is what URLs use, the name is what people read."""

import re
import unicodedata
from itertools import count

from django.db.models import Manager, QuerySet

from tracking.domain.values import PLAIN_KEY, ROUTE_WORDS
from tracking.models import NAME_LENGTH, Project, Run

SEPARATORS = re.compile(r"[^A-Za-z0-9_]+")
ROOM = 20  # at the end of a key, for the number that tells it from others
KEY_ROOM = NAME_LENGTH - ROOM


def make_key(name: str, fallback: str) -> str:
    """The name itself where URLs take it, else `my-project` for "My Project!"; `fallback` for "项目"."""
    if PLAIN_KEY.fullmatch(name) and len(name) <= NAME_LENGTH and name not in ROUTE_WORDS:
        return name
    ascii_text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = SEPARATORS.sub("-", ascii_text).strip("-")[:KEY_ROOM].strip("-")
    return key if key and key not in ROUTE_WORDS else fallback


def free_key(
    things: "QuerySet[Project] | QuerySet[Run] | Manager[Project] | Manager[Run]", key: str
) -> str:
    """The key, or `key-2`, or the first number after it that nothing of these has."""
    if not things.filter(key=key).exists():
        return key
    stem = key[:KEY_ROOM]
    taken = set(things.filter(key__startswith=f"{stem}-").values_list("key", flat=True))
    return next(new for new in (f"{stem}-{n}" for n in count(2)) if new not in taken)
