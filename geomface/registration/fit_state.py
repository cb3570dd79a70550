"""What one fit leaves behind: its steps, and how it ends."""

import dataclasses
from collections.abc import Callable

from geomface.arrays import BoolArray, FloatArray

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class RegistrationStep:
    """One re-matching: level, bending stiffness, robust scale (mm), kept share, motion (mm)."""

    level: int
    stiffness: float
    scale_mm: float
    kept_fraction: float
    motion_mm: float


@dataclasses.dataclass(frozen=True, eq=False)
class FitState:
    """The end of a fit, in the template's frame and millimetres at adult size."""

    vertices: FloatArray
    confidence: FloatArray
    visible: BoolArray
    accepted: BoolArray
    flips: int
    rim_crossings: int
    converged: bool
    history: tuple[RegistrationStep, ...]
