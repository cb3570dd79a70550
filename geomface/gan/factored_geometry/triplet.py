"""Embedding networks that learn to tell labels apart on normal pictures."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from geomface.arrays import FloatArray
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.errors import SettingsError
from geomface.gan.factored_geometry.embedding import Embedding
from geomface.gan.factored_geometry.normal_pictures import NormalRaster, make_raster, normals_of
from geomface.gan.factored_geometry.truth import true_labels
from geomface.learning import (
    ArraySet,
    Batch,
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
    class_batches,
    load_trained,
    run_training,
)
from geomface.learning.residual import ResidualBlock
from geomface.ranges import COUNT, POSITIVE, SEED, SIDE, require_numbers

SYSTEM = System("geometry_embedding")
_BLOCK = 256


@dataclasses.dataclass(frozen=True)
class TripletSettings:
    """Settings of one embedding."""

    size: int = 48
    """Pixels a side of the normal pictures."""
    width: int = 12
    """Channels of the first stage; doubled at each of the three others. ResNet-18 has 64."""
    dims: int = 128
    """Length of an embedding."""
    margin: float = 0.2
    """By which other classes are to be farther than the own one."""
    classes: int = 16
    """In a batch, at most."""
    samples: int = 4
    """Of each class in a batch."""
    lr: float = 1e-3
    """Adam's rate; it falls along a cosine."""
    horizon: int = 1200
    """Steps that the fall is measured by."""
    loop: LoopSettings = LoopSettings(1200, 100, 1200, 600)
    """How long, how often."""
    compute: ComputeSettings = ComputeSettings("cpu")
    """Device and precision."""
    seed: int = 0
    """Of weights and batches."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            size=SIDE,
            width=COUNT,
            dims=COUNT,
            margin=POSITIVE,
            classes="[2, inf)",
            samples="[2, inf)",
            lr=POSITIVE,
            horizon=COUNT,
            seed=SEED,
        )


class NormalNet(nn.Module):
    """Normal pictures to unit vectors, by the layers of a narrow ResNet-18.

    Parameters
    ----------
    width : channels of the first stage
    dims : length of an embedding

    Source
    ------
    He et al. 2016; Abrevaya et al. 2019, supplementary material. The first layer is 3 x 3, since
    pictures are small.
    """

    def __init__(self, width: int, dims: int) -> None:
        super().__init__()
        stem = [nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        blocks = [
            ResidualBlock(
                width << max(stage - (block == 0), 0),
                width << stage,
                nn.BatchNorm2d,
                2 if stage and not block else 1,
            )
            for stage in range(4)
            for block in range(2)
        ]
        self.layers = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(width << 3, dims)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return unit rows (N, dims) of pictures (N, 3, S, S)."""
        return nn.functional.normalize(self.head(self.layers(pictures)).float(), dim=1)


def all_triplets(
    embedded: torch.Tensor, labels: torch.Tensor, margin: float
) -> tuple[torch.Tensor, Metrics]:
    """Return the triplet loss over all triplets of a batch that violate the margin.

    L = mean of [margin + |f_a - f_p| - |f_a - f_n|]_+ over triplets (a, p of its class, n of
    another) in which it is positive

    Parameters
    ----------
    embedded : (B, D)
    labels : (B,) int64, two or more classes
    margin : see above

    Source
    ------
    Hermans, Beyer, Leibe 2017, In defense of the triplet loss, Eq. 6, "batch all" without zeros.
    The hardest triplets alone (Eq. 5) keep some expressions on one point for ever.
    """
    gaps = embedded[:, None] - embedded[None]
    distances = (gaps.square().sum(dim=2) + 1e-12).sqrt()
    same = labels[:, None] == labels[None]
    own = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    hinge = torch.relu(margin + distances[:, :, None] - distances[:, None, :])
    hinge = hinge * (own[:, :, None] & ~same[:, None, :])
    loss = hinge.sum() / (hinge > 0).sum().clamp(min=1)
    return loss, {
        "loss/embedding": loss,
        "own": distances[own].mean(),
        "other": distances[~same].mean(),
    }


