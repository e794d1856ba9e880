"""Starts runs below the data directory."""

from typing import Any

import aspara


def start(backend: str, **arguments: Any) -> aspara.Run:
    """The run `p/r`."""
    return aspara.init(**{"project": "p", "name": "r", "storage_backend": backend, **arguments})
