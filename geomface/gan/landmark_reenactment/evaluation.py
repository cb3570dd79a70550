"""What a trained reenactment is worth: after one step, after two, and after five."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from geomface.arrays import FloatArray, IndexArray
from geomface.gan.landmark_reenactment.conditions import condition_map
from geomface.gan.landmark_reenactment.data import FaceFrames
from geomface.gan.landmark_reenactment.seen import CropEmbedder
from geomface.gan.landmark_reenactment.settings import NetworkSettings
from geomface.learning.consistency import Generate, chain
from geomface.learning.errors import DatasetError
from geomface.learning.randomness import stream_seed
from geomface.metrics import ImageDistances, measure_distances

STEPS = 5
"""Targets of a chain."""
FEWEST = 4
CHAINS = 200
"""Most chains that are drawn; no more than triplets."""
Locate = Callable[[torch.Tensor], FloatArray]
"""Pictures (N, 3, S, S) in [-1, 1] to landmarks (N, 68, 2) in pixels, NaN where no face is seen."""
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Drift:
    """Chains of five targets, each made of the picture before.

    Parameters
    ----------
    chains : how many
    errors : mean |x_k - I_k| after k steps
    direct : the same of one step from the source to each target
    slope : by how much the first grow a step beyond the second, in least squares
    identity : cosine of x_k and the source after k steps, where an embedder was given
    """

    chains: int
    errors: tuple[float, ...]
    direct: tuple[float, ...]
    slope: float
    identity: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReenactmentReport:
    """Figures of a reenactment; colours are in [-1, 1].

    Parameters
    ----------
    triplets : measured
    copied : |I - I_n|, of handing back the input
    first : E1 = |G(I; n) - I_n|
    second : E2 = |G(G(I; t); n) - I_n|
    ratio : rho = E2 / E1, 1 at best
    footprint : |G(G(I; t); n) - I| / |I_n - I|: 0 if the input is handed back, near 1 if not
    path : |G(G(I; t); n) - G(I; n)|, what the way there makes out
    identity_first, identity_second, identity_true : mean cosines of descriptors of the two and of
        I_n with the source's, where an embedder was given
    landmarks_first, landmarks_second, landmarks_true : mean distance of landmarks found in the two
        and in I_n from those asked for, in shares of the landmarks' box' side, over faces found in
        all three
    located : share of the triplets in which they were
    distances : of G(I; n) to I_n as sets
    drift : over five steps; None where no group has six frames
    """

    triplets: int
    copied: float
    first: float
    second: float
    ratio: float
    footprint: float
    path: float
    identity_first: float | None
    identity_second: float | None
    identity_true: float | None
    landmarks_first: float | None
    landmarks_second: float | None
    landmarks_true: float | None
    located: float | None
    distances: ImageDistances
    drift: Drift | None


@torch.no_grad()
def evaluate_reenactment(
    generator: Generate,
    settings: NetworkSettings,
    frames: FaceFrames,
    triplets: IndexArray,
    *,
    embedder: CropEmbedder | None = None,
    locate: Locate | None = None,
    seed: int = 0,
) -> ReenactmentReport:
    """Move faces once and twice, and measure where they end.

    Parameters
    ----------
    generator : G(images in [-1, 1], condition)
    settings : of its condition
    frames : of people that the training has not seen
    triplets : (M, 3) from `draw_triplets`
    embedder : tells who it is; better not the training's
    locate : finds landmarks in what was made; not the training's either
    seed : of the chains and the distances

    Raises
    ------
    DatasetError : fewer than four triplets
    """
    if len(triplets) < FEWEST:
        raise DatasetError(
            f"frames: expected groups with {FEWEST} triplets or more to measure, got "
            f"{len(triplets)}. Give tracks or videos."
        )
    (source, own), (_, at), (wanted, following) = (frames.look(part) for part in triplets.T)
    direct = move(generator, settings, source, own, following)
    made = move(generator, settings, source, own, at)
    onward = move(generator, settings, made, at, following)
    gaps = {
        "copied": (source, wanted),
        "first": (direct, wanted),
        "second": (onward, wanted),
        "back": (onward, source),
        "path": (onward, direct),
    }
    found = {name: float((one - two).abs().mean()) for name, (one, two) in gaps.items()}
    who: dict[str, float] = {}
    if embedder is not None:
        given = _describe(embedder, source, own)
        for name, images in (("first", direct), ("second", onward), ("true", wanted)):
            who[name] = _cosine(given, _describe(embedder, images, following))
    where: dict[str, float] = {}
    if locate is not None:
        where = _landmark_errors(
            locate, {"first": direct, "second": onward, "true": wanted}, following.double().numpy()
        )
    return ReenactmentReport(
        triplets=len(triplets),
        copied=found["copied"],
        first=found["first"],
        second=found["second"],
        ratio=found["second"] / max(found["first"], 1e-12),
        footprint=found["back"] / max(found["copied"], 1e-12),
        path=found["path"],
        identity_first=who.get("first"),
        identity_second=who.get("second"),
        identity_true=who.get("true"),
        landmarks_first=where.get("first"),
        landmarks_second=where.get("second"),
        landmarks_true=where.get("true"),
        located=where.get("located"),
        distances=measure_distances(direct, wanted, seed=seed),
        drift=measure_drift(
            generator,
            settings,
            frames,
            embedder=embedder,
            chains=min(CHAINS, len(triplets)),
            seed=seed,
        ),
    )


@torch.no_grad()
def measure_drift(
    generator: Generate,
    settings: NetworkSettings,
    frames: FaceFrames,
    *,
    embedder: CropEmbedder | None = None,
    chains: int = CHAINS,
    seed: int = 0,
) -> Drift | None:
    """Return how errors grow over five targets of a group, each made of the picture before.

    Parameters
    ----------
    chains : drawn, from groups of six frames or more; None is returned without any
    """
    drawn = np.random.default_rng(stream_seed(seed, "chains"))
    groups = [np.flatnonzero(frames.groups == group) for group in np.unique(frames.groups)]
    groups = [members for members in groups if len(members) > STEPS]
    if not groups:
        return None
    rows = np.array(
        [drawn.permutation(groups[drawn.integers(len(groups))])[: STEPS + 1] for _ in range(chains)]
    )
    (images, own), *targets = (frames.look(part) for part in rows.T)

    def mover(faces: torch.Tensor, way: torch.Tensor) -> torch.Tensor:
        return move(generator, settings, faces, *way.unbind(dim=1))

    places = [own, *(points for _, points in targets)]
    ways = [torch.stack(way, dim=1) for way in zip(places, places[1:], strict=False)]
    made = chain(mover, images, ways)
    once = [move(generator, settings, images, own, points) for _, points in targets]
    errors, direct = (
        [float((x - true).abs().mean()) for x, (true, _) in zip(faces, targets, strict=True)]
        for faces in (made, once)
    )
    identity = []
    if embedder is not None:
        given = _describe(embedder, images, own)
        for x, (_, points) in zip(made, targets, strict=True):
            identity.append(_cosine(given, _describe(embedder, x, points)))
    beyond = np.subtract(errors, direct)
    slope = float(np.polyfit(np.arange(1, STEPS + 1), beyond, 1)[0])
    return Drift(chains, tuple(errors), tuple(direct), slope, tuple(identity))


def move(
    generator: Generate,
    settings: NetworkSettings,
    images: torch.Tensor,
    own: torch.Tensor,
    points: torch.Tensor,
) -> torch.Tensor:
    """Return faces that have some landmarks at others, a few at a time."""
    parts = zip(*(item.split(_BATCH) for item in (images, own, points)), strict=True)
    return torch.cat([generator(x, condition_map(p, settings, q)) for x, q, p in parts])


def _describe(embedder: CropEmbedder, images: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    parts = zip(images.split(_BATCH), points.split(_BATCH), strict=True)
    return torch.cat([embedder(x, p) for x, p in parts])


def _cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first * second).sum(dim=1).mean())


def _landmark_errors(
    locate: Locate, images: dict[str, torch.Tensor], wanted: FloatArray
) -> dict[str, float]:
    """Return mean errors over the faces found in all pictures, and the share of these."""
    sides = np.ptp(np.nan_to_num(wanted), axis=1).mean(axis=1).clip(1.0)
    errors = {
        name: np.linalg.norm(locate(pictures) - wanted, axis=2).mean(axis=1) / sides
        for name, pictures in images.items()
    }
    seen = np.logical_and.reduce([np.isfinite(error) for error in errors.values()])
    if not seen.any():
        return {"located": 0.0}
    means = {name: float(error[seen].mean()) for name, error in errors.items()}
    return {**means, "located": float(seen.mean())}