class TripletEmbedder(PhasedTask):
    """An embedding of normal pictures under `all_triplets`.

    Parameters
    ----------
    settings : of the training
    pictures : (N, 3, S, S) float32
    labels : (N,) int64, -1 unknown
    """

    def __init__(self, settings: TripletSettings, pictures: np.ndarray, labels: np.ndarray) -> None:
        self.settings = settings
        present = len(np.unique(labels[labels >= 0]))
        classes = min(settings.classes, present)
        samples = settings.samples * (settings.classes // max(classes, 1))
        order = class_batches(
            torch.from_numpy(np.array(labels)), classes, samples, seed=settings.seed, name="faces"
        )
        faces = ArraySet({"images": pictures, "labels": np.asarray(labels)})
        schedule = Schedule("cosine", warm_up=0.05)
        super().__init__(
            seed=settings.seed,
            build=lambda: {"embedding": NormalNet(settings.width, settings.dims)},
            phases=[
                Phase(
                    "embedding",
                    ("embedding",),
                    lambda: self.batch("faces"),
                    self._loss,
                    OptimizerSettings(lr=settings.lr, schedule=schedule),
                )
            ],
            streams=[Stream("faces", faces, classes * samples, order=order)],
            horizon=settings.horizon,
            compute=settings.compute,
        )

    def _loss(self, batch: Batch) -> tuple[torch.Tensor, Metrics]:
        with self.autocast():
            embedded = self.networks["embedding"](batch["images"])
        return all_triplets(embedded, batch["labels"], self.settings.margin)


def train_embedding(
    settings: TripletSettings,
    faces: LabelledFaces,
    factor: str,
    out: Path | str,
    *,
    resume: Resume = "auto",
    on_log: Callable[[dict[str, float]], None] | None = None,
) -> Embedding:
    """Train an embedding of a factor, or go on with one; a finished run is only read.

    Parameters
    ----------
    settings : of the training
    faces : with labels of the factor (the truth where the set was drawn), none of them among those
        that anything is measured on. Let them go through images and decoder as generated ones do
    factor : what to tell apart
    out : the run directory
    resume : "never", "auto" or "must"
    on_log : as for `learning.loop.train`

    Raises
    ------
    DatasetError : no labels of the factor. SettingsError : fewer than two classes
    GeomfaceError : settings or data that differ on resume, NaN, a full disk
    """
    labels = true_labels(faces, factor)
    if len(np.unique(labels[labels >= 0])) < 2:
        raise SettingsError(f"embedding: expected two or more classes of {factor}.")
    mean = faces.vertices.mean(axis=0, dtype=np.float64)
    raster = make_raster(faces.template.mesh.replace(vertices=mean), settings.size)
    pictures = normals_of(raster, faces.vertices)
    run_training(
        lambda: TripletEmbedder(settings, pictures, labels),
        out,
        settings,
        system=SYSTEM,
        inputs={"factor": factor},
        resume=resume,
        on_log=on_log,
    )
    network = NormalNet(settings.width, settings.dims)
    load_trained(out, system=SYSTEM).fill("embedding", network)
    return _embedding(network.eval().requires_grad_(False), raster, settings)


def _embedding(network: nn.Module, raster: NormalRaster, settings: TripletSettings) -> Embedding:
    @torch.no_grad()
    def describe(meshes: np.ndarray) -> FloatArray:
        pictures = torch.from_numpy(raster.pictures(meshes))
        rows = [network(block) for block in pictures.split(_BLOCK)]
        return torch.cat(rows).numpy().astype(np.float64)

    used = {"size": settings.size, "width": settings.width, "margin": settings.margin}
    return Embedding("triplet net on normal pictures", raster.rows, describe, used)
