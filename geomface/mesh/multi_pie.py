"""The 68 landmarks of Multi-PIE: their groups, and which is which in the mirror."""

import numpy as np

from geomface.arrays import IndexArray

SCHEME = "multi-pie-68"
JAW = slice(0, 17)
RIGHT_BROW, LEFT_BROW = slice(17, 22), slice(22, 27)
NOSE = slice(27, 36)
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
MOUTH = slice(48, 68)
INNER_FACE = slice(17, 68)
"""The 51 points that lie on features; the jaw line is only defined across itself."""


def mirror_order() -> IndexArray:
    """Return (68,) int64: the landmark that each one becomes in the mirror (an involution)."""
    pairs = [(i, 16 - i) for i in range(8)]
    pairs += [(17 + i, 26 - i) for i in range(5)]
    pairs += [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58)]
    pairs += [(60, 64), (61, 63), (65, 67)]
    order = np.arange(68)
    first, second = np.array(pairs).T
    order[first], order[second] = second, first
    return order
