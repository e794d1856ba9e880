import numpy as np
import pytest

from tests.factories import NOON_US, log_points, make_run
from tracking.models import MetricPoint
from tracking.points import (
    Columns,
    Point,
    Stretch,
    decode,
    encode_packed,
    encode_raw,
    join_stretches,
)

AWKWARD = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7e308, 0.1])
NAN_WITH_PAYLOAD = np.array([0x7FF800000000BEEF], np.uint64).view(np.float64)


@pytest.mark.parametrize("encode", [encode_raw, encode_packed])
def test_columns_come_back_bit_for_bit(encode):
    values = np.concatenate([AWKWARD, NAN_WITH_PAYLOAD])
    steps = np.array([0, 1, -1, 2**63 - 1, -(2**63), 7, 7, 7, 8])
    before = Columns(steps, values, steps[::-1].copy())

    after = decode(encode(before))

    assert after.steps.tobytes() == before.steps.tobytes()
    assert after.values.tobytes() == before.values.tobytes()
    assert after.times_us.tobytes() == before.times_us.tobytes()


def test_unknown_kind_of_data_is_an_error():
    with pytest.raises(ValueError, match="Unknown kind"):
        decode(b"\x07rest")


@pytest.mark.django_db
def test_arrays_and_points_join_stretches_in_order_of_arrival():
    run = make_run()
    log_points(run, {"a": [1.0, 2.0]})
    log_points(run, {"a": [3.0]}, first_step=2)

    points = MetricPoint.objects.filter(run=run)

    assert MetricPoint.objects.count() == 2
    assert points.arrays().popitem()[1].values.tolist() == [1, 2, 3]
    assert list(points.points())[2] == Point(2, 3.0, NOON_US + 2_000_000)


@pytest.mark.parametrize("encode", [encode_raw, encode_packed])
def test_stretch_that_is_shorter_than_its_row_says_is_an_error(encode):
    column = np.arange(3)
    data = encode(Columns(column, column.astype(np.float64), column))

    with pytest.raises(ValueError, match=r"points|shape"):
        join_stretches([Stretch(3, data), Stretch(4, data)])
