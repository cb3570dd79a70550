"""Controlled sets: the same picture again and again, with chosen factors on a grid."""

import math
from collections.abc import Mapping, Sequence

from geomface.errors import SettingsError

FACTORS = (
    "yaw",
    "pitch",
    "roll",
    "light_azimuth",
    "light_elevation",
    "light_share",
    "light_intensity",
    "scale",
    "distance",
    "offset_x",
    "offset_y",
    "background",
)
"""What a grid may fix, besides the names of the face model's expressions."""

_MOST = 100_000
_END = 1e-9


def parse_factors(words: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return {factor: levels} of words such as `yaw=-60:60:30` or `jawOpen=0,0.5,1`.

    Parameters
    ----------
    words : `name=first:last:step` (both ends belong to it) or `name=value,value,...`

    Raises
    ------
    SettingsError : a word of another form, a step that does not lead from first to last, a factor
        twice.
    """
    factors: dict[str, tuple[float, ...]] = {}
    for word in words:
        name, _, text = word.partition("=")
        if not name or not text:
            raise _refusal(word)
        if name in factors:
            raise SettingsError(f"grid factor {name!r}: given twice. Give it all its levels once.")
        factors[name] = _levels(word, text)
    return factors


def _levels(word: str, text: str) -> tuple[float, ...]:
    try:
        if ":" not in text:
            levels = tuple(float(part) for part in text.split(","))
        else:
            first, last, step = (float(part) for part in text.split(":"))
            if not all(map(math.isfinite, (first, last, step))) or step == 0:
                raise _refusal(word)
            steps = (last - first) / step
            if not 0 <= steps <= _MOST:
                raise SettingsError(
                    f"grid factor {word!r}: a step of {step:g} does not lead from {first:g} to "
                    f"{last:g} in at most {_MOST} steps."
                )
            levels = tuple(first + step * k for k in range(math.floor(steps + _END) + 1))
    except ValueError:
        raise _refusal(word) from None
    if not all(map(math.isfinite, levels)):
        raise _refusal(word)
    return levels


def grid_size(factors: Mapping[str, Sequence[float]]) -> int:
    """Return the number of combinations."""
    return math.prod(len(levels) for levels in factors.values())


def grid_point(factors: Mapping[str, Sequence[float]], sample: int) -> dict[str, float]:
    """Return the levels of one combination; the last factor changes fastest."""
    point = {}
    for name, levels in reversed(list(factors.items())):
        sample, place = divmod(sample, len(levels))
        point[name] = float(levels[place])
    return dict(reversed(list(point.items())))


def _refusal(word: str) -> SettingsError:
    return SettingsError(
        f"grid factor {word!r}: expected name=first:last:step or name=value,value, such as "
        "yaw=-60:60:30."
    )
