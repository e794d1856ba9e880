"""Lines of every kind that was ever written."""

import json
import math

import pytest
from runyard.aspara_store.rows import Row, decode_row, encode_row


def test_row_is_written_as_the_original_writes_it() -> None:
    line = encode_row(["loss", "train/acc"], [0.5, 1.0], 7, 1_767_225_600_123_999)

    assert line == (
        b'{"timestamp": 1767225600123, "step": 7, "metrics": {"loss": 0.5, "train/acc": 1.0}}\n'
    )
    assert decode_row(line) == Row(7, 1_767_225_600_123_000, {"loss": 0.5, "train/acc": 1.0})


def test_nan_and_infinity_come_back_as_they_were() -> None:
    line = encode_row(["a", "b", "c"], [math.nan, math.inf, -math.inf], 0, 0)

    row = decode_row(line)

    assert row is not None
    assert str(row.values) == "{'a': nan, 'b': inf, 'c': -inf}"


def test_names_may_have_quotes_and_any_letters() -> None:
    names = ['a"b', "損失", "\\", "a{b}"]

    row = decode_row(encode_row(names, [1.0, 2.0, 3.0, 4.0], 0, 0))

    assert row is not None
    assert list(row.values) == names


@pytest.mark.parametrize(
    ("timestamp", "time_us"),
    [
        (1_767_225_600_000, 1_767_225_600_000_000),
        (1_767_225_600_000.5, 1_767_225_600_000_500),
        ("2026-01-01T00:00:00", 1_767_225_600_000_000),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
        ("2026-01-01T09:00:00+09:00", 1_767_225_600_000_000),
        ("yesterday", None),
        (True, None),
        (None, None),
        ([], None),
        (math.nan, None),
    ],
)
def test_time_is_iso_text_or_milliseconds(timestamp: object, time_us: int | None) -> None:
    line = json.dumps({"timestamp": timestamp, "step": 0, "metrics": {"a": 1}})

    row = decode_row(line.encode())

    assert row == Row(0, time_us, {"a": 1.0})


@pytest.mark.parametrize(
    ("step", "known"),
    [(3, 3), (-3, -3), (2.5, 2), (4.0, 4), (True, None), ("7", None), (None, None), (2**70, None)],
)
def test_step_is_whole_or_unknown(step: object, known: int | None) -> None:
    row = decode_row(json.dumps({"step": step, "metrics": {"a": 1}}).encode())

    assert row == Row(known, None, {"a": 1.0})


def test_what_is_no_number_is_left_out_by_name() -> None:
    metrics = '{"i": 1, "f": 0.5, "t": true, "s": "0.5", "n": null, "l": [1], "big": 1e999, "": 1}'

    row = decode_row(f'{{"step": 0, "metrics": {metrics}}}'.encode())

    assert row == Row(0, None, {"i": 1.0, "f": 0.5, "t": 1.0, "big": math.inf}, ("s", "n", "l", ""))


def test_whole_numbers_too_large_for_a_float_are_left_out() -> None:
    row = decode_row(b'{"step": 0, "metrics": {"a": 1' + b"0" * 400 + b"}}")

    assert row == Row(0, None, {}, ("a",))


def test_envelope_and_metrics_called_step_or_timestamp_are_told_apart() -> None:
    line = (
        b'{"type": "metrics", "run": null, "project": "p", "timestamp": 1000, "step": 5,'
        b' "metrics": {"step": 0.5, "timestamp": 7}}'
    )

    assert decode_row(line) == Row(5, 1_000_000, {"step": 0.5, "timestamp": 7.0})


def test_line_of_another_kind_is_no_row_and_no_error() -> None:
    assert decode_row(b'{"type": "params", "params": {"lr": 0.1}}') is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"timestamp": 1, "st', "a line that is not JSON"),
        (b"\xff\xfe", "a line that is not JSON"),
        (b"[" * 100_000, "a line that is not JSON"),
        (b"[1]", "a line that is not a JSON object"),
        (b'{"step": 1}', "a row without metrics"),
        (b'{"metrics": [1]}', "a row without metrics"),
    ],
)
def test_damaged_line_says_what_is_wrong(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the text is compared as a whole
        decode_row(line)

    assert str(error.value) == reason


def test_zeros_that_a_power_cut_left_in_front_are_passed_over() -> None:
    assert decode_row(b'\0\0\0{"step": 1, "metrics": {"a": 2}}\n') == Row(1, None, {"a": 2.0})


def test_mark_of_an_editor_in_front_is_passed_over() -> None:
    assert decode_row(b'\xef\xbb\xbf{"step": 1, "metrics": {"a": 2}}\r\n') == Row(
        1, None, {"a": 2.0}
    )


def test_known_names_do_not_make_bad_values_good() -> None:
    assert decode_row(b'{"step": 1, "metrics": {"a": 2}}') == Row(1, None, {"a": 2.0})
    assert decode_row(b'{"step": 1, "metrics": {"a": "x"}}') == Row(1, None, {}, ("a",))
    assert decode_row(b'{"step": 1, "metrics": {"a": 0.5, "b\\n": 0.5}}') == Row(
        1, None, {"a": 0.5}, ("b\n",)
    )
