"""What other trackers' formats have in common: starts with free names, and ends nobody noted."""

import math
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runyard.importing.source import Problem, Record, Strand, events, state
from runyard.records import Lost
from runyard.values import MAX_NAME_LENGTH, as_text

MAX_LOST = 1_000
WORDS = {"True": True, "False": False, "None": None}
TIMES_S = (-62_135_596_800, 253_402_300_800)  # the years 1 to 9999


def start_of(
    origin: str, place: str, project: str, path: Sequence[str], **words: Any
) -> dict[str, Any]:
    """`path`: folders, and the run's name at the end. Words that say nothing are left out."""
    *folders, name = [fit_name(part) for part in path]
    environment = {"imported_from": {"format": origin, "path": place}}
    environment.update(words.pop("environment", {}))
    start = {
        "project_name": fit_name(project),
        "name": name,
        "folder": "/".join(folders),
        "environment": environment,
        **words,
    }
    return {key: value for key, value in start.items() if value not in (None, "", {}, [])}


def fit_name(text: str) -> str:
    """As the server takes it: printable, trimmed, not too long."""
    clean = "".join(letter if letter.isprintable() else "_" for letter in text)
    return clean.strip()[:MAX_NAME_LENGTH].strip() or "unnamed"


def show(path: Path) -> str:
    """A path as people read it, whatever bytes are in its name."""
    return as_text(str(path).replace("\0", "␀"), "path")


def plain(text: str) -> Any:
    """The value of a text that Python wrote: what it would write so again is a number."""
    if text in WORDS:
        return WORDS[text]
    for kind in (int, float):
        try:
            value = kind(text)
        except (ValueError, OverflowError):
            continue
        if repr(value) == text and math.isfinite(value):
            return value
    return text


def time_us(seconds: float) -> int | None:
    """None for what no calendar shows."""
    if math.isfinite(seconds) and TIMES_S[0] <= seconds < TIMES_S[1]:
        return round(seconds * 1e6)
    return None


def walk_files(root: Path, problems: list[Problem] | None = None) -> Iterator[Path]:
    """Plain files below it, in order. Links lead elsewhere, and are not followed.

    `problems`: takes what could not be looked into.
    """
    if root.is_file():
        yield root
        return

    def leave_out(error: OSError) -> None:
        if problems is not None and not isinstance(error, FileNotFoundError):
            problems.append(Problem(show(Path(error.filename)), f"{error.strerror}"))

    for home, folders, names in os.walk(root, onerror=leave_out):
        folders.sort()
        for name in sorted(names):
            path = Path(home, name)
            if _is_plain(path):
                yield path


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def give_up(records: Iterator[Record], complain: Callable[[str], None]) -> Iterator[Record]:
    """Records until so many were damaged that the rest is not worth the lines it would take."""
    lost = 0
    for record in records:
        lost += isinstance(record, Lost)
        if lost > MAX_LOST:
            return complain(f"all after {MAX_LOST:,} records that were damaged")
        yield record


def status_of(
    last_us: int, idle_s: float, ended_as: str = "", *, inferred: str = "completed", mark: str = ""
) -> Strand:
    """How it ended: as was noted, else by when something was written last. Each state is told once.

    `mark` tells inferred ends apart where `last_us` is that of the file, and a copy's is younger.
    """
    if ended_as:
        finish = {"status": ended_as, "time": last_us}
        return events("status", f"status {ended_as} {last_us}", ("finish", finish))
    if time.time() - last_us / 1e6 < idle_s:
        return state("status", "status running", {"resume": True})._replace(is_open=True)
    reason = "inferred: nothing was written after that, and no end was noted"
    finish = {"status": inferred, "time": last_us, "reason": reason}
    return events("status", f"status inferred {mark or last_us}", ("finish", finish))
