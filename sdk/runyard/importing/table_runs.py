"""Tables with a row for each run, as Weights & Biases exports those of a project.

Such a table does not say which of its columns are config. Texts are, numbers are results, unless
people name them, or the column's name begins with `config.` or `summary.`.
"""

import ast
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from runyard.importing.foreign import plain, time_us
from runyard.importing.table_columns import (
    NAMES,
    RUNS,
    STEPS,
    VALUES,
    Wanted,
    is_blank,
    place_of,
    read_number,
    read_time,
)
from runyard.importing.table_files import Cell, Complain, Row, Table

MAX_RUNS = 10_000
MAX_MAP_CHARS = 100_000  # of a config or summary in one cell: Python's parser takes its time
NAMED = (*RUNS, "run name", "name", "experiment", "trial")
IDS = ("id", "run id")
STATES = {
    "finished": "completed",
    "completed": "completed",
    "failed": "failed",
    "crashed": "failed",
    "killed": "cancelled",
    "cancelled": "cancelled",
}
SAID = ("state", "status", "created", "runtime", "notes", "tags")  # of the run itself
ABOUT = ("user", "sweep", "id", "group", "job type", "hostname", "commit", "github", "updated")
MAPS = ("config", "summary")
OURS = "_wandb"  # what Weights & Biases notes for itself in each map


class RunColumns(NamedTuple):
    """Places in a row; -1 for what there is not. `others`: where a value belongs, and its name there."""

    name: int
    id: int
    said: dict[str, int]
    about: dict[int, str]
    maps: dict[int, str]
    others: dict[int, tuple[str, str]]


class RunRow(NamedTuple):
    """`key`: what the run is known by in the table. `is_open`: it says that the run had not ended yet."""

    key: str
    name: str
    started_us: int | None
    ended_us: int | None
    ended_as: str
    is_open: bool
    tags: list[str]
    notes: str
    about: dict[str, str]
    config: dict[str, Any]
    summary: dict[str, Any]


def is_exported(names: Sequence[str]) -> bool:
    """As from the runs' table of Weights & Biases; "epoch" and "_step" are results there."""
    lower = {name.lower() for name in names}
    return {"name", "state"} <= lower and bool({"created", "runtime"} & lower)


def has_run_rows(table: Table, wanted: Wanted) -> bool:
    """Whether each row tells of a run. Raises: OSError, ValueError."""
    lower = {name.lower() for name in table.names}
    if wanted.row or is_exported(table.names):
        return wanted.row != "point"
    is_long = len(lower) == 2 and bool(lower & set(NAMES)) and bool(lower & set(VALUES))
    if wanted.step or not lower.isdisjoint(STEPS) or is_long:
        return False
    at = place_of(table.names, NAMED, wanted.run)
    return at >= 0 and _is_unique(table, at)


def _is_unique(table: Table, at: int) -> bool:
    """Whether the rows have names, and no two the same."""
    seen: set[str] = set()
    for row in table.rows(_ignore):
        name = str(row[at]) if at < len(row) and not is_blank(row[at]) else ""
        if row and (not name or name in seen or len(seen) == MAX_RUNS):
            return False
        seen.add(name)
    return len(seen - {""}) > 1


def find_run_columns(table: Table, wanted: Wanted) -> RunColumns:
    """Raises: OSError; ValueError for a wanted column that there is not."""
    names, lower = table.names, [name.lower() for name in table.names]
    name, run_id = place_of(names, NAMED, wanted.run), place_of(names, IDS)
    said = {word: lower.index(word) for word in SAID if word in lower}
    if not is_exported(names):  # elsewhere such a word may be anything
        said, run_id = {}, -1
    about = {at: word for at, word in enumerate(names) if said and lower[at] in ABOUT}
    maps = {at: word for at, word in enumerate(lower) if word in MAPS}
    used = {name, run_id, *said.values(), *about, *maps}
    free = [at for at, text in enumerate(names) if at not in used and text]
    for column in wanted.config:
        place_of(names, (), column)
    numbers = _find_numbers(table, free)
    others = {at: _sort_in(names[at], at in numbers, wanted.config) for at in free}
    return RunColumns(name, run_id, said, about, maps, others)


