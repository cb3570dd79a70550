"""Latent codes: named blocks for the factors and one for everything else."""

import dataclasses
import keyword
from collections.abc import Sequence

import numpy as np
import torch

from geomface.errors import SettingsError
from geomface.ranges import require_number

NOISE = "noise"
LARGEST_BLOCK = 4096
"""Numbers of one part of a code."""
LARGEST_DRAW = 1_000_000
"""Codes drawn at once."""
_TAKEN = frozenset(dir(torch.nn.Module())) | {NOISE, "images", "self", "count", "seed", "alpha"}
"""Names of columns, arguments and parts of networks, which no factor may have."""


@dataclasses.dataclass(frozen=True)
class Factor:
    """Something that varies by itself, such as who a face belongs to.

    Parameters
    ----------
    name : such as "identity"
    dims : length of its code
    classes : names of the labels that some faces bear
    classified : False leaves it without a classifier, to be compared with
    """

    name: str
    dims: int
    classes: tuple[str, ...] = ()
    classified: bool = True

    def __post_init__(self) -> None:
        name, dims = self.name, self.dims
        if not (isinstance(name, str) and name.isidentifier()) or keyword.iskeyword(name):
            raise SettingsError(
                f"factor: expected a name of letters, digits and underscores, got {name!r}. Rename "
                "the column of the label table."
            )
        if name in _TAKEN:
            raise SettingsError(
                f"factor: expected a name that nothing else here has, got {name!r}. Rename the "
                f"column of the label table, such as {name}_of_face."
            )
        interval = f"[1, {LARGEST_BLOCK}]"  # who wants a factor not to vary leaves it out
        require_number(f"dims of factor {name}", dims, interval, whole=True)


@dataclasses.dataclass(frozen=True)
class LatentSpec:
    """Which part of a code stands for what: the factors in order, then the noise.

    Parameters
    ----------
    factors : at least one
    noise : length of the last block
    """

    factors: tuple[Factor, ...]
    noise: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= LARGEST_BLOCK:
            raise SettingsError(
                f"noise: expected a code of 0 to {LARGEST_BLOCK} numbers, got {self.noise}."
            )

    @property
    def size(self) -> int:
        """Length of a whole code."""
        return sum(factor.dims for factor in self.factors) + self.noise

    @property
    def names(self) -> tuple[str, ...]:
        """Of all blocks."""
        return (*(factor.name for factor in self.factors), NOISE)

    def factor(self, name: str) -> Factor:
        """Return a factor by its name, or say which there are (SettingsError)."""
        for factor in self.factors:
            if factor.name == name:
                return factor
        known = ", ".join(factor.name for factor in self.factors)
        raise SettingsError(f"expected one of the factors {known}, got {name!r}.")

    def span(self, name: str) -> slice:
        """Return the columns of a block."""
        start = 0
        for factor in self.factors:
            if factor.name == name:
                return slice(start, start + factor.dims)
            start += factor.dims
        if name != NOISE:
            self.factor(name)
        return slice(start, start + self.noise)


