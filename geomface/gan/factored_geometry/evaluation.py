"""Table 1 of the paper for any generator of faces, beside which `true_rows` puts true faces."""

import dataclasses
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.gan.factored_geometry.codes import Codes
from geomface.gan.factored_geometry.embedding import Embedding
from geomface.gan.factored_geometry.generators import FaceGenerator
from geomface.gan.factored_geometry.table_row import FactoredEvaluation
from geomface.gan.factored_geometry.truth import TrueFaces
from geomface.metrics import (
    Estimate,
    decoupling,
    mean_estimate,
    reconstruction_error,
    sample_specificity,
)
from geomface.metrics.estimate import share_interval
from geomface.ranges import COUNT, NOT_NEGATIVE, SEED, require_numbers
from geomface.statistics.evaluation import vertex_distance

ALL = "all"
_BLOCK = 500


@dataclasses.dataclass(frozen=True)
class EvaluationSettings:
    """How much is drawn. The counts are the paper's."""

    samples: int = 1000
    """Faces for specificity, roughness and classes."""
    codes: int = 100
    """Codes of a factor for its decoupling."""
    draws: int = 100
    """Faces with each of them."""
    pairs: int = 10_000
    """For each diversity."""
    labelled: int = 100
    """Faces with the fixed code of each class."""
    fits: int = 100
    """Held-out faces to fit; 0 leaves generalization out, which takes a GAN minutes."""
    every: int = 1
    """Measure specificity and diversity on every so many vertices."""
    seed: int = 0
    """Of all that is drawn."""

    def __post_init__(self) -> None:
        several = "[2, inf)"  # of one face nothing can be said
        require_numbers(
            self,
            samples=several,
            codes=several,
            draws=several,
            pairs=several,
            labelled=COUNT,
            fits=NOT_NEGATIVE,
            every=COUNT,
            seed=SEED,
        )


def evaluate_generator(
    generator: FaceGenerator, truth: TrueFaces, settings: EvaluationSettings | None = None
) -> FactoredEvaluation:
    """Measure a generator of faces as Table 1 of the paper does.

    Parameters
    ----------
    generator : learned or linear
    truth : from `measure_truth`
    settings : how much is drawn

    Returns
    -------
    FactoredEvaluation. Abnormally high diversity is noise: read it beside that of `training_row`.

    Raises
    ------
    MeshError : a generator that makes NaN, or faces of another vertex count

    Source
    ------
    Abrevaya et al. 2019, section 5.3.
    """
    use = EvaluationSettings() if settings is None else settings
    factors = [factor.name for factor in generator.spec.factors]
    codes = generator.draw(use.samples, seed=_seed(use, 0))
    samples = generator.vertices(codes)
    rows = chosen_rows(use, samples.shape[1])
    training = truth.training.vertices
    specificity = sample_specificity(
        samples if rows is None else samples[:, rows],
        training if rows is None else training[:, rows],
    )
    rough = mean_estimate(truth.roughness(samples), unit="mm", seed=_seed(use, 0))
    nearest = {
        factor: class_shares(truth, factor, truth.embeddings[factor](samples))
        for factor in truth.centres
    }
    strict, loose = measure_decoupling(generator, truth, use)
    return FactoredEvaluation(
        generator.name,
        decoupling=strict,
        decoupling_loosest=loose,
        diversity={
            share: _diversity(generator, share, rows, use, 30 + 2 * index)
            for index, share in enumerate([ALL, *factors])
        },
        specificity=dataclasses.replace(specificity, seed=_seed(use, 0)),
        generalization=_generalization(generator, truth, use),
        roughness=rough,
        nearest=nearest,
        right={
            factor: _right(generator, truth, factor, use)
            for factor in factors
            if factor in truth.centres
            and factor in generator.fixed
            and set(truth.held_out.classes[factor]) <= set(generator.spec.factor(factor).classes)
        },
        settings=evaluation_record(truth, use),
    )


def chosen_rows(settings: EvaluationSettings, count: int) -> IndexArray | None:
    """Return the vertices to measure on, None for all."""
    return None if settings.every == 1 else np.arange(0, count, settings.every)


def class_shares(truth: TrueFaces, factor: str, embedded: FloatArray) -> dict[str, float]:
    """Return {class: share of the faces that lie nearest to its mean}."""
    names = truth.held_out.classes[factor]
    counts = np.bincount(truth.nearest_class(factor, embedded), minlength=len(names))
    return {name: float(n) / len(embedded) for name, n in zip(names, counts, strict=True)}