def _find_numbers(table: Table, free: Sequence[int]) -> set[int]:
    """The columns with nothing but numbers in them."""
    numbers = set(free)
    for row in table.rows(_ignore):
        for at in [at for at in numbers if at < len(row) and not is_blank(row[at])]:
            is_number = not isinstance(row[at], bool)
            if not is_number or read_number(row[at], has_comma=table.is_decimal_comma) is None:
                numbers.discard(at)
    return numbers


def _sort_in(name: str, is_number: bool, config: Sequence[str]) -> tuple[str, str]:
    for kind in MAPS:
        if name.startswith(f"{kind}.") and len(name) > len(kind) + 1:
            return kind, name[len(kind) + 1 :]
    return ("summary" if is_number and name not in config else "config"), name


def read_runs(table: Table, columns: RunColumns, complain: Complain) -> Iterator[RunRow]:
    """Runs of one name are told apart by a number behind it."""
    counts: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for number, row in enumerate((row for row in table.rows(complain) if row), 1):
        if number > MAX_RUNS:
            return complain(f"all runs beyond {MAX_RUNS:,}")
        name = _text(row, columns.name) or f"row {number}"
        key = _text(row, columns.id) or name
        counts[key] += 1
        names[name] += 1
        yield _read_run(
            table,
            columns,
            row,
            key=key if counts[key] == 1 else f"{key} {counts[key]}",
            name=name if names[name] == 1 else f"{name} {names[name]}",
        )
    return None


def _read_run(table: Table, columns: RunColumns, row: Row, *, key: str, name: str) -> RunRow:
    said = {word: _text(row, at) for word, at in columns.said.items()}
    started_us = read_time(said.get("created", ""))
    runtime_s = read_number(said.get("runtime", ""), has_comma=False)
    ended_us = None
    if started_us is not None and runtime_s is not None:
        ended_us = time_us(started_us / 1e6 + runtime_s)
    status = said.get("state") or said.get("status", "")
    values: dict[str, dict[str, Any]] = {"config": {}, "summary": {}}
    for at, kind in columns.maps.items():
        values[kind] |= read_map(_text(row, at))
    for at, (kind, column) in columns.others.items():
        if at < len(row) and not is_blank(row[at]):
            values[kind][column] = _read_value(row[at], has_comma=table.is_decimal_comma)
    return RunRow(
        key=key,
        name=name,
        started_us=started_us,
        ended_us=ended_us,
        ended_as=STATES.get(status.lower(), ""),
        is_open=bool(status) and status.lower() not in STATES,
        tags=[tag for text in said.get("tags", "").split(",") if (tag := text.strip())],
        notes=said.get("notes", ""),
        about={word: text for at, word in columns.about.items() if (text := _text(row, at))},
        **values,
    )


def read_map(text: str) -> dict[str, Any]:
    """As JSON, or as Python prints it. What is neither stays a text."""
    found: object = None
    if len(text) <= MAX_MAP_CHARS:
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                found = read(text)
                break
    if isinstance(found, Mapping):
        return {str(key): value for key, value in found.items() if key != OURS}
    return {"text": text} if text else {}


def _read_value(cell: Cell, *, has_comma: bool) -> Any:
    if not isinstance(cell, str):
        return cell
    value = plain(cell.strip())
    if isinstance(value, str):
        number = read_number(cell, has_comma=has_comma)
        value = {"true": True, "false": False}.get(value, value if number is None else number)
    return value


def _text(row: Row, at: int) -> str:
    return str(row[at]).strip() if 0 <= at < len(row) and not is_blank(row[at]) else ""


def _ignore(reason: str, *, is_loss: bool = True) -> None:
    """It is told when the rows are read for good."""
