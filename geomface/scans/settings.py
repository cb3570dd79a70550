"""Settings of simulated scans; light enough for the command line's help."""

import dataclasses

from geomface.errors import SettingsError
from geomface.ranges import NOT_NEGATIVE, POSITIVE, require_numbers, require_ordered

OCCLUDERS = ("hat", "hair", "strands", "scarf")
"""What can cover a face in a scan; `occluders.cover_surface` describes them."""


@dataclasses.dataclass(frozen=True)
class ScanSettings:
    """How scans are simulated; the defaults resemble a two-pod studio scanner.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> small = gf.ScanSettings(vertices=2000, surround=False)
    >>> rng = np.random.default_rng(1)
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=rng, settings=small)
    >>> bool(len(scan.mesh.vertices) < 4000)
    True
    """

    vertices: int = 12_000
    """Wanted number of scan vertices (triangles: about twice as many)."""
    expression: float = 1.0
    """Strength of the random expression, 0 for neutral faces."""
    deformation_mm: float = 1.2
    """RMS length of a smooth deformation outside the linear model."""
    surround: bool = True
    """Add head, neck and shoulders around the face mask."""
    pod_yaw_degrees: float = 28.0
    """The two pods stand this far to the left and to the right."""
    pod_pitch_degrees: float = 0.0
    """The pods look from this far above the face, or below when negative."""
    noise_mm: tuple[float, float] = (0.1, 0.4)
    """Range of the noise along the normal, one standard deviation a scan."""
    hole_count: int = 4
    """Small round holes."""
    dropout_fraction: float = 0.001
    """Share of the surface lost in specks."""
    pose_degrees: float = 30.0
    """Largest angle of the random head rotation."""
    shift_mm: float = 50.0
    """Largest random shift along each axis."""
    scale: tuple[float, float] = (0.92, 1.06)
    """Range of the random scale."""
    landmark_noise_mm: float = 1.0
    """Standard deviation of the landmarks along each axis."""
    missing_landmarks: int = 0
    """Number of landmarks that were not measured."""
    wrong_landmarks: int = 0
    """Number of landmarks that are grossly wrong."""
    wrong_landmark_mm: float = 20.0
    """How far the wrong landmarks lie off."""
    missing_fraction: float = 0.0
    """Share of the visible face missing in large blobs."""
    outlier_fraction: float = 0.0
    """Share of the scan that is no face: half attached lumps, half floating clumps."""
    occluders: tuple[str, ...] = ()
    """What covers the face: any of hat, hair, strands, scarf."""
    residual_pose_degrees: float = 0.0
    """Angle of `residual_rotation` in the truth, for tests that start from a wrong pose."""
    shading: float = 0.04
    """Strength of the shading left in the colours."""
    color_noise: float = 0.004
    """Standard deviation of the colours."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            vertices="[500, inf)",
            expression=NOT_NEGATIVE,
            deformation_mm=NOT_NEGATIVE,
            pod_pitch_degrees="[-60, 60]",
            noise_mm=NOT_NEGATIVE,
            hole_count=NOT_NEGATIVE,
            dropout_fraction="[0, 0.9)",
            pose_degrees=NOT_NEGATIVE,
            shift_mm=NOT_NEGATIVE,
            scale=POSITIVE,
            landmark_noise_mm=NOT_NEGATIVE,
            missing_landmarks=NOT_NEGATIVE,
            wrong_landmarks=NOT_NEGATIVE,
            wrong_landmark_mm=NOT_NEGATIVE,
            missing_fraction="[0, 0.9)",
            outlier_fraction="[0, 0.9)",
            residual_pose_degrees=NOT_NEGATIVE,
            shading=NOT_NEGATIVE,
            color_noise=NOT_NEGATIVE,
        )
        require_ordered(self, "noise_mm", "scale")
        for kind in self.occluders:
            if kind not in OCCLUDERS:
                raise SettingsError(
                    f"occluders: expected any of {', '.join(OCCLUDERS)}, got {kind!r}."
                )