def share_estimate(hits: BoolArray, seed: int | None = None) -> Estimate:
    """Return the share of independent trials (n,) that are hits, with its interval."""
    share, level = float(hits.mean()), 0.95
    return Estimate(share, *share_interval(share, len(hits), level), len(hits), seed=seed)


def evaluation_record(truth: TrueFaces, settings: EvaluationSettings) -> dict[str, Any]:
    """Return what the figures of a row depend on."""
    embeddings = {
        factor: {"name": item.name, **item.settings} for factor, item in truth.embeddings.items()
    }
    return {
        "drawn": settings,
        "thresholds": {"most accurate": truth.thresholds, "loosest": truth.loosest},
        "embeddings": embeddings,
        "training_faces": len(truth.training),
        "held_out_faces": len(truth.held_out),
    }


def _describe(generator: FaceGenerator, embedding: Embedding, codes: Codes) -> FloatArray:
    """Return the embeddings (N, D) of codes, a block at a time."""
    blocks = [codes[start : start + _BLOCK] for start in range(0, len(codes), _BLOCK)]
    made = (generator.vertices(block, embedding.rows) for block in blocks)
    return np.concatenate([embedding.describe(meshes) for meshes in made])


def measure_decoupling(
    generator: FaceGenerator, truth: TrueFaces, settings: EvaluationSettings
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return {factor: decoupling} of the generator's factors that `truth` has an embedding for.

    Once at the most accurate threshold, and once at the largest whose false acceptance is allowed.
    """
    strict, loose = {}, {}
    measured = [factor.name for factor in generator.spec.factors if factor.name in truth.embeddings]
    for turn, factor in enumerate(measured, start=10):
        anchors = generator.draw(settings.codes, seed=_seed(settings, turn))
        shared = np.repeat(anchors.part(factor), settings.draws, axis=0)
        seed = _seed(settings, turn + 10)
        redrawn = generator.draw(len(shared), seed=seed).replace(**{factor: shared})
        embedding = truth.embeddings[factor]
        first = _describe(generator, embedding, anchors)
        second = _describe(generator, embedding, redrawn).reshape(
            *first.shape[:1], -1, first.shape[1]
        )
        for found, thresholds in ((strict, truth.thresholds), (loose, truth.loosest)):
            estimate = decoupling(first, second, thresholds[factor])
            found[factor] = dataclasses.replace(estimate, seed=_seed(settings, turn))
    return strict, loose


def _diversity(
    generator: FaceGenerator,
    share: str,
    rows: IndexArray | None,
    use: EvaluationSettings,
    turn: int,
) -> Estimate:
    """Return the mean distance of pairs of new faces, of which each is in one pair only."""
    first = generator.draw(use.pairs, seed=_seed(use, turn))
    second = generator.draw(use.pairs, seed=_seed(use, turn + 1))
    if share != ALL:
        second = second.replace(**{share: first.part(share)})
    distances = np.empty(use.pairs)
    for start in range(0, use.pairs, _BLOCK):
        block = slice(start, start + _BLOCK)
        meshes = [generator.vertices(codes[block], rows) for codes in (first, second)]
        distances[block] = vertex_distance(np.asarray(meshes[0], np.float64) - meshes[1])
    settings = {"same": "" if share == ALL else share, "every": use.every}
    return mean_estimate(distances, unit="mm", seed=_seed(use, turn), settings=settings)


def _generalization(
    generator: FaceGenerator, truth: TrueFaces, use: EvaluationSettings
) -> Estimate | None:
    if not use.fits:
        return None
    held_out = truth.held_out.vertices
    chosen = np.unique(np.linspace(0, len(held_out) - 1, use.fits).round().astype(int))
    faces = held_out[chosen]
    return reconstruction_error(generator.fit(faces), faces)


def _right(
    generator: FaceGenerator, truth: TrueFaces, factor: str, use: EvaluationSettings
) -> Estimate:
    """Return how many faces with the fixed code of a class are of that class."""
    names = truth.held_out.classes[factor]
    labels = np.repeat(np.arange(len(names)), use.labelled)
    order = [generator.spec.factor(factor).classes.index(name) for name in names]
    fixed = generator.fixed[factor][order][labels]
    codes = generator.draw(len(labels), seed=_seed(use, 50)).replace(**{factor: fixed})
    found = truth.nearest_class(factor, _describe(generator, truth.embeddings[factor], codes))
    return share_estimate(found == labels, seed=_seed(use, 50))


def _seed(settings: EvaluationSettings, turn: int) -> int:
    return 100 * settings.seed + turn
