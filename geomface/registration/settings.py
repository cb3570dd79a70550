"""Settings of the non-rigid registration. Lengths are millimetres at adult face size."""

import dataclasses

from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, POSITIVE, require_numbers

METHODS = ("coarse-to-fine",)


@dataclasses.dataclass(frozen=True)
class RegistrationSettings:
    """How a template is fitted to a scan.

    Lengths are meant at the size of an adult face: the template is scaled internally to a
    bounding-box diagonal of `size_mm`, so the result does not depend on the unit of the files.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> scan = gf.simulate_scan(face, rng=np.random.default_rng(1))
    >>> quick = gf.RegistrationSettings(stiffness=(1e5, 1.3e3), final_matches=1)
    >>> gf.register(face.template, scan.mesh, scan.landmarks, settings=quick).iterations
    3
    """

    method: str = "coarse-to-fine"
    """Name of the method, for records and keys: coarse-to-fine is the only one."""
    stiffness: tuple[float, ...] = (1e5, 1.15e4, 1.3e3, 150.0, 17.0, 2.0)
    """Bending stiffness of each level, mm^2: deformations shorter than about
    2 pi (stiffness / 0.7)^(1/4) mm are suppressed."""
    matches_per_level: int = 2
    """Largest number of re-matchings on one level."""
    final_matches: int = 4
    """Largest number of re-matchings on the last level."""
    stop_motion_mm: float = 0.02
    """A level ends early when the mean vertex motion falls below this."""
    landmark_sigma_mm: float = 1.0
    """Standard deviation per axis of a landmark that brings none of its own."""
    landmark_emphasis: float = 50.0
    """How much more than statistically right landmarks count while the template is still stiff."""
    normal_feature_mm: tuple[float, float] = (10.0, 4.0)
    """Matching metric: one unit of normal difference counts as so many mm, first and last level."""
    feature_pull: float = 1.0
    """Tangential share of the data term at strongly curved features; flat skin slides freely."""
    prior_stiffness: float = 4.0
    """With a model as prior the last level is so many times stiffer: only what the model misses is
    left to bend."""
    prior_pull: float = 0.5
    """With a model as prior `feature_pull` counts so much: the model tells where skin belongs."""
    distance_gate_mm: tuple[float, float] = (20.0, 4.0)
    """Matches farther than this are rejected, first and last level."""
    normal_gate_degrees: tuple[float, float] = (60.0, 37.0)
    """Matches whose normals differ more are rejected, first and last level."""
    boundary_margin_mm: float = 0.01
    """Matches closer than this to the scan's own rim are rejected (lips and lids are exempt)."""
    rim_width_mm: float = 4.0
    """Vertices this near to the rim of an eye or the mouth count as lid or lip."""
    robust_scale: float = 2.5
    """Residuals beyond so many robust standard deviations lose their weight."""
    two_way: bool = True
    """Also pull the template towards scan points that no template vertex chose."""
    minimum_kept: float = 0.15
    """Smallest share of the visible template that must find a match."""
    size_mm: float = 278.0
    """Bounding-box diagonal of the template during the fit."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            stiffness=POSITIVE,
            matches_per_level=COUNT,
            final_matches=COUNT,
            stop_motion_mm=NOT_NEGATIVE,
            landmark_sigma_mm=POSITIVE,
            landmark_emphasis=NOT_NEGATIVE,
            normal_feature_mm=POSITIVE,
            feature_pull=NOT_NEGATIVE,
            prior_stiffness=NOT_NEGATIVE,
            prior_pull=NOT_NEGATIVE,
            distance_gate_mm=POSITIVE,
            normal_gate_degrees=POSITIVE,
            boundary_margin_mm=NOT_NEGATIVE,
            rim_width_mm=NOT_NEGATIVE,
            robust_scale=POSITIVE,
            minimum_kept=BELOW_ONE,
            size_mm=POSITIVE,
        )
        if self.method not in METHODS:
            raise SettingsError(
                f"method: expected one of {', '.join(METHODS)}, got {self.method!r}."
            )
        if not self.stiffness:
            raise SettingsError("stiffness: expected one or more positive numbers, got none.")
