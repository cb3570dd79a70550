"""Faces fitted by a trained generator: many faces and restarts at once, whole or partial ones."""

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import SettingsError, require_not_negative, require_positive
from geomface.gan.factored_geometry.codes import Codes
from geomface.gan.factored_geometry.encoder import encode_faces
from geomface.gan.factored_geometry.registered_input import Faces, registered_vertices
from geomface.learning.errors import DivergenceError
from geomface.learning.randomness import stream_generator

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel
    from geomface.geometry_image.frame import GeometryFrame

ROWS = 128
"""Faces times restarts that are descended together; more only need memory."""
_DIVERGED = 2.0
_BETAS, _EPSILON = (0.9, 0.999), 1e-8


@dataclasses.dataclass(frozen=True)
class FitSettings:
    """How a face is fitted; `PAPER_FIT` is the way of the paper."""

    steps: int = 100
    """Of Adam."""
    lr: float = 0.05
    """Adam's rate at the start; it falls along a cosine."""
    last_lr: float = 0.005
    """Adam's rate at the end."""
    restarts: int = 1
    """Starts a face; the best one is kept."""
    prior: float = 1e-4
    """mm for |z|^2 = 1, beside the mean distance of the visible vertices: 1e-4 of a usual |z|^2 of
    85 are 0.01 mm, however many vertices are seen. Beside the paper's sum over V vertices this is
    a weight of prior * V; larger holds the unseen part of a face nearer to usual faces."""
    start: Literal["encoder", "random"] = "encoder"
    """Where the first restart begins: at the encoder's guess, or at random like all others."""
    readout: Literal["laplacian", "bilinear"] = "laplacian"
    """How the mesh is read from the fitted image; the energy itself always reads bilinearly."""
    seed: int = 0
    """Of the random starts."""

    def __post_init__(self) -> None:
        require_positive(self, "steps", "lr", "last_lr", "restarts")
        require_not_negative(self, "prior")
        for name, known in (("start", ("encoder", "random")), ("readout", READOUTS)):
            if getattr(self, name) not in known:
                raise SettingsError(
                    f"{name}: expected {' or '.join(known)}, got {getattr(self, name)!r}."
                )


READOUTS = ("laplacian", "bilinear")
PAPER_FIT = FitSettings(steps=500, restarts=4, start="random")
"""The paper's way: random starts alone, each with many steps."""


@dataclasses.dataclass(frozen=True, eq=False)
class FactoredFit:
    """Faces as the generator can say them.

    Parameters
    ----------
    codes : N of them
    vertices : (N, V, 3) float64 mm
    errors : (N,) mm, mean distance of the visible vertices
    energy : (N,) mm, Eq. 12 by `FitEnergy`
    visible : (N, V) bool, what was fitted
    restarted : starts that diverged and were begun anew
    seconds : that it took
    """

    codes: Codes
    vertices: FloatArray
    errors: FloatArray
    energy: FloatArray
    visible: BoolArray
    restarted: int
    seconds: float


