"""Settings of a pipeline run; light enough for the command line's help."""

import dataclasses
from pathlib import Path
from typing import Literal

from geomface.errors import SettingsError
from geomface.parametrization.settings import UnwrapSettings
from geomface.ranges import COUNT, NOT_NEGATIVE, SEED, require_numbers
from geomface.registration.settings import RegistrationSettings


@dataclasses.dataclass(frozen=True)
class ItemSettings:
    """What is made of every scan."""

    texture_size: int = 512
    """Side of the baked texture in texels, 0 to bake none."""
    geometry_image_size: int = 256
    """Side of the geometry image in pixels, 0 to encode none."""
    geometry_image_bits: Literal[8, 16] = 16
    """Bits a channel of the geometry image's picture."""
    unit: str = "auto"
    """Unit of the scans: um, mm, cm, inch, m, or the millimetres in one; auto finds it."""
    registration: RegistrationSettings = RegistrationSettings()

    def __post_init__(self) -> None:
        require_numbers(self)
        if self.unit != "auto":
            from geomface.mesh.units import canonical_unit

            canonical_unit(self.unit, "unit", SettingsError)
        for name in ("texture_size", "geometry_image_size"):
            value = getattr(self, name)
            if value != 0 and not 16 <= value <= 8192:
                raise SettingsError(f"{name}: expected 0 or 16 to 8192, got {value}.")
        if self.geometry_image_bits not in (8, 16):
            raise SettingsError(
                f"geometry_image_bits: expected 8 or 16, got {self.geometry_image_bits}."
            )


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """What is made of all registered meshes together."""

    enabled: bool = True
    """Fit a morphable model and draw new faces."""
    variance: float = 0.98
    """Keep the fewest shape modes that hold this share of the variance."""
    texture_variance: float = 0.999
    """The same for the texture model, where skin tone alone holds most of the variance."""
    texture_modes: int = 100
    """Keep at most so many texture modes: each takes 12 bytes a texel."""
    remove_size: bool = False
    """Scale all meshes to one size before the fit."""
    samples: int = 8
    """Number of new textured faces."""
    sigma: float = 0.8
    """Spread of the samples' coefficients: under 1 stays nearer to the mean."""
    seed: int = 0
    """Seed of the samples."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            variance="(0, 1]",
            texture_variance="(0, 1]",
            texture_modes=COUNT,
            samples=NOT_NEGATIVE,
            sigma=NOT_NEGATIVE,
            seed=SEED,
        )


@dataclasses.dataclass(frozen=True)
class PipelineSettings:
    """A run over a folder of scans.

    Example
    -------
    >>> from pathlib import Path
    >>> import geomface as gf
    >>> settings = gf.PipelineSettings(scans=Path("my-scans"), out=Path("my-result"), workers=2)
    >>> settings.template is None, settings.item.texture_size  # the built-in face
    (True, 512)
    """

    scans: Path
    """Folder of scans, each with its landmark file beside it."""
    out: Path
    """Folder for everything that is made; the same folder again goes on where it stopped."""
    template: Path | None = None
    """Template mesh, or a folder of `geomface template make`; None takes the built-in face."""
    template_landmarks: Path | None = None
    """Where the landmarks lie on the template; None looks beside the template."""
    regions: Path | None = None
    """Named vertex lists of the template; None looks beside the template."""
    textures: Path | None = None
    """Where the pictures that scans name lie too; None is the folder of scans alone."""
    workers: int = 1
    """Number of worker processes."""
    executor: Literal["auto", "serial", "processes", "dask"] = "auto"
    """Where items run; auto takes processes for two workers or more."""
    scheduler: str = ""
    """Of executor dask: the address of its scheduler; empty is a cluster of this machine."""
    retry_failed: bool = False
    """Also do the items that failed before with the same input and settings."""
    limit: int | None = None
    """Only the first so many scans."""
    landmarks: Literal["auto", "required", "optional"] = "auto"
    """Is a scan without a landmark file refused? auto and optional find the landmarks on it."""
    item: ItemSettings = ItemSettings()
    unwrap: UnwrapSettings = UnwrapSettings()
    model: ModelSettings = ModelSettings()

    def __post_init__(self) -> None:
        require_numbers(self, workers=COUNT, limit=COUNT)
        if self.landmarks not in ("auto", "required", "optional"):
            raise SettingsError(
                f"landmarks: expected auto, required or optional, got {self.landmarks!r}."
            )
