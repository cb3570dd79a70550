"""Settings of the model fits. Lengths are millimetres in the model's frame."""

import dataclasses

from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, POSITIVE, require_numbers


@dataclasses.dataclass(frozen=True)
class ScanFitSettings:
    """How a morphable model is fitted to a scan.

    Coarse rounds match a part of the vertices and free one mode after the other; fine rounds match
    all of them until the face stands still.
    """

    coarse_rounds: int = 8
    """Rounds on a part of the vertices."""
    fine_rounds: int = 10
    """Largest number of rounds on all vertices."""
    stop_motion_mm: float = 0.05
    """The fine rounds end when the mean motion of the matched vertices falls below this."""
    subsample: int = 6
    """Coarse rounds match one vertex in so many."""
    first_modes: int = 20
    """Shape modes of the first round; more are freed round by round."""
    normal_feature_mm: tuple[float, float] = (10.0, 4.0)
    """Matching metric: one unit of normal difference counts as so many mm, first and last round."""
    distance_gate_mm: tuple[float, float] = (20.0, 4.0)
    """Matches farther than this are rejected, first and last round."""
    normal_gate_degrees: tuple[float, float] = (60.0, 40.0)
    """Matches whose normals differ more are rejected, first and last round."""
    boundary_margin_mm: float = 1.0
    """Matches closer than this to the scan's own rim are rejected."""
    point_share: float = 0.1
    """Share of point-to-point in the coarse rounds; the fine ones measure along normals only, since
    the model slides along the surface to where it belongs."""
    robust_scale: float = 2.5
    """Residuals beyond so many robust standard deviations lose their weight."""
    least_noise_mm: float = 0.15
    """The noise is re-estimated in every round, but never below this."""
    independent_mm: float = 14.0
    """Neighbouring vertices do not err independently: one measurement counts for a square of this
    width, so that the prior keeps its weight however fine the mesh is."""
    landmark_sigma_mm: float = 1.0
    """Standard deviation per axis of a landmark that brings none of its own."""
    model_sigma_mm: float = 0.7
    """Standard deviation per axis of what no face of the model can reach; added to landmarks."""
    expression_rate: float = 5.0
    """Blendshape weights w in [0, 1] are expected with probability exp(-rate w)."""
    fit_scale: bool = True
    """Also estimate the scale; switch off for a model and a scan that are both in true size."""
    minimum_kept: float = 0.15
    """Smallest share of the visible model that must find a match."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            coarse_rounds=COUNT,
            fine_rounds=COUNT,
            stop_motion_mm=POSITIVE,
            subsample=COUNT,
            first_modes=NOT_NEGATIVE,
            normal_feature_mm=POSITIVE,
            distance_gate_mm=POSITIVE,
            normal_gate_degrees=POSITIVE,
            boundary_margin_mm=NOT_NEGATIVE,
            point_share=BELOW_ONE,
            robust_scale=POSITIVE,
            least_noise_mm=POSITIVE,
            independent_mm=POSITIVE,
            landmark_sigma_mm=POSITIVE,
            model_sigma_mm=NOT_NEGATIVE,
            expression_rate=NOT_NEGATIVE,
            minimum_kept=BELOW_ONE,
        )


@dataclasses.dataclass(frozen=True)
class LandmarkFitSettings:
    """How a morphable model is fitted to landmarks in space."""

    landmark_sigma_mm: float = 1.0
    """Standard deviation per axis of a landmark that brings none of its own."""
    model_sigma_mm: float = 0.7
    """Standard deviation per axis of what no face of the model can reach."""
    expression_rate: float = 5.0
    """Blendshape weights w in [0, 1] are expected with probability exp(-rate w)."""
    robust_scale: float = 4.0
    """Landmarks beyond so many standard deviations lose their weight."""
    fit_scale: bool = True
    """Also estimate the scale."""
    stop_motion_mm: float = 1e-3
    """Stop when no landmark moves farther than this."""
    most_steps: int = 50
    """Largest number of steps."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            landmark_sigma_mm=POSITIVE,
            model_sigma_mm=NOT_NEGATIVE,
            expression_rate=NOT_NEGATIVE,
            robust_scale=POSITIVE,
            stop_motion_mm=POSITIVE,
            most_steps=COUNT,
        )


