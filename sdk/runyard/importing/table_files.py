"""CSV and Parquet files as rows of plain cells: texts, numbers, None; times as µs or texts."""

import codecs
import csv
import gzip
import io
import time
import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TextIO

Cell = str | float | int | bool | None
Row = Sequence[Cell]

PARQUET = ".parquet"
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", PARQUET)
BOMS = {  # the longer ones first: one begins like another
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LOOKED_AT_BYTES = 64 * 1024
DELIMITERS = (",", ";", "\t", "|")
MAX_LINE_CHARS = 16 * 1024**2
MAX_COLUMNS = 10_000
MAX_TEXT_CHARS = 1_000  # of a cell in Parquet: one text may stand for millions of cells
BATCH_ROWS = 10_000
TORN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)
ROWS_PER_BYTE = 1_000  # no honest file holds more; a few bytes can claim any number


class Complain(Protocol):
    def __call__(self, reason: str, *, is_loss: bool = True) -> None: ...


class Table(Protocol):
    """`names`: those of the columns. `is_decimal_comma`: as in texts like 0,5."""

    names: list[str]
    is_decimal_comma: bool

    def rows(self, complain: Complain) -> Iterator[Row]:
        """Beginning anew each time. Raises: OSError."""


def open_table(path: Path, idle_s: float) -> Table:
    """Raises: OSError; ValueError for what is no table."""
    if suffix_of(path) == PARQUET:
        return ParquetTable(path)
    return CsvTable(path, idle_s)


def suffix_of(path: Path) -> str:
    """ "" for what is no table by its name."""
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


class CsvTable:
    def __init__(self, path: Path, idle_s: float) -> None:
        self._path = path
        self._idle_s = idle_s
        try:
            self._encoding = self._find_encoding()
            with self._open() as file:
                head = file.readline(MAX_LINE_CHARS)
        except TORN_GZIP as error:
            raise ValueError(f"it is damaged: {error}") from None
        counts = {one: head.count(one) for one in DELIMITERS}
        self._delimiter = max(DELIMITERS, key=counts.__getitem__) if any(counts.values()) else ","
        self.is_decimal_comma = self._delimiter == ";"
        try:
            self.names = [name.strip() for name in next(self._cells([head]), [])]
        except csv.Error as error:  # a name beyond 128 KiB
            raise ValueError(f"its first line cannot be read: {error}") from None
        if not any(self.names) or len(self.names) > MAX_COLUMNS:
            raise ValueError(f"its first line names {len(self.names):,} columns")

    def _open(self) -> TextIO:
        return io.TextIOWrapper(self._open_bytes(), self._encoding, "replace", newline="")

    def _open_bytes(self) -> Any:
        if self._path.suffix.lower() == ".gz":
            return gzip.open(self._path)
        return self._path.open("rb")

    def _find_encoding(self) -> str:
        """UTF-8, unless the file begins with another's mark. Raises: OSError, ValueError."""
        with self._open_bytes() as file:
            begin = file.read(LOOKED_AT_BYTES)
        if not begin:
            raise ValueError("it is empty")
        marked = next((name for bom, name in BOMS.items() if begin.startswith(bom)), "")
        if not marked and b"\0" in begin:
            raise ValueError("it is no text in UTF-8, nor marked as UTF-16: it has zero bytes")
        return marked or "utf-8-sig"

    def _cells(self, lines: Any) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter)

    def rows(self, complain: Complain) -> Iterator[Row]:
        with self._open() as file:
            rows = self._cells(self._lines(file, complain))
            next(rows, None)
            is_told = False
            while True:
                try:
                    row = next(rows)
                    if len(row) > len(self.names) and not is_told and any(row[len(self.names) :]):
                        is_told = True
                        complain("cells beyond the columns that the first line names")
                    yield row
                except StopIteration:
                    return
                except csv.Error as error:  # a cell beyond 128 KiB, or odd quotes
                    complain(f"a row that cannot be read: {error}")
                except TORN_GZIP as error:
                    return complain(f"what follows cannot be unpacked: {error}")

    def _lines(self, file: TextIO, complain: Complain) -> Iterator[str]:
        """Without the last one while it is perhaps being written."""
        while line := file.readline(MAX_LINE_CHARS):
            if len(line) == MAX_LINE_CHARS:
                return complain(f"a line of more than {MAX_LINE_CHARS:,} characters, and the rest")
            is_whole = line[-1] in "\r\n"
            if not is_whole and time.time() - self._path.stat().st_mtime < self._idle_s:
                return complain("the last line has no end yet", is_loss=False)
            yield line
        return None


class ParquetTable:
    is_decimal_comma = False

    def __init__(self, path: Path) -> None:
        if find_spec("pyarrow") is None:
            raise ValueError("Parquet needs pyarrow: pip install 'runyard[parquet]'")
        self._path = path
        with self._file() as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
            self._numbers = [field.name for field in schema if _is_number(field.type)]
            self._texts = [field.name for field in schema if _is_text(field.type)]
            self.names = [*self._numbers, *self._texts]
            self._nested = [field.name for field in schema if field.name not in self.names]
        if count > ROWS_PER_BYTE * path.stat().st_size:
            raise ValueError(f"it claims to hold {count:,} rows")
        if (
            not self.names
            or len(self.names) > MAX_COLUMNS
            or len(set(self.names)) < len(self.names)
        ):
            raise ValueError(f"it has {len(self.names):,} columns, or two of one name")

    def _file(self, **options: Any) -> Any:
        """Raises: OSError, ValueError."""
        return import_module("pyarrow.parquet").ParquetFile(self._path, **options)

    def rows(self, complain: Complain) -> Iterator[Row]:
        for name in self._nested:
            complain(f"the column {name[:100]!r} of lists or maps", is_loss=False)
        try:
            with self._file(read_dictionary=self._texts) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=self.names):
                    columns = [_cells(batch.column(name)) for name in self.names]
                    yield from zip(*columns, strict=True)
        except (ValueError, NotImplementedError) as error:  # how pyarrow calls what is damaged
            raise OSError(f"{self._path.name} cannot be read: {error}") from None


def _is_number(kind: Any) -> bool:
    types = import_module("pyarrow").types
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(test(kind) for test in (*tests, types.is_timestamp, types.is_date))


def _is_text(kind: Any) -> bool:
    types = import_module("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or _is_dictionary(kind))


def _is_dictionary(kind: Any) -> bool:
    types = import_module("pyarrow").types
    return bool(types.is_dictionary(kind) and types.is_string(kind.value_type))


def _cells(column: Any) -> list[Cell]:
    pyarrow, compute = import_module("pyarrow"), import_module("pyarrow.compute")
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        words = compute.utf8_slice_codeunits(column.dictionary, 0, MAX_TEXT_CHARS).to_pylist()
        return [None if at is None else words[at] for at in column.indices.to_pylist()]
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_date(kind):
        column = column.cast("timestamp[us]", safe=False).cast("int64")
    if pyarrow.types.is_decimal(kind):
        column = column.cast("float64")
    cells: list[Cell] = column.to_pylist()
    return cells
