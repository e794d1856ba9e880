"""Runs as rows and tables."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

NAMES = ("name", "display_name", "folder", "status")
ENDS = ("start_time", "finish_time", "exit_code", "finish_reason", "resolution")
COLUMNS = (*NAMES, "tags", "notes", *ENDS)
TEXTS = (*NAMES, "notes", "finish_reason", "resolution")
WORDS = {word: float(word) for word in ("NaN", "Infinity", "-Infinity")}
TIMES = ("start_time", "finish_time")


def flat_row(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What tables show, `config.…`, `summary.…` and the last value of each metric.

    A metric that is called as another column is `metric.…`.
    """
    row = {name: facts[name] for name in COLUMNS}
    row |= {f"config.{name}": value for name, value in from_words(facts["params"]).items()}
    row |= {f"summary.{name}": value for name, value in from_words(facts["summary"]).items()}
    for name, value in facts["metrics"].items():
        row[f"metric.{name}" if name in row else name] = as_number(value)
    return row


def as_number(value: float | str | None) -> float:
    """The server writes NaN and infinities as words."""
    return float("nan") if value is None else float(value)


def from_words(values: Mapping[str, Any]) -> dict[str, Any]:
    """A config or summary with the numbers that the server can only write as words."""
    return {
        name: WORDS.get(value, value) if isinstance(value, str) else value
        for name, value in values.items()
    }


@contextlib.contextmanager
def needed(package: str) -> Iterator[None]:
    """Around the import of a package that is an extra of the SDK. Raises: ImportError."""
    try:
        yield
    except ModuleNotFoundError:
        how = f'pip install "runyard[{package}]"'
        raise ImportError(f"This table needs {package}: {how}", name=package) from None


def to_pandas(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    with needed("pandas"):
        import pandas as pd  # noqa: PLC0415 -- optional, slow

    columns: dict[str, Any] = dict(as_columns(rows))
    for name in TIMES:
        columns[name] = pd.to_datetime(pd.Series(columns[name]), unit="ms", utc=True)
    columns["exit_code"] = pd.array(columns["exit_code"], dtype="Int64")
    return pd.DataFrame(columns)


def to_polars(rows: list[dict[str, Any]]) -> "pl.DataFrame":
    """A column of mixed kinds is text."""
    with needed("polars"):
        import polars as pl  # noqa: PLC0415 -- optional, slow

    kinds: dict[str, Any] = dict.fromkeys(TIMES, pl.Datetime("ms", "UTC"))
    kinds |= {"tags": pl.List(pl.String), "exit_code": pl.Int64, **dict.fromkeys(TEXTS, pl.String)}
    columns = {name: one_kind(values) for name, values in as_columns(rows).items()}
    return pl.DataFrame(columns, schema_overrides=kinds, strict=False)


def as_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Each column as long as there are rows; what a row lacks is None."""
    names = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    return {name: [row.get(name) for row in rows] for name in names}


def one_kind(values: list[Any]) -> list[Any]:
    """As they are if a table can hold them in one column, else as text."""
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
