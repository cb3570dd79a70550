"""Faces fitted by a trained generator: many faces and restarts at once, whole or partial ones."""

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Codes
from geomface.gan.factored_geometry.descent import descend, even_axes
from geomface.gan.factored_geometry.encoder import encode_faces
from geomface.gan.factored_geometry.registered_input import Faces, registered_vertices
from geomface.learning.errors import DivergenceError
from geomface.learning.randomness import stream_generator
from geomface.ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, POSITIVE, SEED, require_numbers

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel
    from geomface.geometry_image.frame import GeometryFrame

ROWS = 128
"""Faces times restarts that are descended together; more only need memory."""
_USUAL = 8
_MOST_RESTARTS = 1000


@dataclasses.dataclass(frozen=True)
class FitSettings:
    """How a face is fitted; `PAPER_FIT` is the way of the paper."""

    steps: int = 100
    """Of Adam."""
    lr: float = 0.4
    """Adam's rate at the start; it falls along a cosine."""
    last_lr: float = 0.04
    """Adam's rate at the end."""
    betas: tuple[float, float] = (0.8, 0.99)
    """Adam's memory of slopes and of their squares; short, since few steps are made."""
    even: bool = True
    """Descend along axes on which faces change evenly, see `even_axes`; False: in the codes."""
    restarts: int = 1
    """Starts a face, at most 1000; the best one is kept."""
    prior: float = 1e-3
    """mm for |z|^2 = 1, beside the mean distance of the visible vertices: a usual |z|^2 of 85 costs
    0.085 mm, however many vertices are seen. Beside the paper's sum over n visible vertices this is
    a weight of n * prior. It keeps codes as usual as drawn ones, so that edits of them look like
    faces; larger holds the unseen part of a face nearer to usual faces, smaller fits closer."""
    start: Literal["encoder", "zero", "random"] = "encoder"
    """Where the first restart begins: at the encoder's guess, at the code 0, or at random like all
    others."""
    readout: Literal["laplacian", "bilinear"] = "laplacian"
    """How the mesh is read from the fitted image; the energy itself always reads bilinearly."""
    seed: int = 0
    """Of the random starts."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            steps=COUNT,
            lr=POSITIVE,
            last_lr=POSITIVE,
            betas=BELOW_ONE,
            restarts=f"[1, {_MOST_RESTARTS}]",
            prior=NOT_NEGATIVE,
            seed=SEED,
        )
        for name, known in (("start", ("encoder", "zero", "random")), ("readout", READOUTS)):
            if getattr(self, name) not in known:
                raise SettingsError(
                    f"{name}: expected {' or '.join(known)}, got {getattr(self, name)!r}."
                )


READOUTS = ("laplacian", "bilinear")
PAPER_FIT = FitSettings(
    steps=500,
    lr=0.05,
    last_lr=0.005,
    betas=(0.9, 0.999),
    even=False,
    restarts=4,
    start="random",
)
"""The paper's way of descending: random starts alone, each with many steps."""
UNGUIDED_FIT = FitSettings(steps=150, start="zero")
"""For a model that has no encoder yet."""


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
    seconds, processor_seconds : that it took, by the clock and of all threads
    """

    codes: Codes
    vertices: FloatArray
    errors: FloatArray
    energy: FloatArray
    visible: BoolArray
    restarted: int
    seconds: float
    processor_seconds: float


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
    is kept. All faces share their random starts, so a face's fit does not depend on the others
    beyond rounding (1e-5 mm). A start whose energy is not finite, or is twice that of z = 0 after
    half of the steps, is begun anew elsewhere.

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
    SettingsError : an encoder is asked for that the model has not; `visible` is not bool
    DivergenceError : no start of a face led anywhere

    Source
    ------
    Abrevaya et al. 2019, section 5.5 and equation 12; the encoder is ours.

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_factored()
    >>> faces = model.vertices(model.draw(2, seed=3))
    >>> fit = gf.fit_faces(model, faces)
    >>> len(fit.codes), bool(fit.errors.max() < 2.0)
    (2, True)
    """
    begin, busy = time.perf_counter(), time.process_time()
    if settings is None:
        settings = FitSettings() if model.encoder is not None else UNGUIDED_FIT
    vertices, seen, names = registered_vertices(faces, model.frame.template, visible)
    guesses = encode_faces(model, vertices, seen) if settings.start == "encoder" else None
    fitter = _Fitter(model, settings)
    size = max(1, ROWS // settings.restarts)
    blocks = [slice(start, start + size) for start in range(0, len(vertices), size)]
    found, values, restarted = [], [], 0
    for number, block in enumerate(blocks):

        def report(step: int, done: int = number * settings.steps) -> None:
            if on_progress is not None:
                on_progress(done + step, len(blocks) * settings.steps)

        start = None if guesses is None else guesses[block]
        best, lowest, again = fitter.fit(vertices[block], seen[block], start, report)
        found.append(best)
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
    took = (time.perf_counter() - begin, time.process_time() - busy)
    return FactoredFit(codes, fitted, errors, lowest, seen, restarted, *took)


@torch.no_grad()
def read_vertices(model: "FactoredModel", codes: Codes, readout: str) -> FloatArray:
    """Return the vertices (N, V, 3) of codes, by the smooth solve or by bilinear reading."""
    if readout == "laplacian":
        return model.vertices(codes)
    energy = FitEnergy(model.generator, model.frame, 0.0)
    parts = torch.from_numpy(codes.values).to(energy.dtype).split(ROWS)
    read = torch.cat([energy.displacements(part) for part in parts]).numpy()
    return energy.mean + np.moveaxis(read, 1, 2).astype(np.float64)


class _Fitter:
    """Fits blocks of faces alike: rows are faces times restarts."""

    def __init__(self, model: "FactoredModel", settings: FitSettings) -> None:
        self.settings, self.latent = settings, model.spec.size
        self.energy = FitEnergy(model.generator, model.frame, settings.prior)
        self.starts = torch.stack([self._draw(r, 0) for r in range(settings.restarts)])
        self.axes = None
        if settings.even:
            usual = torch.stack([self._draw(k, 0, "usual code") for k in range(_USUAL)])
            self.axes = even_axes(model.generator, usual)

    def fit(
        self,
        vertices: FloatArray,
        seen: BoolArray,
        guesses: torch.Tensor | None,
        report: Callable[[int], None],
    ) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Return the best code (N, D) of each face, its energy (N,), and how many were lost."""
        count, restarts = len(vertices), self.settings.restarts
        codes = self.starts.repeat(count, 1)
        if guesses is not None:
            codes[::restarts] = guesses.to(codes.dtype)
        elif self.settings.start == "zero":
            codes[::restarts] = 0.0
        offsets, weights = (
            item.repeat_interleave(restarts, dim=0) for item in self.energy.targets(vertices, seen)
        )
        codes, values, lost = descend(
            lambda rows: self.energy(rows, offsets, weights),
            codes,
            steps=self.settings.steps,
            lr=self.settings.lr,
            last_lr=self.settings.last_lr,
            betas=self.settings.betas,
            redraw=lambda row, attempt: self._draw(row % restarts, attempt),
            axes=self.axes,
            on_step=report,
        )
        values = values.reshape(count, restarts)
        best = values.argmin(dim=1)
        rows = torch.arange(count)
        return codes.reshape(count, restarts, -1)[rows, best], values[rows, best], lost

    def _draw(self, number: int, attempt: int, what: str = "start") -> torch.Tensor:
        generator = stream_generator(self.settings.seed, f"fit/{what} {number}/{attempt}")
        return torch.randn(self.latent, generator=generator).to(self.energy.dtype)
