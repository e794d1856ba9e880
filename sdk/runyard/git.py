"""What is checked out where a program lies, read from git's own files: no other program is started."""

import os
import re
from pathlib import Path

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SMALL_BYTES = 4096  # HEAD, one ref, a pointer to another directory
PACKED_BYTES = 4 * 1024**2  # some 60,000 refs, read in a millisecond


def describe_checkout(start: Path) -> dict[str, str]:
    """The `commit` and the `branch` as far as there are any; nothing outside a repository.

    Raises: OSError if there is no such directory.
    """
    folder = _find_git(start.resolve())
    head = _read(folder / "HEAD") if folder else ""
    if not folder or not head.startswith("ref: refs/"):
        return {"commit": head} if COMMIT.fullmatch(head) else {}
    ref = head.removeprefix("ref: ")
    found = {"commit": _resolve(folder, ref), "branch": ref.removeprefix("refs/heads/")}
    return {name: text for name, text in found.items() if text}


def _find_git(start: Path) -> Path | None:
    """The `.git` of the nearest repository; a worktree's and a submodule's lies elsewhere.

    Like git it stays on one file system: beyond may be an automounter that takes its time.
    """
    device = start.stat().st_dev
    for folder in (start, *start.parents):
        if folder.stat().st_dev != device:
            break
        entry = folder / ".git"
        if entry.is_dir():
            return entry
        pointer = _read(entry)
        if pointer.startswith("gitdir: "):
            return folder / pointer.removeprefix("gitdir: ")
    return None


def _resolve(folder: Path, ref: str) -> str:
    """The commit of a ref, which a worktree shares with the others of its repository."""
    common = folder / (_read(folder / "commondir") or ".")
    texts = (_read(folder / ref), _read(common / ref), _look_up(common / "packed-refs", ref))
    return next((text for text in texts if COMMIT.fullmatch(text)), "")


def _look_up(packed_refs: Path, ref: str) -> str:
    """Lines of `<commit> <ref>`."""
    text = f"\n{_read(packed_refs, PACKED_BYTES)}\n"
    end = text.find(f" {ref}\n")
    return text[text.rfind("\n", 0, end) + 1 : end] if end > 0 else ""


def _read(path: Path, limit_bytes: int = SMALL_BYTES) -> str:
    """Nothing where there is no such file."""
    try:
        with path.open("rb") as file:
            return os.fsdecode(file.read(limit_bytes)).strip()
    except OSError:
        return ""
