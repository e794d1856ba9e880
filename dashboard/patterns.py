"""Search by regular expression in time that grows with the text alone, whatever is asked for.

Python's own engine tries every way to match one after the other: a short pattern can keep it busy
for years. RE2 follows all ways at once.
"""

from collections.abc import Callable

import re2

META = frozenset("|^$*+?[]()\\")
OPTIONS = re2.Options()
OPTIONS.case_sensitive = False
OPTIONS.log_errors = False
OPTIONS.max_mem = 1 << 20  # of one pattern; beyond it the search is slower, not larger


def name_filter(query: str) -> Callable[[str], bool]:
    """Whether a name contains the query, or matches it where it is a pattern; slashes may enclose it."""
    plain = query.lower()
    is_enclosed = len(query) > 2 and query.startswith("/") and query.endswith("/")
    if not is_enclosed and not META & set(query):
        return lambda name: plain in name.lower()
    try:
        pattern = re2.compile(query[1:-1] if is_enclosed else query, OPTIONS)
    except re2.error:
        return lambda name: plain in name.lower()  # nobody has typed it to its end yet
    return lambda name: plain in name.lower() or pattern.search(name) is not None
