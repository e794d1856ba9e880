from datetime import UTC, datetime, timedelta

import pytest

from tracking.domain.labels import label_runs, write_value


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0.01, "0.01"),
        (3.0, "3"),
        (3, "3"),
        (1e-5, "1e-5"),
        (-2.5e-10, "-2.5e-10"),
        (1e22, "1e22"),
        (True, "true"),
        (False, "false"),
        (None, "–"),
        ("", "–"),
        ("adam", "adam"),
        ([1, "ä"], '[1, "ä"]'),
        ({"a": None}, '{"a": null}'),
        (datetime(2026, 1, 31, 12, 5, tzinfo=UTC), "2026-01-31 12:05:00+00:00"),
        (timedelta(minutes=90), "1:30:00"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
def test_value_is_written_as_people_write_it(value, label):
    assert write_value(value) == label


def test_numbers_come_first_then_texts_then_what_is_missing():
    values = {1: ["b"], 2: [10], 3: [None], 4: [9.5], 5: ["a"], 6: [10.0], 7: []}

    assert list(label_runs(values).items()) == [
        ("9.5", {4}), ("10", {2, 6}), ("a", {5}), ("b", {1}), ("–", {3, 7}),
    ]  # fmt: skip


def test_run_may_have_several_values():
    assert label_runs({1: ["x", "y"], 2: ["y"]}) == {"x": {1}, "y": {1, 2}}
