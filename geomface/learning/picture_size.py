"""Sizes of pictures that networks halve."""

from geomface.errors import SettingsError

SMALLEST_SIZE = 16
"""Pixels a side."""


def require_halved_twice(size: int) -> None:
    """Raise `SettingsError` unless a side is a multiple of 4 from 16."""
    if size % 4 or size < SMALLEST_SIZE:
        raise SettingsError(
            f"size: expected a multiple of 4 from {SMALLEST_SIZE}, which the networks halve twice, "
            f"got {size}. Take {max(size // 4 * 4, SMALLEST_SIZE)}."
        )
