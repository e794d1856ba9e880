"""What the OpenAPI schema shows of the URL map."""

from typing import Any

Endpoint = tuple[str, str, str, Any]  # path, its regex, method, view
LISTS = {"/projects/", "/runs/"}  # their document prints the slash
# Other paths of the same, for clients that ask there.
ALIASES = ("/api/v1/", "/health", "/artifacts/{run_id}/")


def documented_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each operation once, under the path its document prints: an optional slash is left out."""
    return [
        (_printed(path, regex), regex, method, view)
        for path, regex, method, view in endpoints
        if not path.startswith(ALIASES)
    ]


def _printed(path: str, regex: str) -> str:
    return path.rstrip("/") if regex.endswith("/?$") and path not in LISTS else path