@dataclasses.dataclass(frozen=True)
class ModelRegistrationSettings:
    """How a scan is registered by a morphable model, a smooth field and a fine one."""

    fit: ScanFitSettings = dataclasses.field(default_factory=ScanFitSettings)
    """The fit of the model alone, from which the rest starts."""
    smooth_length_mm: float = 25.0
    """Correlation length of the smooth displacement that the model does not know."""
    smooth_sigma_mm: float = 0.7
    """Its standard deviation along each axis."""
    smooth_rounds: int = 25
    """Largest number of rounds of model and smooth displacement together."""
    independent_mm: float = 6.0
    """One independent measurement a square of this width while the smooth displacement is fitted:
    it takes up what neighbouring vertices err in common."""
    detail_length_mm: float = 12.0
    """Range of the fine displacement along the normals."""
    detail_sigma_mm: float = 0.6
    """Its standard deviation is estimated, up to this; it is left out below `least_detail_mm`."""
    least_detail_mm: float = 0.05
    """Smallest fine displacement worth fitting."""
    detail_rounds: int = 2
    """Largest number of re-matchings of the fine displacement; 0 leaves it out."""
    scan_area_mm2: float = 6.0
    """One independent measurement of the scan's noise for so much surface."""
    least_noise_mm: float = 0.1
    """The noise of the scan is never believed to be smaller."""
    stop_motion_mm: float = 0.02
    """The fine displacement ends when it moves less than this."""
    model_error_mm: float = 0.4
    """Expected error of a fit that leaves no fine displacement."""
    error_per_detail: float = 3.0
    """It grows by so much for every mm of fine displacement: what the model missed along the
    normals tells what it missed along the surface, where no scan shows it."""
    free_error_mm: float = 0.6
    """Expected error of the free registration that is averaged in; infinity leaves it out."""
    least_free_share: float = 0.05
    """The free registration is not worth its time below this weight."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            smooth_length_mm=POSITIVE,
            smooth_sigma_mm=POSITIVE,
            smooth_rounds=COUNT,
            independent_mm=POSITIVE,
            detail_length_mm=POSITIVE,
            detail_sigma_mm=POSITIVE,
            least_detail_mm=POSITIVE,
            detail_rounds=NOT_NEGATIVE,
            scan_area_mm2=POSITIVE,
            least_noise_mm=POSITIVE,
            stop_motion_mm=POSITIVE,
            model_error_mm=POSITIVE,
            error_per_detail=NOT_NEGATIVE,
            free_error_mm="(0, inf]",
            least_free_share=NOT_NEGATIVE,
        )


CAMERAS = ("weak-perspective", "perspective")
CONTOURS = ("auto", "slide", "fixed")


@dataclasses.dataclass(frozen=True)
class ImageFitSettings:
    """How a morphable model is fitted to landmarks in an image."""

    sigma_px: float | None = None
    """Standard deviation per axis of a landmark in the image, pixels; None: found by the size of
    the face and by what no face explains."""
    sigma_mm: float = 1.5
    """What is expected of it before, on the face."""
    model_sigma_mm: float = 0.7
    """Standard deviation per axis of what no face of the model can reach."""
    expression_rate: float = 5.0
    """Blendshape weights w in [0, 1] are expected with probability exp(-rate w)."""
    robust_scale: float = 4.0
    """Landmarks beyond so many standard deviations lose their weight."""
    contour: str = "auto"
    """The 17 points of the jaw: slide to where the face ends for the camera (as in photographs),
    fixed on the skin (as in renderings that project the model's own points), or auto: the more
    probable of the two."""
    contour_along_mm: float = 6.0
    """Standard deviation of a sliding landmark along the contour."""
    contour_across_mm: float = 2.0
    """Standard deviation of a sliding landmark across the contour, beside that of the image."""
    stop_motion_px: float = 1e-3
    """Stop when no landmark moves farther than this in the image."""
    contour_steps: int = 12
    """After so many steps sliding landmarks keep their place on the skin."""
    most_steps: int = 50
    """Largest number of steps."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            sigma_px=POSITIVE,
            sigma_mm=POSITIVE,
            model_sigma_mm=NOT_NEGATIVE,
            expression_rate=NOT_NEGATIVE,
            robust_scale=POSITIVE,
            contour_along_mm=POSITIVE,
            contour_across_mm=POSITIVE,
            stop_motion_px=POSITIVE,
            contour_steps=COUNT,
            most_steps=COUNT,
        )
        if self.contour not in CONTOURS:
            raise SettingsError(
                f"contour: expected one of {', '.join(CONTOURS)}, got {self.contour!r}."
            )
