"""What the columns of a table mean, by their names and by what is in the first rows."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from runyard.importing.table_files import Cell, Complain, Row
from runyard.values import as_time_us, check_metric_name

# In the order of preference; capitals do not matter.
STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "iter", "epoch")
TIMES = ("timestamp", "_timestamp", "wall time", "wall_time", "datetime", "time", "date")
RUNS = ("run", "run_name", "run_id")
NAMES, VALUES = ("metric", "metric_name", "name", "key", "tag"), ("value", "metric_value")
BLANK = {"", "na", "n/a", "<na>", "null", "none", "-"}
NO_CLOCK = 10**8  # a smaller number counts from the start of the run: as seconds it is 1973
UNITS_US = ((10**11, 1e6), (10**14, 1e3), (10**17, 1.0), (10**20, 1e-3))  # s, ms, µs, ns
RANGE = ("__MIN", "__MAX")  # what Weights & Biases adds to each column of a chart
YEAR_10000_US = 253_402_300_800_000_000


class Columns(NamedTuple):
    """Places in a row; -1 for what there is not. `metrics`: of each run, "" for all rows of the file."""

    step: int
    time: int
    run: int
    name: int
    value: int
    metrics: dict[str, dict[int, str]]


class Wanted(NamedTuple):
    """Columns that people named; "" for what is to be found out. `row`: what it tells of, "run" or "point"."""

    step: str = ""
    run: str = ""
    row: str = ""
    config: tuple[str, ...] = ()


def find_columns(
    names: Sequence[str], first_rows: Sequence[Row], wanted: Wanted, complain: Complain
) -> Columns:
    """Raises: ValueError for a wanted column that there is not."""
    step = place_of(names, STEPS, wanted.step)
    run = place_of(names, RUNS, wanted.run)
    at_time = _find_clock(names, first_rows)
    used = {step, run, at_time}
    name, value = place_of(names, NAMES), place_of(names, VALUES)
    if min(name, value) >= 0 and set(range(len(names))) == used - {-1} | {name, value}:
        return Columns(step, at_time, run, name, value, {"": {}})
    free = {place: text for place, text in enumerate(names) if place not in used}
    metrics = _by_run(names, free, complain) or {"": free}
    fit = {one: _fit(columns, complain) for one, columns in metrics.items()}
    return Columns(step, at_time, run if "" in fit else -1, -1, -1, fit)


def place_of(names: Sequence[str], known: Sequence[str], wanted: str = "") -> int:
    if wanted:
        if wanted not in names:
            raise ValueError(f"it has no column {wanted!r}")
        return names.index(wanted)
    lower = [name.lower() for name in names]
    return next((lower.index(one) for one in known if one in lower), -1)


def _find_clock(names: Sequence[str], rows: Sequence[Row]) -> int:
    """The first column of such a name which has times in it, and no seconds since the start."""
    lower = [name.lower() for name in names]
    for place in (lower.index(one) for one in TIMES if one in lower):
        cells = (row[place] for row in rows if place < len(row))
        first = next((cell for cell in cells if not is_blank(cell)), None)
        if first is not None and read_time(first) is not None:
            return place
    return -1


def _by_run(
    names: Sequence[str], free: dict[int, str], complain: Complain
) -> dict[str, dict[int, str]]:
    """Columns `run - metric`, as charts of Weights & Biases are exported: each with its range."""
    known = set(names)
    found: dict[str, dict[int, str]] = {}
    for place, name in free.items():
        run, dash, metric = name.rpartition(" - ")
        if dash and run and metric != "_step" and all(name + end in known for end in RANGE):
            found.setdefault(run, {})[place] = metric
    if found:
        complain("the columns __MIN and __MAX of Weights & Biases", is_loss=False)
    return found


def _fit(columns: dict[int, str], complain: Complain) -> dict[int, str]:
    """Without columns that have no name, a bad one, or that of another."""
    fit: dict[int, str] = {}
    counts = Counter(columns.values())
    for place, name in columns.items():
        if not name:  # as that of pandas' row numbers
            complain(f"column {place + 1}, which has no name", is_loss=False)
            continue
        try:
            check_metric_name(name)
        except ValueError as error:
            complain(f"column {place + 1}: {error}")
            continue
        if counts[name] > 1 and name in fit.values():
            complain(f"another column of the name {name!r}")
        else:
            fit[place] = name
    return fit


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in BLANK)


def read_number(cell: Cell, *, has_comma: bool) -> float | None:
    """`has_comma`: 0,5 is a number too."""
    try:
        return float(cell)  # type: ignore[arg-type]  # None is no number either
    except (TypeError, ValueError, OverflowError):
        pass
    if has_comma and isinstance(cell, str):
        try:
            return float(cell.replace(",", "."))
        except ValueError:
            pass
    return None


def read_step(cell: Cell) -> int | None:
    """None for what is no whole number."""
    if cell is None:
        return None
    try:
        if not isinstance(cell, float):
            return int(cell)
    except ValueError:
        pass
    try:
        number = float(cell)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def read_time(cell: Cell) -> int | None:
    """Microseconds UTC of a number of any unit since 1970, or an ISO text. None for anything else."""
    if cell is None or isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except ValueError:
        return _read_text(str(cell))
    if number != number or number < NO_CLOCK:  # noqa: PLR0124 -- NaN
        return None
    factor = next((factor for limit, factor in UNITS_US if number < limit), None)
    at_us = None if factor is None else round(number * factor)
    return at_us if at_us is not None and at_us < YEAR_10000_US else None


def _read_text(text: str) -> int | None:
    try:
        return as_time_us(text)
    except ValueError:
        return None
