"""What people see of a command: tables, JSON for scripts, a line while it goes on."""

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runyard.commands.tables import in_words

if TYPE_CHECKING:
    from runyard.api import RunRecord

REFRESH_S = 0.2
CLOSED_PIPE = 141  # what a shell says of a program that SIGPIPE has ended
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # of a disk, a device
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def while_read(work: Callable[[], int]) -> int:
    """`work` and its exit status, which ends quietly once nobody reads on, as after `| head`.

    1 where a disk is full.
    """
    try:
        status = work()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the exit
        return CLOSED_PIPE
    except OSError as error:
        if error.errno not in FULL:
            raise
        say(f"Not all could be written: {explain_os(error)}.")
        _forget_output()
        return 1
    return status


def _forget_output() -> None:
    """What waits to be written would fail once more at the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def explain_os(error: OSError) -> str:
    """What the system says, without its number."""
    if not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def say(text: str) -> None:
    """To people, beside the output."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def write(line: str) -> None:
    """The output itself."""
    sys.stdout.write(f"{line}\n")


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns. What people called things must not steer the terminal."""
    lines = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        write("  ".join(cells).rstrip())


def print_json(content: Any) -> None:
    """NaN and infinities as the words that the server uses: strict readers know no others."""
    write(json.dumps(in_words(content), indent=2, ensure_ascii=False))


def plain(text: object) -> str:
    """One line of it, without characters that terminals obey."""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text)
    )


def called(run: "RunRecord") -> str:
    """Folder and name of a run that goes by others than the one in addresses, else nothing."""
    if run.display_name == run.name and not run.folder:
        return ""
    return f"{run.folder}/{run.display_name}" if run.folder else run.display_name


def number(value: float) -> str:
    """Six digits, which is what a table has room for."""
    return f"{value:.6g}"


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def size(count: float) -> str:
    for unit in UNITS:
        if count < 1024 or unit == UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def local_time(time_ms: float | None) -> str:
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock


class Progress:
    """A line about long work, renewed in place on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._shown_at = 0.0
        self._width = 0

    def show(self, text: str) -> None:
        if self._is_shown and time.monotonic() > self._shown_at + REFRESH_S:
            self._shown_at = time.monotonic()
            self._write(text)

    def clear(self) -> None:
        if self._width:
            self._write("")
            sys.stderr.write("\r")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text.ljust(self._width)}")
        sys.stderr.flush()
        self._width = len(text)
