"""Latent codes: named blocks for the factors and one for everything else."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.errors import SettingsError

NOISE = "noise"


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
        if self.dims < 1:
            raise SettingsError(
                f"factor {self.name}: expected a code of 1 number or more, got {self.dims}. Leave "
                "the factor out if it shall not vary."
            )
        if not self.name or self.name == NOISE:
            raise SettingsError(f"factor: expected a name other than {NOISE!r}, got {self.name!r}.")


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
        values = np.ascontiguousarray(self.values, np.float32)
        if values.ndim != 2 or values.shape[1] != self.spec.size or not np.isfinite(values).all():
            raise SettingsError(
                f"codes: expected finite numbers (N, {self.spec.size}), got shape {values.shape}."
            )
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | np.ndarray | Sequence[int]) -> "Codes":
        return Codes(self.spec, self.values[rows])

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
        return self.replace(**{name: self.part(name) + part for name, part in parts.items()})

    def interpolate(
        self, other: "Codes", share: float, parts: Sequence[str] | None = None
    ) -> "Codes":
        """Return codes on the lines to others: share 0 gives these, 1 the other's `parts`."""
        names = self.spec.names if parts is None else parts
        return self.replace(
            **{n: (1.0 - share) * self.part(n) + share * other.part(n) for n in names}
        )

    def _set(self, values: np.ndarray, name: str, part: np.ndarray) -> None:
        span = self.spec.span(name)
        part, width = np.asarray(part, np.float32), span.stop - span.start
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
    """
    values = np.random.default_rng(seed).standard_normal((count, spec.size), np.float32)
    return Codes(spec, values)
