"""The exponential moving average of a curve, without a Python loop."""

import math

import numpy as np
from numpy.typing import NDArray

FORGOTTEN = 1e-200  # weights below that change no digit, and denormal numbers are slow
FULL = 40.0  # after so many time constants the average has all its mass: 1 - exp(-40) is 1


def smooth(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """What remains of the past after each value is `weight` (0 ≤ weight < 1) of it.

    The start is not drawn towards zero: the average is divided by the weights it has seen. NaN and
    infinities stay where they are and leave no trace in what follows.
    """
    if weight == 0:
        return values
    finite = np.isfinite(values)
    if finite.all():
        return _average(values, weight)
    smoothed = values.copy()
    smoothed[finite] = _average(values[finite], weight)
    return smoothed


def _average(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    average = _decayed((1 - weight) * values, weight)
    decay = math.log(weight)
    young = min(len(values), math.ceil(FULL / -decay))
    average[:young] /= -np.expm1(decay * np.arange(1, young + 1))
    return average


def _decayed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Each value plus `weight` of the sum before it.

    Every round doubles how far back the sums reach. All the weights are positive and at most 1, so
    that nothing overflows and no digits cancel that the values do not cancel themselves.
    """
    reach = 1
    while reach < len(values) and weight > FORGOTTEN:
        values[reach:] += weight * values[:-reach]
        weight *= weight
        reach *= 2
    return values
