"""Which server an address means: as people type it, and under the names of this very machine."""

import re

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# host, host:port and what follows; one word alone is rather a directory that somebody mistook it for
BARE = re.compile(
    r"(localhost|\[[0-9a-f:]+\]|[\w-]+(\.[\w-]+)+|[\w-]+(?=:\d))(:\d+)?(/.*)?",
    re.ASCII | re.IGNORECASE,
)


def with_scheme(url: str) -> str:
    """What is typed as `host:port` is meant for http://."""
    url = url.strip()
    return f"http://{url}" if BARE.fullmatch(url) else url


def one_name(origin: str) -> str:
    """The same text for all the names that this machine has for itself; others as they are."""
    scheme, _, rest = origin.partition("://")
    for host in LOOPBACK:
        name = f"[{host}]" if ":" in host else host
        if rest == name or rest.startswith(f"{name}:"):
            return f"{scheme}://{LOOPBACK[0]}{rest[len(name) :]}"
    return origin
