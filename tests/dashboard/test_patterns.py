import random
import re
import time

import pytest

from dashboard.patterns import Pattern, name_filter

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
PATTERNS = [
    *[
        "loss",
        "^val",
        "loss$",
        "^loss$",
        "train|acc",
        "^(train|val)/loss$",
        "layer\\d+/",
        "layer\\d/",
    ],
    *[
        "a.b",
        "a\\.b",
        "[lt].*s",
        "[^a-z/]",
        "x*",
        "(a|b)*c",
        "l(?:os)+",
        "los?s?y",
        "",
        "^$",
        "[]x]",
    ],
    *[
        "[a\\d]/n",
        "a-b",
        "[a-]",
        "(ab?)*$",
        "\\w+\\s",
        "^\\D+$",
        "\\W",
        "\\S$",
        "\\/",
        "(^|/)l",
        "s(y|$)",
    ],
]


@pytest.mark.parametrize("text", PATTERNS)
def test_pattern_finds_what_the_usual_engine_finds(text: str) -> None:
    pattern = Pattern(text)

    found = [name for name in NAMES if pattern.is_in(name)]

    assert found == [name for name in NAMES if re.search(text, name)]


def test_patterns_at_random_agree_with_the_usual_engine() -> None:
    dice = random.Random(1)
    parts = ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "^", "$", "(a*|b)"]
    for _ in range(300):
        text = "".join(dice.choice(parts) + dice.choice(["", "", "*", "+", "?"]) for _ in range(4))
        text = re.sub(r"([$^])[*+?]", r"\1", text)
        pattern = Pattern(text)
        for _ in range(10):
            name = "".join(dice.choices("abc", k=dice.randrange(6)))
            assert pattern.is_in(name) == bool(re.search(text, name)), (text, name)


@pytest.mark.parametrize("text", ["(", ")", "a)", "*", "+a", "[", "[a", "\\", "a|*", "(a", "()*)"])
def test_text_that_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the words do not matter
        Pattern(text)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(.*)*x", "a?" * 60 + "a" * 60])
def test_pattern_that_would_keep_others_busy_for_years_ends_at_once(text: str) -> None:
    pattern = Pattern(text)
    names = ["a" * 250 + str(number) for number in range(40)]

    start = time.perf_counter()
    found = [name for name in names if pattern.is_in(name)]

    assert len(found) in {0, len(names)}
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("LOSS", ["train/loss", "val/loss", "lossy"]),
        ("/loss$/", ["train/loss", "val/loss"]),
        ("ACC|^Layer", ["val/accuracy", "layer2/norm", "layer10/norm"]),
        ("a.b", ["a.b"]),
        ("loss|(", []),
        ("/loss", ["train/loss", "val/loss"]),
        ("", NAMES),
    ],
)
def test_names_are_filtered_by_text_or_pattern(query: str, names: list[str]) -> None:
    matches = name_filter(query)

    assert [name for name in NAMES if matches(name)] == names
