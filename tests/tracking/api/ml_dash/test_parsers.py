import json
import math

import pytest

from tracking.api.ml_dash.parsers import MAX_DEPTH, read_json


def test_numbers_of_any_length_are_read():
    digits = "9" * 5_000

    assert read_json(f'[1, -2.5, {digits}, -{digits}, 1e999]') == [
        1, -2.5, digits, f"-{digits}", math.inf,
    ]  # fmt: skip
    assert math.isnan(read_json("NaN"))


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_what_is_too_deep_for_the_reader_is_text(begin, end):
    text = '{"b": "[\\"}", "c": ' + begin * 20_000 + "1" + end * 20_000 + ', "d": [2]}'

    found = read_json(text)

    value, levels = found["c"], 1
    while not isinstance(value, str):
        value, levels = (value["a"] if isinstance(value, dict) else value[0]), levels + 1
    assert (found["b"], found["d"], levels) == ('["}', [2], MAX_DEPTH - 1)
    assert value.count(begin[0]) == 20_000 - MAX_DEPTH + 2


@pytest.mark.parametrize("text", ["", "{", "[" * 20_000, "[" * 20_000 + "]" * 19_999, "{'a': 1}"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(json.JSONDecodeError):
        read_json(text)
