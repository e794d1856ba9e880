import math

import pytest
from runyard.importing import foreign
from runyard.importing.foreign import fit_name, give_up, start_of, time_us
from runyard.records import Lost


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("run 1", "run 1"),
        ("  ä/b ", "ä/b"),
        ("a\nb\x00c\udcff", "a_b_c_"),
        ("", "unnamed"),
        ("  ", "unnamed"),
        ("x" * 300, "x" * 250),
        ("<b>", "<b>"),
    ],
)
def test_names_are_made_fit(text: str, name: str) -> None:
    assert fit_name(text) == name


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1.5, 1_500_000), (-1.0, -1_000_000), (math.nan, None), (math.inf, None), (1e12, None)],
)
def test_times_are_those_of_a_calendar(seconds: float, expected: int | None) -> None:
    assert time_us(seconds) == expected


def test_starts_say_where_a_run_comes_from() -> None:
    assert start_of("CSV", "/x/a.csv", "p", ["f", "g", "r"], notes="", config={"lr": 1}) == {
        "project_name": "p",
        "folder": "f/g",
        "name": "r",
        "config": {"lr": 1},
        "environment": {"imported_from": {"format": "CSV", "path": "/x/a.csv"}},
    }


def test_reading_ends_where_all_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MAX_LOST", 2)
    told: list[str] = []
    records = [b"1", Lost(1, "a"), b"2", Lost(1, "b"), b"3", Lost(1, "c"), b"4"]

    assert list(give_up(iter(records), told.append)) == records[:5]
    assert told == ["all after 2 records that were damaged"]
