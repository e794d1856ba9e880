import math
from typing import Any

import numpy as np
import pytest
from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq import Format

from tracking.domain.number_arrays import NumberArrayDumper


def read_back(array: np.ndarray, name: str) -> list[Any]:
    """As psycopg reads what PostgreSQL sends in the same form."""
    sent = NumberArrayDumper(np.ndarray).dump(array)
    return Transformer().get_loader(types[name].array_oid, Format.BINARY).load(sent)


@pytest.mark.parametrize("numbers", [[], [0], [-(2**63), -1, 2**63 - 1]])
def test_whole_numbers_come_back(numbers):
    assert read_back(np.array(numbers, np.int64), "int8") == numbers


def test_numbers_come_back_bit_for_bit():
    numbers = [0.0, -0.0, 5e-324, -math.inf, math.inf, math.nan, 1 / 3]

    found = read_back(np.array(numbers), "float8")

    assert np.array(found).tobytes() == np.array(numbers).tobytes()


def test_slices_are_sent_as_they_read():
    assert read_back(np.arange(10)[::-3], "int8") == [9, 6, 3, 0]
