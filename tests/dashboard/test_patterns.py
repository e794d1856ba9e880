import time

import pytest

from dashboard.patterns import name_filter

NAMES = [
    "train/loss",
    "val/loss",
    "val/accuracy",
    "layer2/norm",
    "layer10/norm",
    "lossy",
    "a.b",
    "",
]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("LOSS", ["train/loss", "val/loss", "lossy"]),
        ("/loss$/", ["train/loss", "val/loss"]),
        ("ACC|^Layer", ["val/accuracy", "layer2/norm", "layer10/norm"]),
        (r"layer\d/", ["layer2/norm"]),
        ("a.b", ["a.b"]),
        ("loss|(", []),
        ("/loss", ["train/loss", "val/loss"]),
        ("", NAMES),
    ],
)
def test_names_are_filtered_by_text_or_pattern(query: str, names: list[str]) -> None:
    matches = name_filter(query)

    assert [name for name in NAMES if matches(name)] == names


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(.*)*x", "a?" * 60 + "a" * 60])
def test_pattern_that_would_keep_others_busy_for_years_ends_at_once(text: str) -> None:
    matches = name_filter(text)
    names = ["a" * 250 + str(number) for number in range(40)]

    start = time.perf_counter()
    found = [name for name in names if matches(name)]

    assert len(found) in {0, len(names)}
    assert time.perf_counter() - start < 5
