"""What jobs log. Without NumPy, so that jobs start quickly."""

from math import inf
from struct import pack, unpack

WORD = 2**64
# A NaN with a message, the smallest number, and what else is easily bent on the way.
STRANGE = (unpack("<d", pack("<Q", 0x7FF8_DEAD_BEEF_0001))[0], inf, -inf, -0.0, 5e-324)


def value(metric: int, step: int) -> float:
    """What a metric is at a step: 53 random bits; one in 64 is a strange one."""
    word = ((step + 1) * 0x9E37_79B9_7F4A_7C15 + metric * 0xD1B5_4A32_D192_ED03) % WORD
    if word % 64 == 0:
        return float(STRANGE[(word >> 6) % len(STRANGE)])
    return (word >> 11) / 2**43 - 512
