import json

import pytest

from tracking.domain.mending import mend_map, mend_stream, mend_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain é 🙂", "plain é 🙂"),
        ("a\0b", "a\ufffdb"),
        ("\ud800", "?"),
        (7, "7"),
        (None, "null"),
        ({"a": ["é", 1.5]}, '{"a": ["é", 1.5]}'),
        ("x" * 100_001, "x" * 99_999 + "…"),
    ],
)
def test_text_is_what_databases_take(value, text):
    assert mend_text(value) == text


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ({"a": 1, "b": None, "c": True, "d": 0.5}, {"a": 1, "b": None, "c": True, "d": 0.5}),
        ({"a": float("nan"), "b": [float("-inf")]}, {"a": "NaN", "b": ["-Infinity"]}),
        ({"a": 2**63, "b": -(2**63)}, {"a": str(2**63), "b": -(2**63)}),
        ({"k\0": "v\0", 1: "\ud800"}, {"k\ufffd": "v\ufffd", "1": "?"}),
        ([1], {"value": [1]}),
        ("text", {"value": "text"}),
    ],
)
def test_map_is_what_databases_take(value, mended):
    assert mend_map(value) == mended


def test_what_is_too_deep_is_text():
    deep: object = "end"
    for _ in range(40):
        deep = {"a": deep}

    mended, levels = mend_map(deep), 0
    while isinstance(mended, dict):
        mended, levels = mended["a"], levels + 1

    assert levels == 33
    assert json.loads(mended) == {"a": {"a": {"a": {"a": {"a": {"a": {"a": "end"}}}}}}}


def test_what_is_too_deep_to_be_written_is_said_to_be_so():
    deep: object = []
    for _ in range(100_000):
        deep = [deep]

    assert mend_text(deep) == "(nested too deeply)"


def test_names_of_streams_stay_where_they_can():
    assert [mend_stream(name) for name in ("", "a/b", "é t", "x" * 250)] == [
        "", "a/b", "é t", "x" * 250,
    ]  # fmt: skip


def test_other_names_of_streams_are_told_apart():
    names = ["x" * 251, "x" * 252, "a\nb", "a\0b", "\ud800"]
    mended = [mend_stream(name) for name in names]

    assert mended == [mend_stream(name) for name in names]
    assert len(set(mended)) == 5
    assert mended[0].startswith("x" * 241 + "~")
    assert mended[2].startswith("a\ufffdb~")
    assert all(name.isprintable() and len(name) <= 250 for name in mended)
