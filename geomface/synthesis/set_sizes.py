"""How many pictures each person of a set has: all alike, or few of most and many of some."""

from collections.abc import Sequence

from geomface.errors import SettingsError
from geomface.ranges import COUNT, require_number

LONG_TAILS = {
    "ub1": (2, 2, 6, 40, 200),
    "ub2": (4, 16, 30, 80, 120),
    "balanced": (50, 50, 50, 50, 50),
}
"""Pictures a person in five groups of people, 50 on average.

Source: Qiu et al. 2021, SynFace, Eq. 4 and Fig. 6 (2K_UB1, 2K_UB2, 2K_50).
"""


def long_tail(name: str, mean: int = 50) -> tuple[int, ...]:
    """Return the pictures a person in the five groups of a preset, scaled to another mean.

    n_g = max(1, about N_g mean / 50), sum n_g = 5 mean

    Parameters
    ----------
    name : one of `LONG_TAILS`
    mean : pictures a person on average, 1 or more

    Raises
    ------
    SettingsError : an unknown name or a mean below 1

    Example
    -------
    >>> long_tail("ub1"), long_tail("ub1", 10)
    ((2, 2, 6, 40, 200), (1, 1, 1, 8, 39))
    """
    require_number("samples", mean, COUNT, whole=True)
    if name not in LONG_TAILS:
        raise SettingsError(f"samples: expected one of {', '.join(LONG_TAILS)}, got {name!r}.")
    wanted = [count * mean / 50 for count in LONG_TAILS[name]]
    counts = [max(round(count), 1) for count in wanted]
    # Nobody is without a picture: the largest groups pay for it, and for what rounding leaves.
    while sum(counts) > 5 * mean:
        counts[counts.index(max(counts))] -= 1
    counts[-1] += 5 * mean - sum(counts)
    return tuple(counts)


def parse_samples(text: str, mean: int | None = None) -> tuple[int, ...]:
    """Return pictures a person of a text: a name of `LONG_TAILS`, or numbers such as `2,6,40`.

    Parameters
    ----------
    mean : pictures a person on average, under a name; None is 10

    Raises
    ------
    SettingsError : a text of another form, or numbers and a mean
    """
    if text in LONG_TAILS:
        return long_tail(text, 10 if mean is None else mean)
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise SettingsError(
            f"samples: expected {', '.join(LONG_TAILS)} or numbers such as 2,2,6,40,200, got "
            f"{text!r}."
        )
    if mean is not None:
        raise SettingsError(
            f"samples: {text} says how many pictures people have: leave out {mean}."
        )
    return tuple(int(part) for part in parts)


def require_samples_of(counts: Sequence[int], *, alone: bool) -> None:
    """Refuse counts that are none, or that something else says as well."""
    for count in counts:
        require_number("samples_of", count, "[1, 10000000]", whole=True)
    if counts and not alone:
        raise SettingsError(
            "samples_of, samples and factors each say how many pictures a person has: give one."
        )


def pictures_before(counts: Sequence[int], identity: int) -> int:
    """Return how many pictures come before those of a person, given those of 0, 1 and so on."""
    rounds, rest = divmod(identity, len(counts))
    return rounds * sum(counts) + sum(counts[:rest])


def picture_of(counts: Sequence[int], number: int) -> tuple[int, int]:
    """Return (identity, sample) of a picture, counted person after person."""
    rounds, rest = divmod(number, sum(counts))
    for place, count in enumerate(counts):
        if rest < count:
            return rounds * len(counts) + place, rest
        rest -= count
    raise AssertionError("the rest is below the sum")
