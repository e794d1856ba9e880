"""`owner/project/folder/name`: what an experiment is known by."""

import itertools
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from runyard.dash.names import prefix_path
from runyard.values import MAX_NAME_LENGTH

from ml_dash._userinfo import userinfo

_jobs = itertools.count(1)  # of this process
EXAMPLE = "prefix='alice/my-project/exp-001'"


class Prefix(NamedTuple):
    """`text` is the whole of it, in order."""

    text: str
    owner: str
    project: str
    folder: str
    name: str


def find_prefix(given: str | None) -> Prefix:
    """The argument, $ML_DASH_PREFIX, or one made up in the project `scratch`. Raises: ValueError."""
    return parse_prefix(given or os.environ.get("ML_DASH_PREFIX") or _make_up())


def parse_prefix(prefix: str) -> Prefix:
    """Two parts name the experiment as the project. Raises: ValueError, TypeError."""
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be text, not {type(prefix).__name__}. Pass {EXAMPLE}.")
    try:
        parts = [part.strip() for part in prefix_path(prefix).parts]
    except ValueError as error:
        raise ValueError(f"{error} Pass owner/project/folder/name: {EXAMPLE}.") from None
    if len(parts) < 2:
        raise ValueError(
            f"prefix {prefix!r} has one part: a project is missing. Pass owner/project/name: {EXAMPLE}."
        )
    if any(_is_unfit(part) for part in parts):
        raise ValueError(
            f"prefix {prefix[:80]!r}: each part has 1 to {MAX_NAME_LENGTH} printable characters."
        )
    return Prefix("/".join(parts), parts[0], parts[1], "/".join(parts[2:-1]), parts[-1])


def _is_unfit(part: str) -> bool:
    return part in {"", ".", ".."} or len(part) > MAX_NAME_LENGTH or not part.isprintable()


def _make_up() -> str:
    """As the original's template: user/scratch/2025/11-21/train/13.55.02/001."""
    now = datetime.now()  # noqa: DTZ005 -- for people, who read the clock on the wall
    stem = re.sub(r"[^\w.-]+", "_", Path(sys.argv[0]).stem) or "session"
    return f"{user_segment()}/scratch/{now:%Y/%m-%d}/{stem}/{now:%H.%M.%S}/{next(_jobs):03d}"


def user_segment() -> str:
    """Who is logging, as a part of a prefix."""
    return re.sub(r"[^\w.@-]+", "_", userinfo.username).strip(".") or "anonymous"
