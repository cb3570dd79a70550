"""The grid of ratios at which people, or pictures of two domains, are mixed."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.ranges import POSITIVE, SHARE, require_numbers


@dataclasses.dataclass(frozen=True)
class MixupSettings:
    """Ratios of a mixup, each as likely."""

    low: float = 0.0
    """The least."""
    high: float = 1.0
    """The greatest; 1 is not mixed."""
    step: float = 0.05
    """From one to the next."""

    def __post_init__(self) -> None:
        require_numbers(self, low=SHARE, high=SHARE, step=POSITIVE)
        phi_grid(self.low, self.high, self.step)

    @property
    def grid(self) -> FloatArray:
        """The ratios, ascending."""
        return phi_grid(self.low, self.high, self.step)


def phi_grid(low: float = 0.0, high: float = 1.0, step: float = 0.05) -> FloatArray:
    """Return the ratios low, low + step, ..., high, both ends included; counted, not added up.

    Returns
    -------
    (n,) float64, n = (high - low) / step + 1

    Raises
    ------
    SettingsError : low above high, or steps that do not meet the high end

    Source
    ------
    Qiu et al. 2021, SynFace, Sec. 3.3: 0 to 1 by 0.05 are 21 ratios. For 0.6 to 1 by 0.05 they
    print 11, which is a step of 0.04; there are 9.

    Example
    -------
    >>> len(phi_grid()), len(phi_grid(0.6, 1.0, 0.05))
    (21, 9)
    """
    if not low <= high or not step > 0:
        raise SettingsError(
            f"mixup: expected low <= high and a positive step, got {low}, {high} and {step}."
        )
    steps = (high - low) / step
    count = round(steps)
    if abs(steps - count) > 1e-6:
        raise SettingsError(
            f"mixup: expected steps that lead from {low} to {high}, got {step}, of which "
            f"{steps:.3g} fit. Try {(high - low) / max(count, 1):g}."
        )
    return np.linspace(low, high, count + 1)
