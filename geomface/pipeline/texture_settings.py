"""Settings of a training set of textures; light enough for the command line's help."""

import dataclasses
from pathlib import Path
from typing import Literal

from geomface.errors import SettingsError
from geomface.parametrization.settings import UnwrapSettings
from geomface.pipeline.settings import PipelineSettings
from geomface.ranges import COUNT, SEED, SHARE, require_numbers, require_ordered
from geomface.registration.settings import RegistrationSettings
from geomface.scans.settings import ScanSettings

BUILTIN = "builtin"
"""What names the built-in face among model files."""
QUICK = RegistrationSettings(stiffness=(1e5, 3e3, 100.0, 2.0), matches_per_level=1, final_matches=2)
"""Two thirds of the default's time, and as near to the truth on scans of 6,000 vertices."""


@dataclasses.dataclass(frozen=True)
class TextureScanSettings:
    """How the faces are scanned; all else as for simulated scans, at true size."""

    vertices: int = 6000
    """Wanted number of scan vertices."""
    expression: float = 1.0
    """Strength of the random expression, 0 for neutral faces."""
    deformation_mm: float = 1.2
    """RMS length of a smooth deformation outside the linear model."""
    noise_mm: tuple[float, float] = (0.1, 0.4)
    """Range of the noise along the normal, one standard deviation a scan."""
    landmark_noise_mm: float = 1.0
    """Standard deviation of the landmarks along each axis."""
    hole_count: int = 4
    """Small round holes in every scan."""
    pod_pitch_degrees: float = -12.0
    """The scanner looks from this far below, so that the chin hides less."""

    def __post_init__(self) -> None:
        self.scan()

    def scan(self, kinds: tuple[str, ...] = (), missing: float = 0.0) -> ScanSettings:
        """Return the settings of one scan, covered by `kinds` and with a share missing."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return ScanSettings(**own, scale=(1, 1), occluders=kinds, missing_fraction=missing)


@dataclasses.dataclass(frozen=True)
class DamageSettings:
    """What hides skin, and how a texture shows that."""

    covered: float = 0.4
    """Share of the faces under a hat, hair, loose strands or a scarf; masked out, still seen."""
    torn: float = 0.4
    """Share of the scans in which large pieces are missing."""
    torn_fraction: tuple[float, float] = (0.03, 0.15)
    """Range of the share of the visible face that a torn scan misses."""
    holes: Literal["flat", "smooth"] = "flat"
    """What a texture shows in its holes: one colour, or the colours around."""
    hole_color: tuple[float, float, float] = (0.1, 0.25, 0.9)
    """Red, green and blue of flat holes, in [0, 1]."""
    close: float = 0.045
    """Gaps up to this radius, a share of the image's side, are filled from around them and count
    as seen; 0 leaves all."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            covered=SHARE,
            torn=SHARE,
            torn_fraction="[0, 0.6]",
            hole_color=SHARE,
            close="[0, 0.5]",
        )
        require_ordered(self, "torn_fraction")
        if self.holes not in ("flat", "smooth"):
            raise SettingsError(f"holes: expected flat or smooth, got {self.holes!r}.")


@dataclasses.dataclass(frozen=True)
class TextureItemSettings:
    """All that a face of a set depends on besides models, template and its number."""

    seed: int = 0
    """Face i depends on the seed and on i."""
    size: int = 128
    """Pixels a side of textures and geometry images, a power of two."""
    scan: TextureScanSettings = TextureScanSettings()
    damage: DamageSettings = DamageSettings()
    registration: RegistrationSettings = QUICK

    def __post_init__(self) -> None:
        require_numbers(self, seed=SEED)
        if not 8 <= self.size <= 2048 or self.size & (self.size - 1):
            raise SettingsError(
                f"size: expected a power of two from 8 to 2048, got {self.size}. Training reads "
                "no others."
            )


@dataclasses.dataclass(frozen=True)
class TextureSetSettings:
    """A training set and how it is made."""

    out: Path
    """Folder of the set; the same folder again goes on where it stopped."""
    count: int
    """Number of faces; more add to a set and change none."""
    models: tuple[str, ...] = (BUILTIN,)
    """Face model files, or "builtin"; face i is of model i modulo their number."""
    template: Path | None = None
    """Template mesh that all scans are registered to; None takes the built-in face."""
    template_landmarks: Path | None = None
    """Where the landmarks lie on the template; None looks beside the template."""
    regions: Path | None = None
    """Named vertex lists of the template; None looks beside the template."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    retry_failed: bool = False
    """Also do the faces that failed before."""
    item: TextureItemSettings = TextureItemSettings()

    def __post_init__(self) -> None:
        require_numbers(self, count=COUNT, workers=COUNT)
        if not self.models:
            raise SettingsError('models: expected one or more model files or "builtin", got none.')

    @property
    def pipeline(self) -> PipelineSettings:
        """The settings of the template's stage, which is that of `geomface pipeline run`."""
        return PipelineSettings(
            scans=self.out,
            out=self.out,
            template=self.template,
            template_landmarks=self.template_landmarks,
            regions=self.regions,
            unwrap=UnwrapSettings(),
        )
