"""The last strokes of the chisel: shallow forms laid over the faired surface."""

from builtin_face.fields import push, push_line
from builtin_face.identity import NASOLABIAL
from geomface.arrays import FloatArray


def strokes(points: FloatArray) -> FloatArray:
    """Return (V, 3): the displacement by all strokes, millimetres, at the points (V, 3)."""
    p = points
    fold = push_line(p, NASOLABIAL, (3.0, 3.4, 6), (-0.15, 0, -0.45))
    fold += push(p, (32, -15, 102), (6, 10, 9), (0.1, 0, 0.5))
    trough = push_line(p, [(18, 26, 96), (23, 21, 98), (30, 17.5, 99)], (3, 2.6, 6), (0, 0, -0.4))
    return (
        fold
        + trough
        + push(p, (52, 9, 87), (12, 9, 14), (0.7, 0.1, 0.8))
        + push(p, (46, -21, 86), (10, 13, 14), (-0.5, 0, -0.5))
        + push(p, (57, 62, 73), (9, 12, 16), (-0.8, 0, -0.6))
        + push(p, (52, -45, 56), (10, 11, 16), (0.9, -0.4, 0))
        + push(p, (4.6, -18, 116), (1.9, 5, 6), (0, 0, 0.25))
        + push(p, (0, -18, 116), (2.0, 5, 6), (0, 0, -0.35))
        + push(p, (33, 49.5, 100), (11, 3.4, 8), (0, -0.3, 0.7))
        + push(p, (0, -69, 111), (13, 8, 12), (0, 0, 0.6))
        + push(p, (21, -44, 106), (5, 5, 8), (0, 0, -0.4))
    )
