"""Tables written row by row, or a stretch of rows at a time: CSV, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import IO, Any, Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 -- the SDK supports Python 3.10
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run rather than show

NUMBERS = ("whole", "number")
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

Kinds = Mapping[str, str]  # of columns: text, whole, number, time (UNIX ms), texts


class Writer(Protocol):
    """Rows are sequences in the order of the columns."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """Lists and maps as JSON, times as ISO 8601, nothing for None."""

    def __init__(self, file: IO[bytes], kinds: Kinds) -> None:
        self._file = file
        self._kinds = list(kinds.values())
        self._write([[_cell(name) for name in kinds]])

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = [
            _csv_column(column, kind)
            for column, kind in zip(zip(*rows, strict=True), self._kinds, strict=True)
        ]
        self._write(zip(*columns, strict=True))

    def close(self) -> None:
        self._file.flush()

    def _write(self, rows: Iterable[Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._file.write(text.getvalue().encode())


def _csv_column(column: Sequence[Any], kind: str) -> Sequence[Any]:
    if kind == "time":
        return [value if value is None else iso_time(value) for value in column]
    return column if kind in NUMBERS else [_cell(value) for value in column]


class LinesWriter:
    """An object on each line; NaN and infinities as words, which strict readers need."""

    def __init__(self, file: IO[bytes], kinds: Kinds) -> None:
        self._file, self._names = file, list(kinds)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        lines = (json_line(dict(zip(self._names, row, strict=True))) for row in rows)
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        self._file.flush()


class ParquetWriter:
    """Raises: ValueError where pyarrow is missing."""

    def __init__(self, file: IO[bytes], kinds: Kinds) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 -- optional, slow
            from pyarrow import parquet  # noqa: PLC0415 -- as above
        except ImportError:
            raise ValueError("Parquet needs pyarrow: pip install 'runyard[parquet]'.") from None
        types = {
            "text": pa.string(),
            "whole": pa.int64(),
            "number": pa.float64(),
            "time": pa.timestamp("ms", "UTC"),
            "texts": pa.list_(pa.string()),
            "yes or no": pa.bool_(),
        }
        self._pa, self._kinds = pa, list(kinds.values())
        self._schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = [
            [_as_text(value) for value in column] if kind == "text" else column
            for column, kind in zip(zip(*rows, strict=True), self._kinds, strict=True)
        ]
        if columns:
            arrays = [
                self._pa.array(column, field.type)
                for column, field in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


WRITERS: dict[str, type[CsvWriter] | type[LinesWriter] | type[ParquetWriter]] = {
    "csv": CsvWriter,
    "jsonl": LinesWriter,
    "parquet": ParquetWriter,
}


def type_of(value: Any) -> type:
    """A whole number that no column of numbers holds is text."""
    is_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return str if is_large else type(value)


def kind_of(types: Set[type]) -> str:
    """Of a column with values of these types; what does not fit together is text."""
    kinds = types - {type(None)}
    if kinds == {bool}:
        return "yes or no"
    if kinds and kinds <= {int, float}:
        return "whole" if kinds == {int} else "number"
    return "text"


def iso_time(time_ms: int) -> str:
    seconds, rest_ms = divmod(time_ms, 1000)
    return f"{_iso_second(seconds)}.{rest_ms:03}+00:00"


@lru_cache(1_000)  # points of a second come together
def _iso_second(seconds: int) -> str:
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"


def json_line(content: Any) -> str:
    try:
        return encode(content) + "\n"
    except ValueError:
        return encode(in_words(content)) + "\n"


def in_words(content: Any) -> Any:
    """NaN and infinities as the words that the server uses for them."""
    if isinstance(content, dict):
        return {name: in_words(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [in_words(value) for value in content]
    if isinstance(content, float) and content - content != 0:
        return "NaN" if content != content else "Infinity" if content > 0 else "-Infinity"  # noqa: PLR0124 -- as NaN is known
    return content


def _cell(value: Any) -> Any:
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
