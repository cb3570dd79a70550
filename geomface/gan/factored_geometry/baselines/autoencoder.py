"""A convolutional autoencoder on the geometry images that the GAN is trained on."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from geomface.arrays import BoolArray, FloatArray
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import LatentSpec
from geomface.gan.factored_geometry.generators import GanFaces
from geomface.gan.factored_geometry.model import FactoredModel
from geomface.gan.factored_geometry.networks import GeometryGenerator, image_deviation
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.gan.factored_geometry.task import TrainingImages, training_images
from geomface.learning import (
    ArraySet,
    ComputeSettings,
    LoopSettings,
    Metrics,
    OptimizerSettings,
    Phase,
    PhasedTask,
    Resume,
    Schedule,
    Stream,
    System,
    load_trained,
    run_training,
)
from geomface.ranges import COUNT, SEED, require_numbers

SYSTEM = System("geometry_autoencoder")
_SLOPE = 0.2
_BLOCK = 256


@dataclasses.dataclass(frozen=True)
class AutoencoderSettings:
    """Settings of one training."""

    networks: NetworkSettings = NetworkSettings(32, 32, 32, None)
    """Size of the images, widths of decoder and encoder."""
    numbers: int = 85
    """Length of a code."""
    batch: int = 64
    """Faces a step."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-3, schedule=Schedule("cosine"))
    """Of encoder and decoder."""
    horizon: int = 4000
    """Steps over which the rate falls."""
    loop: LoopSettings = LoopSettings(4000, 200, 2000, 1000)
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings("cpu")
    """Device and precision."""
    seed: int = 0
    """Of weights and order."""

    def __post_init__(self) -> None:
        require_numbers(self, numbers=COUNT, batch="[2, inf)", horizon=COUNT, seed=SEED)


class GeometryEncoder(nn.Module):
    """Geometry images to codes: strided convolutions down to 4 x 4, then a linear layer.

    Parameters
    ----------
    settings : sizes
    numbers : length of a code
    deviation : of the training images
    """

    def __init__(self, settings: NetworkSettings, numbers: int, deviation: float) -> None:
        super().__init__()
        self.gain = 1.0 / deviation
        layers: list[nn.Module] = []
        channels = 3
        for step in range(settings.halvings):
            width = settings.discriminator_width << step
            layers += [nn.Conv2d(channels, width, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(_SLOPE)]
            channels = width
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * channels, numbers))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return codes (N, numbers) of images (N, 3, S, S) in [-1, 1]."""
        return self.layers(self.gain * images)


class GeometryAutoencoder(PhasedTask):
    """min mean |dec(enc(x)) - x| / s, s the deviation of the images.

    Parameters
    ----------
    settings : of the training
    data : geometry images
    """

    def __init__(self, settings: AutoencoderSettings, data: TrainingImages) -> None:
        faces = ArraySet({"images": data.images})
        self._deviation = deviation = deviation_of(data)
        super().__init__(
            seed=settings.seed,
            build=lambda: dict(
                zip(("encoder", "decoder"), _networks(settings, deviation), strict=True)
            ),
            phases=[
                Phase(
                    "autoencoder",
                    ("encoder", "decoder"),
                    lambda: self.batch("faces")["images"],
                    self._loss,
                    settings.optimizer,
                )
            ],
            streams=[Stream("faces", faces, settings.batch)],
            horizon=settings.horizon,
            compute=settings.compute,
        )

    def _loss(self, images: torch.Tensor) -> tuple[torch.Tensor, Metrics]:
        with self.autocast():
            codes = self.networks["encoder"](images)
            again = self.networks["decoder"](codes.float()).float()
        loss = (again - images).abs().mean() / self._deviation
        return loss, {"loss/autoencoder": loss}


@dataclasses.dataclass(frozen=True, eq=False)
class AutoencoderFaces(GanFaces):
    """A trained autoencoder as a generator: a Gaussian is fitted to the codes of its training set.

    It separates no factors, so that its decoupling is not defined.

    Parameters
    ----------
    encoder : images to the decoder's codes
    decoder : and back
    """

    name: str = "autoencoder"
    encoder: nn.Module = dataclasses.field(default_factory=nn.Identity)
    decoder: nn.Module = dataclasses.field(default_factory=nn.Identity)

    @torch.no_grad()
    def fit(self, vertices: np.ndarray, visible: BoolArray | None = None) -> FloatArray:
        """Return faces encoded and decoded; it cannot see parts of a face (SettingsError)."""
        if visible is not None and not np.asarray(visible).all():
            raise SettingsError("autoencoder: expected whole faces, got vertices left out.")
        frame, alpha = self.model.frame, self.model.alpha if self.alpha is None else self.alpha
        images = torch.from_numpy(frame.to_images(vertices))
        again = [self.decoder(self.encoder(block)) for block in images.split(_BLOCK)]
        return frame.to_vertices(torch.cat(again).numpy(), alpha)


def train_autoencoder(
    settings: AutoencoderSettings,
    faces: LabelledFaces,
    out: Path | str,
    *,
    alpha: float = 1.2,
    resume: Resume = "auto",
    on_log: Callable[[dict[str, float]], None] | None = None,
) -> AutoencoderFaces:
    """Train an autoencoder on registered faces, or go on with one; a finished run is only read.

    Parameters
    ----------
    settings : of the training
    faces : the training people's
    out : the run directory
    alpha : smoothness of its meshes
    resume : "never", "auto" or "must"
    on_log : as for `learning.loop.train`

    Raises
    ------
    GeomfaceError : bad data, settings or data that differ on resume, NaN, a full disk
    """
    data = training_images(faces, settings.networks.size)
    run_training(
        lambda: GeometryAutoencoder(settings, data),
        out,
        settings,
        system=SYSTEM,
        resume=resume,
        on_log=on_log,
    )
    trained = load_trained(out, system=SYSTEM)
    encoder, decoder = (
        trained.fill(name, network).eval().requires_grad_(False)
        for name, network in zip(
            ("encoder", "decoder"), _networks(settings, deviation_of(data)), strict=True
        )
    )
    images = torch.from_numpy(data.images)
    with torch.no_grad():
        codes = torch.cat([encoder(block) for block in images.split(_BLOCK)]).double()
    spread = nn.Linear(settings.numbers, settings.numbers)
    values, directions = torch.linalg.eigh(torch.cov(codes.T))
    with torch.no_grad():
        spread.weight.copy_(directions * values.clamp(min=0.0).sqrt())
        spread.bias.copy_(codes.mean(dim=0))
    model = FactoredModel(
        LatentSpec((), settings.numbers),
        nn.Sequential(spread, decoder).eval().requires_grad_(False),
        data.frame,
        data.template,
        {},
        alpha=alpha,
        step=trained.step,
        name="autoencoder",
    )
    return AutoencoderFaces(model, encoder=encoder, decoder=decoder)


def deviation_of(data: TrainingImages) -> float:
    """Return the deviation of training images in [-1, 1]."""
    faces = ArraySet({"images": data.images})
    return image_deviation(faces.batch(torch.arange(min(len(faces), 4096)))["images"])


def _networks(
    settings: AutoencoderSettings, deviation: float
) -> tuple[GeometryEncoder, GeometryGenerator]:
    return (
        GeometryEncoder(settings.networks, settings.numbers, deviation),
        GeometryGenerator(settings.networks, settings.numbers, deviation),
    )
