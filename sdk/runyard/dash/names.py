"""Where things lie below the root, and which names may not become paths."""

import re
from pathlib import PurePosixPath

UNNAMED = "None"  # the directory of the stream without a name; the wire says the same
OWN_FOLDERS = frozenset({"logs", "metrics", "files", "tracks"})  # of an experiment
STREAM_FILES = frozenset({"data.jsonl", "metadata.json", ".metadata.lock", ".metadata.json.tmp"})
MAX_PART_BYTES = 255  # of one file name, on every file system there is

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # and halves of surrogate pairs


def prefix_path(prefix: str) -> PurePosixPath:
    """Where an experiment lies below the root. Raises: ValueError."""
    return PurePosixPath(*_parts(prefix.strip("/"), "The prefix"))


def stream_path(stream: str | None) -> PurePosixPath:
    """Where a stream lies below `metrics`. Raises: ValueError."""
    if stream is None or stream == "":
        return PurePosixPath(UNNAMED)
    parts = _parts(stream, "The name of metrics")
    for taken in STREAM_FILES.intersection(parts):
        raise ValueError(f"Metrics cannot be called {taken!r}: a file of that name is there.")
    return PurePosixPath(*parts)


def stream_name(path: PurePosixPath) -> str | None:
    """The stream that lies there."""
    return None if str(path) == UNNAMED else str(path)


def file_path(folder: str, file_id: str, filename: str) -> PurePosixPath:
    """Where a file lies below `files`. `folder`: `/`, `/models`. Raises: ValueError."""
    folders = _parts(folder.strip("/"), "The path") if folder.strip("/") else []
    for name, what in ((file_id, "The file id"), (filename, "The file name")):
        if len(_parts(name, what)) != 1:
            raise ValueError(f"{what} {name!r} has a slash in it.")
    return PurePosixPath(*folders, file_id, filename)


def _parts(path: str, what: str) -> list[str]:
    """Doubled slashes count once, as they do for the system."""
    if _CONTROL.search(path):
        raise ValueError(f"{what} {path!r} has control characters in it.")
    if path.startswith("/"):
        raise ValueError(f"{what} {path!r} must not begin with a slash.")
    parts = [part for part in path.split("/") if part]
    if not parts:
        raise ValueError(f"{what} is empty.")
    if "." in parts or ".." in parts:
        raise ValueError(f"{what} {path!r} must not have '.' or '..' among its parts.")
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise ValueError(f"{what} has a part of more than {MAX_PART_BYTES} bytes: {path[:40]!r}...")
    return parts
