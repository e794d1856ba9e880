import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from runyard.commands.tables import (
    CsvWriter,
    Kinds,
    LinesWriter,
    Writer,
    in_words,
    iso_time,
    kind_of,
    type_of,
)
from runyard.frames import as_columns, from_words, one_kind

KINDS = {"name": "text", "started": "time", "tags": "texts"}


def written(writer: type[CsvWriter] | type[LinesWriter], kinds: Kinds, *rows: Sequence[Any]) -> str:
    file = io.BytesIO()
    made: Writer = writer(file, kinds)
    made.write(rows)
    made.close()
    return file.getvalue().decode()


def test_csv_holds_lists_times_and_nothing() -> None:
    text = written(CsvWriter, KINDS, ("a,b", 0, ["x"]), (None, None, {"k": True}), (True, 1, []))

    assert text.splitlines() == [
        "name,started,tags",
        '"a,b",1970-01-01T00:00:00.000+00:00,"[""x""]"',
        ',,"{""k"": true}"',
        "true,1970-01-01T00:00:00.001+00:00,[]",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\ta", "\ra"])
def test_spreadsheets_are_given_nothing_to_run(text: str) -> None:
    assert written(CsvWriter, {text: "text"}, (text,), (-1.5,)).count(f"'{text}") == 2


def test_lines_are_strict_json() -> None:
    text = written(LinesWriter, {"a": "number", "b": "text"}, (float("nan"), "é"), (1.5, None))

    assert [json.loads(line) for line in text.splitlines()] == [
        {"a": "NaN", "b": "é"},
        {"a": 1.5, "b": None},
    ]
    assert "é" in text


def test_words_stand_for_numbers_at_any_depth() -> None:
    inf = float("inf")

    assert in_words({"a": [inf, -inf, (1, float("nan"))]}) == (
        {"a": ["Infinity", "-Infinity", [1, "NaN"]]}
    )
    assert from_words({"a": "Infinity", "b": "text", "c": 1}) == {"a": inf, "b": "text", "c": 1}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None], "whole"),
        ([1, 1.5], "number"),
        ([1, 2**70], "text"),
        ([True], "yes or no"),
        ([True, 1], "text"),
        (["a", 1], "text"),
        ([None], "text"),
        ([[1]], "text"),
    ],
)
def test_kind_is_what_holds_all_values(values: list[Any], kind: str) -> None:
    assert kind_of({type_of(value) for value in values}) == kind


def test_times_are_utc_to_the_millisecond() -> None:
    assert iso_time(1_767_268_800_001) == "2026-01-01T12:00:00.001+00:00"


def test_columns_are_of_one_length_and_kind() -> None:
    columns = as_columns([{"name": "a", "x": 1}, {"name": "b", "y": "z"}])

    assert (columns["x"], columns["y"], columns["notes"]) == ([1, None], [None, "z"], [None, None])
    assert one_kind([1, None, "z"]) == ["1", None, "z"]
    assert one_kind([1, 2.5]) == [1, 2.5]
