"""Settings of the fit to a picture."""

import dataclasses

from geomface.errors import SettingsError
from geomface.fitting.settings import CAMERAS, ImageFitSettings
from geomface.ranges import COUNT, NOT_NEGATIVE, POSITIVE, require_numbers


@dataclasses.dataclass(frozen=True)
class PictureFitSettings:
    """How a morphable model is fitted to one picture by rendering it."""

    camera: str = "perspective"
    """The kind of camera: perspective or weak-perspective."""
    face_sizes_px: tuple[float, ...] = (60.0, 120.0, 200.0)
    """Coarse to fine: the face is looked at with so many pixels across."""
    steps: tuple[int, ...] = (10, 10, 15)
    """Largest number of steps at each size."""
    most_pixels: int = 4000
    """Pixels used at one size; of more, an even selection."""
    region: str = "narrow_face"
    """Region of the template whose pixels count, without ears, neck and what hair hides; all of
    the face where the template has no region of this name."""
    correlated_mm: float = 30.0
    """Neighbouring pixels err in common, since no model knows all skin, hair and shadows: how far
    is measured in the picture, up to this distance."""
    least_sigma: float = 0.01
    """The picture is never believed to be more exact than this, in sRGB values of [0, 1]."""
    most_sigma: float = 0.05
    """Nor less exact than this: what differs more is no skin, however much of it there is."""
    skin_sigma: float = 0.06
    """How far skin leaves the colours of the model; where a patch differs more, hair, glasses or a
    hand are in front, and its pixels do not count."""
    robust_scale: float = 3.0
    """Pixels beyond so many standard deviations lose their weight."""
    landmark_weights: tuple[float, ...] = (1.0, 1.0, 1.0)
    """How far landmarks count beside the pixels, at each size."""
    landmarks: ImageFitSettings = dataclasses.field(default_factory=ImageFitSettings)
    """How the landmarks start the fit, and how exact they are."""
    ambient_sigma: float = 2.0
    """Standard deviation of the light from all around."""
    light_sigma: float = 1.0
    """Standard deviation of the other coefficients of the light."""
    light_color_sigma: float = 0.1
    """Standard deviation of the colour of the light: of each channel from their mean."""
    albedo_modes: int = 60
    """Modes of the procedural skin that stands in for a model without colours."""
    extract_albedo: bool = True
    """At the end let every vertex leave the albedo of the model where the picture shows it."""
    stop_motion_px: float = 0.03
    """A size ends when the face moves less than this in the picture (root mean square)."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            face_sizes_px="[16, inf)",
            steps=COUNT,
            most_pixels=COUNT,
            correlated_mm=POSITIVE,
            least_sigma=POSITIVE,
            most_sigma=POSITIVE,
            skin_sigma=POSITIVE,
            robust_scale=POSITIVE,
            landmark_weights=NOT_NEGATIVE,
            ambient_sigma=POSITIVE,
            light_sigma=POSITIVE,
            light_color_sigma=POSITIVE,
            albedo_modes=COUNT,
            stop_motion_px=POSITIVE,
        )
        if self.camera not in CAMERAS:
            raise SettingsError(
                f"camera: expected one of {', '.join(CAMERAS)}, got {self.camera!r}."
            )
        counts = {len(self.face_sizes_px), len(self.steps), len(self.landmark_weights)}
        if len(counts) != 1 or 0 in counts:
            raise SettingsError(
                "face_sizes_px, steps, landmark_weights: expected one number a size each, got "
                f"{len(self.face_sizes_px)}, {len(self.steps)} and {len(self.landmark_weights)}."
            )
        if self.most_sigma < self.least_sigma:
            raise SettingsError(
                f"most_sigma: expected at least least_sigma, {self.least_sigma:g}, got "
                f"{self.most_sigma:g}."
            )
