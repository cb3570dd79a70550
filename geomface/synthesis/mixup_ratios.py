"""The grid of ratios at which people, or pictures of two domains, are mixed."""

import dataclasses
from typing import TYPE_CHECKING

from geomface.errors import SettingsError
from geomface.ranges import POSITIVE, SHARE, require_numbers

if TYPE_CHECKING:
    from geomface.arrays import FloatArray


@dataclasses.dataclass(frozen=True)
class MixupSettings:
    """Ratios of a mixup, each as likely.

    Example
    -------
    >>> from geomface.recognition import MixupSettings
    >>> MixupSettings(0.5, 1.0, 0.25).grid.tolist()
    [0.5, 0.75, 1.0]
    """

    low: float = 0.0
    """The least."""
    high: float = 1.0
    """The greatest; 1 is not mixed."""
    step: float = 0.05
    """From one to the next."""

    def __post_init__(self) -> None:
        require_numbers(self, low=SHARE, high=SHARE, step=POSITIVE)
        _steps(self.low, self.high, self.step)

    @property
    def grid(self) -> "FloatArray":
        """The ratios, ascending."""
        return phi_grid(self.low, self.high, self.step)


def phi_grid(low: float = 0.0, high: float = 1.0, step: float = 0.05) -> "FloatArray":
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
    >>> from geomface.recognition import phi_grid
    >>> len(phi_grid()), len(phi_grid(0.6, 1.0, 0.05))
    (21, 9)
    """
    import numpy as np  # only here: the command line's help reads settings without it

    return np.linspace(low, high, _steps(low, high, step) + 1)


def parse_ratios(text: str) -> MixupSettings:
    """Return the ratios that a text such as `0.6:1:0.05` or `0.8` describes.

    Parameters
    ----------
    text : `low:high:step`, `low:high` with steps of 0.05, or one ratio

    Raises
    ------
    SettingsError : a text of another form, or ratios that are none
    """
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3:
        raise SettingsError(
            f"mixup: expected low:high:step, such as 0:1:0.05, or one ratio, got {text!r}."
        )
    return MixupSettings(*(numbers * 2 if len(numbers) == 1 else numbers))


def _steps(low: float, high: float, step: float) -> int:
    """Return how many steps lead from low to high."""
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
    return count
