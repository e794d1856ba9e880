"""Finding files by their names: in a folder, by tags, by a pattern over whole paths."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import reduce
from itertools import islice
from operator import or_

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Left

from tracking.domain.json_values import HasTag
from tracking.domain.values import clean_text
from tracking.errors import LimitExceeded
from tracking.models import Artifact

PATTERN_LENGTH = 500  # half of a path's; each part is tried at each depth
SEARCHED = 100_000  # files whose names are looked at for one answer, the newest first
LITERAL = re.compile(r"[^*?\[\]]+")
CHOICE = re.compile(r"\[.*\]")  # `[a-z]`, and whatever lies between two of them


def files_under(files: QuerySet[Artifact], prefix: str) -> QuerySet[Artifact]:
    """Those whose folder begins so: `mod` and `models` find what is in `models/best`, `models/` too."""
    start = clean_text(prefix, "prefix").lstrip("/")
    if not start:
        return files
    folder = Concat("path", Value("/"))
    return files.alias(start=Left(folder, len(start))).filter(start=start)


def files_with_tags(files: QuerySet[Artifact], tags: Sequence[str]) -> QuerySet[Artifact]:
    """Those with any of the tags; all of them if none is asked for."""
    return files.filter(reduce(or_, (Q(HasTag(tag)) for tag in tags), Q()))


def match_files(
    files: QuerySet[Artifact], pattern: str, *, offset: int = 0, limit: int
) -> list[Artifact]:
    """The newest files that fit a glob: `*.pt` by name, `models/*` and `**/best.pt` by whole path.

    `*` and `?` stay within a folder, `**` is any number of them. Raises: LimitExceeded.
    """
    if len(clean_text(pattern, "pattern")) > PATTERN_LENGTH:
        raise LimitExceeded(f"pattern has at most {PATTERN_LENGTH} characters.", field="pattern")
    pieces = pattern.strip("/").split("/") if "/" in pattern else ["**", pattern]
    longest = max(LITERAL.findall(CHOICE.sub("*", pieces[-1])), key=len, default="")
    names = files.filter(name__contains=longest).order_by("-pk")[:SEARCHED]
    fitting = islice(_fitting(names, pieces), offset, offset + limit)
    by_id = Artifact.objects.select_related("run__project").in_bulk([*fitting])
    return sorted(by_id.values(), key=lambda file: -file.pk)


def _fitting(files: QuerySet[Artifact], pieces: list[str]) -> Iterator[int]:
    for pk, path, name in files.values_list("pk", "path", "name").iterator():
        if fits([*path.split("/")] * bool(path) + [name], pieces):
            yield pk


def fits(parts: Sequence[str], pieces: Sequence[str]) -> bool:
    """Whether the parts of a path fit the pieces of a pattern. No pattern makes it slow: what is
    kept is only the set of places that could be reached."""
    places = {0}
    for piece in pieces:
        if piece == "**":
            places = set(range(min(places), len(parts) + 1))
        else:
            places = {
                place + 1
                for place in places
                if place < len(parts) and fnmatchcase(parts[place], piece)
            }
        if not places:
            return False
    return len(parts) in places