class FitEnergy:
    """How far a generated face is from a given one, and how unusual.

    E(z) = sum_i s_i |v_i(z) - v_i| / sum_i s_i + prior |z|^2, with v_i(z) the bilinear reading of
    the image G(z) at the uv of vertex i, s_i whether it is visible.

    Parameters
    ----------
    generator : codes (R, D) to images (R, 3, S, S)
    frame : of the images
    prior : mm

    Source
    ------
    Abrevaya et al. 2019, equation 12. Departure: the mean over the visible vertices instead of the
    sum, so that a prior weighs alike on any mesh and on partial faces.
    """

    def __init__(self, generator: torch.nn.Module, frame: "GeometryFrame", prior: float) -> None:
        self.generator, self.prior = generator, prior
        self.dtype = next(generator.parameters()).dtype
        self.limit = frame.limit
        self.mean = frame.template.vertices
        self.grid = torch.from_numpy(frame.vertex_grid()).to(self.dtype)[None, None]

    def targets(
        self, vertices: FloatArray, visible: BoolArray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return displacements (N, 3, V) mm and weights (N, V) that sum to 1."""
        offsets = torch.from_numpy(np.moveaxis(vertices - self.mean, 1, 2)).to(self.dtype)
        weights = torch.from_numpy(visible).to(self.dtype)
        return offsets.contiguous(), weights / weights.sum(dim=1, keepdim=True)

    def displacements(self, codes: torch.Tensor) -> torch.Tensor:
        """Return (R, 3, V) mm, the bilinear reading of the images of codes (R, D)."""
        images = self.generator(codes)
        grid = self.grid.expand(len(images), -1, -1, -1)
        read = F.grid_sample(images, grid, align_corners=False, padding_mode="border")
        return self.limit * read[:, :, 0]

    def __call__(
        self, codes: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Return the energies (R,) of codes (R, D) for targets (R, 3, V) and weights (R, V)."""
        distances = torch.linalg.vector_norm(self.displacements(codes) - offsets, dim=1)
        return (weights * distances).sum(dim=1) + self.prior * codes.square().sum(dim=1)


def fit_faces(
    model: "FactoredModel",
    faces: Faces,
    *,
    visible: np.ndarray | None = None,
    settings: FitSettings | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> FactoredFit:
    """Find the codes whose faces are nearest to registered faces.

    z* = argmin E(z), see `FitEnergy`, by Adam from every start; the start with the lowest energy
    is kept. All faces share their random starts, so a face's fit does not depend on the others.
    A start whose energy is not finite, or is twice that of z = 0 after half of the steps, is begun
    anew elsewhere.

    Parameters
    ----------
    model : a trained one
    faces : meshes, or vertices (V, 3) or (N, V, 3), of the model's topology and in its pose
    visible : (N, V) or (V,) bool, which vertices are seen; None for all
    settings : see `FitSettings`; by default from the encoder if the model has one
    on_progress : called with steps done and their number

    Raises
    ------
    TopologyMismatchError, MeshError : faces that are none, see `registered_vertices`
    SettingsError : an encoder is asked for that the model has not
    DivergenceError : no start of a face led anywhere

    Source
    ------
    Abrevaya et al. 2019, section 5.5 and equation 12; the encoder is ours.
    """
    begin = time.perf_counter()
    if settings is None:
        settings = FitSettings() if model.encoder is not None else PAPER_FIT
    vertices, seen, names = registered_vertices(faces, model.frame.template, visible)
    energy = FitEnergy(model.generator, model.frame, settings.prior)
    guesses = None
    if settings.start == "encoder":
        guesses = encode_faces(model, vertices, seen)
    size = max(1, ROWS // settings.restarts)
    blocks = [slice(i, i + size) for i in range(0, len(vertices), size)]
    found, values, restarted = [], [], 0
    for number, block in enumerate(blocks):
        offsets, weights = energy.targets(vertices[block], seen[block])
        start = None if guesses is None else guesses[block].to(energy.dtype)

        def report(step: int, done: int = number * settings.steps) -> None:
            if on_progress is not None:
                on_progress(done + step, len(blocks) * settings.steps)

        codes, lowest, again = _descend(
            energy, offsets, weights, start, settings, model.spec.size, report
        )
        found.append(codes)
        values.append(lowest)
        restarted += again
    lowest = torch.cat(values).numpy().astype(np.float64)
    if not np.isfinite(lowest).all():
        lost = names[int(np.flatnonzero(~np.isfinite(lowest))[0])]
        raise DivergenceError(
            f"{lost}: none of {settings.restarts} starts led to a finite energy. Use a lower lr."
        )
    codes = Codes(model.spec, torch.cat(found).numpy())
    fitted = read_vertices(model, codes, settings.readout)
    distances = np.linalg.norm(fitted - vertices, axis=2)
    errors = (distances * seen).sum(axis=1) / seen.sum(axis=1)
    seconds = time.perf_counter() - begin
    return FactoredFit(codes, fitted, errors, lowest, seen, restarted, seconds)


@torch.no_grad()
def read_vertices(model: "FactoredModel", codes: Codes, readout: str) -> FloatArray:
    """Return the vertices (N, V, 3) of codes, by the smooth solve or by bilinear reading."""
    if readout == "laplacian":
        return model.vertices(codes)
    energy = FitEnergy(model.generator, model.frame, 0.0)
    parts = torch.from_numpy(codes.values).to(energy.dtype).split(ROWS)
    read = torch.cat([energy.displacements(part) for part in parts]).numpy()
    return energy.mean + np.moveaxis(read, 1, 2).astype(np.float64)


def _descend(
    energy: FitEnergy,
    offsets: torch.Tensor,
    weights: torch.Tensor,
    guesses: torch.Tensor | None,
    settings: FitSettings,
    latent: int,
    report: Callable[[int], None],
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return the best codes (N, D) of each face, their energies (N,), and how many were restarted.

    Rows are faces times restarts. Everything is row by row, so rows do not change each other.
    """
    count, restarts = len(offsets), settings.restarts
    starts = torch.stack([_draw(settings.seed, r, 0, latent) for r in range(restarts)])
    codes = starts.to(energy.dtype).repeat(count, 1)
    if guesses is not None:
        codes[::restarts] = guesses
    offsets, weights = (x.repeat_interleave(restarts, dim=0) for x in (offsets, weights))
    with torch.no_grad():
        usual = energy(torch.zeros_like(codes), offsets, weights)
    attempts = torch.zeros(len(codes), dtype=torch.int64)
    age = torch.zeros(len(codes), 1, dtype=energy.dtype)
    moment, spread = torch.zeros_like(codes), torch.zeros_like(codes)
    for step in range(settings.steps):
        codes.requires_grad_()
        values = energy(codes, offsets, weights)
        (slope,) = torch.autograd.grad(values.sum(), codes)
        codes = codes.detach()
        lost = ~torch.isfinite(values.detach()) | ~torch.isfinite(slope).all(dim=1)
        if step == settings.steps // 2:
            lost |= values.detach() > _DIVERGED * usual
        for row in torch.nonzero(lost)[:, 0].tolist():
            attempts[row] += 1
            codes[row] = _draw(settings.seed, row % restarts, int(attempts[row]), latent)
            age[row], moment[row], spread[row], slope[row] = 0.0, 0.0, 0.0, 0.0
        age += 1
        moment.lerp_(slope, 1 - _BETAS[0])
        spread.lerp_(slope.square(), 1 - _BETAS[1])
        corrected = (spread / (1 - _BETAS[1] ** age)).sqrt() + _EPSILON
        share = 0.5 * (1 + np.cos(np.pi * step / settings.steps))
        rate = settings.last_lr + (settings.lr - settings.last_lr) * float(share)
        codes = codes - rate * (moment / (1 - _BETAS[0] ** age)) / corrected
        report(step + 1)
    with torch.no_grad():
        values = energy(codes, offsets, weights)
    values = values.nan_to_num(nan=torch.inf).reshape(count, restarts)
    best = values.argmin(dim=1)
    faces = torch.arange(count)
    kept = codes.reshape(count, restarts, -1)[faces, best]
    return kept, values[faces, best], int(attempts.sum())


def _draw(seed: int, restart: int, attempt: int, latent: int) -> torch.Tensor:
    generator = stream_generator(seed, f"fit/start {restart}/{attempt}")
    return torch.randn(latent, generator=generator)