@dataclasses.dataclass(frozen=True, eq=False)
class Codes:
    """Latent codes of N faces; every operation returns new ones.

    Parameters
    ----------
    spec : what their columns stand for
    values : (N, spec.size) float32

    Example
    -------
    >>> from geomface.gan.factored_geometry import Factor, LatentSpec, draw_codes
    >>> spec = LatentSpec((Factor("identity", 3), Factor("expression", 2)), noise=1)
    >>> one, two = draw_codes(spec, 2, seed=0)[:1], draw_codes(spec, 2, seed=0)[1:]
    >>> mixed = one.replace(expression=two.part("expression"))
    >>> bool((mixed.part("identity") == one.part("identity")).all()), mixed.values.shape
    (True, (1, 6))
    """

    spec: LatentSpec
    values: np.ndarray

    def __post_init__(self) -> None:
        given = _numbers(self.values, "codes")
        if given.ndim != 2 or given.shape[1] != self.spec.size:
            raise SettingsError(
                f"codes: expected numbers of shape (N, {self.spec.size}), got {given.shape}."
            )
        object.__setattr__(self, "values", np.ascontiguousarray(given))

    def __repr__(self) -> str:
        parts = ", ".join(f"{factor.name} {factor.dims}" for factor in self.spec.factors)
        return f"Codes({len(self)}: {parts}, {NOISE} {self.spec.noise})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | np.ndarray | Sequence[int]) -> "Codes":
        try:
            chosen = self.values[rows]
        except (IndexError, TypeError, ValueError) as error:
            raise SettingsError(
                f"codes: expected rows below {len(self)}, got {rows!r} ({error})."
            ) from error
        return Codes(self.spec, chosen)

    def part(self, name: str) -> np.ndarray:
        """Return the (N, d) columns of a factor, or of "noise"."""
        return self.values[:, self.spec.span(name)]

    def replace(self, **parts: np.ndarray) -> "Codes":
        """Return codes in which some parts are others: identity=(N, d) or (d,) for all."""
        values = self.values.copy()
        for name, part in parts.items():
            self._set(values, name, part)
        return Codes(self.spec, values)

    def add(self, **parts: np.ndarray) -> "Codes":
        """Return codes to whose parts something is added: expression=(N, d) or (d,) for all."""
        return self.replace(
            **{name: self.part(name) + _numbers(part, name) for name, part in parts.items()}
        )

    def interpolate(
        self, other: "Codes", share: float, parts: Sequence[str] | None = None
    ) -> "Codes":
        """Return codes on the lines to others: share 0 gives these, 1 the other's `parts`.

        Raises
        ------
        SettingsError : codes of other parts, or another number of them that is not one
        """
        if not isinstance(other, Codes) or other.spec.size != self.spec.size:
            raise SettingsError(
                f"interpolate: expected codes of {self.spec.size} numbers, got {other!r}."
            )
        if len(other) not in (1, len(self)):
            raise SettingsError(f"interpolate: expected one code or {len(self)}, got {len(other)}.")
        names = self.spec.names if parts is None else parts
        return self.replace(
            **{n: (1.0 - share) * self.part(n) + share * other.part(n) for n in names}
        )

    def _set(self, values: np.ndarray, name: str, part: np.ndarray) -> None:
        span = self.spec.span(name)
        part, width = _numbers(part, name), span.stop - span.start
        if part.shape not in ((width,), (1, width), (len(values), width)):
            raise SettingsError(
                f"{name}: expected a code of {width} numbers, or one for each of {len(values)} "
                f"faces, got shape {part.shape}."
            )
        values[:, span] = part


def stack_codes(codes: Sequence[Codes]) -> Codes:
    """Return the codes of several sets one after the other."""
    return Codes(codes[0].spec, np.concatenate([item.values for item in codes]))


def draw_codes(spec: LatentSpec, count: int, *, seed: int = 0) -> Codes:
    """Draw codes from N(0, I).

    Parameters
    ----------
    spec : of the codes
    count : how many
    seed : of the draw

    Raises
    ------
    SettingsError : a count or seed that is no whole number, or too large a count
    """
    for name, value, least, most in (
        ("codes to draw", count, 0, LARGEST_DRAW),
        ("seed", seed, 0, np.inf),
    ):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or not least <= value <= most:
            raise SettingsError(
                f"{name}: expected a whole number from {least}"
                f"{'' if most == np.inf else f' to {most}'}, got {value!r}."
            )
    values = np.random.default_rng(seed).standard_normal((count, spec.size), np.float32)
    return Codes(spec, values)


def _numbers(values: object, name: str) -> np.ndarray:
    """Return real, finite numbers as float32, or say that they are none (SettingsError)."""
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "fiu":
            raise TypeError(f"type {found.dtype}")
        with np.errstate(over="ignore"):
            found = found.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name}: expected an array of numbers, got {error}.") from error
    if not np.isfinite(found).all():
        count = int((~np.isfinite(found)).sum())
        raise SettingsError(
            f"{name}: expected finite numbers, got {count} that are NaN, infinite or too large."
        )
    return found
