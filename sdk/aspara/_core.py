"""Where a run goes: to a server, or into files on this machine."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runyard.run import Run, open_run

from aspara._values import Backend

if TYPE_CHECKING:
    from runyard.local import LocalRun


def open_core(
    *,
    project: str,
    key: str | None,
    start: Mapping[str, Any],
    url: str | None,
    directory: str | os.PathLike[str] | None,
    backend: Backend,
) -> "Run | LocalRun":
    """To `url`, else to $RUNYARD_URL, else into files. Raises: RunExists, ValueError, OSError."""
    if url or os.environ.get("RUNYARD_URL"):
        return open_run(project=project, key=key, start=start, url=url, directory=directory)
    from runyard.local import open_local  # noqa: PLC0415 -- slow import; most runs have a server

    return open_local(project=project, key=key, start=start, directory=directory, backend=backend)
