"""What the OpenAPI schema shows of the URL map."""

from typing import Any

Endpoint = tuple[str, str, str, Any]  # path, its regex, method, view
ALIASES = ("/api/v1/", "/health")  # other paths of the tracker API, for clients that ask there


def documented_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each operation once, under the path its document prints: an optional slash is left out."""
    return [
        (path.rstrip("/") if regex.endswith("/?$") else path, regex, method, view)
        for path, regex, method, view in endpoints
        if not path.startswith(ALIASES)
    ]
