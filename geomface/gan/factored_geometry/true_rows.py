"""Table 1's rows of true faces: what a generator is to reach."""

import numpy as np

from geomface.arrays import IndexArray
from geomface.datasets.labelled_faces import LabelledFaces
from geomface.gan.factored_geometry.evaluation import (
    ALL,
    EvaluationSettings,
    chosen_rows,
    class_shares,
    evaluation_record,
    share_estimate,
)
from geomface.gan.factored_geometry.table_row import FactoredEvaluation
from geomface.gan.factored_geometry.truth import TrueFaces, true_labels
from geomface.metrics import (
    Estimate,
    SameThreshold,
    decoupling,
    diversity,
    draw_pairs,
    mean_estimate,
    nearest_meshes,
    reconstruction_error,
)


def true_row(truth: TrueFaces, settings: EvaluationSettings | None = None) -> FactoredEvaluation:
    """Return the row of the held-out faces, through images and decoder: what is to be reached.

    Codes are labels here: decoupling is the share of faces of one label that are taken for the
    same. Generalization is what images and decoder lose. The specificity of people who are not in
    training; its interval is over people.
    """
    use = EvaluationSettings() if settings is None else settings
    held_out, shown = truth.held_out, truth.shown
    rows = chosen_rows(use, shown.shape[1])
    part, training = shown, truth.training.vertices
    if rows is not None:
        part, training = shown[:, rows], training[:, rows]
    units = _people(held_out)
    distances, _ = nearest_meshes(part, training)
    means = np.bincount(units, distances) / np.bincount(units)
    return FactoredEvaluation(
        "true faces",
        decoupling={
            factor: _true_decoupling(truth, factor, item, use)
            for factor, item in truth.thresholds.items()
        },
        decoupling_loosest={
            factor: _true_decoupling(truth, factor, item, use)
            for factor, item in truth.loosest.items()
        },
        diversity=_label_diversity(part, truth, units, use, held_out),
        specificity=mean_estimate(
            means, unit="mm", settings={"training_meshes": len(training), "faces": len(shown)}
        ),
        generalization=reconstruction_error(shown, held_out.vertices),
        roughness=mean_estimate(truth.roughness(shown), unit="mm"),
        nearest={
            factor: class_shares(truth, factor, truth.embedded[factor]) for factor in truth.centres
        },
        right={factor: _right(truth, factor) for factor in truth.centres},
        settings=evaluation_record(truth, use),
    )


def training_row(
    truth: TrueFaces, settings: EvaluationSettings | None = None
) -> FactoredEvaluation:
    """Return the diversities of the training faces, by labels (the truth where they were drawn)."""
    use = EvaluationSettings() if settings is None else settings
    faces = truth.training
    rows = chosen_rows(use, faces.vertices.shape[1])
    part = faces.vertices if rows is None else faces.vertices[:, rows]
    units = _people(faces)
    return FactoredEvaluation(
        "training faces",
        decoupling={},
        diversity=_label_diversity(part, truth, units, use, faces),
        settings=evaluation_record(truth, use),
    )


def _true_decoupling(
    truth: TrueFaces, factor: str, threshold: SameThreshold, use: EvaluationSettings
) -> Estimate:
    """Return the share of faces of one label that are taken for the same."""
    rng = np.random.default_rng([use.seed, 1])
    labels, embedded = true_labels(truth.held_out, factor), truth.embedded[factor]
    counts = np.bincount(labels[labels >= 0])
    useful = np.flatnonzero((labels >= 0) & (counts[labels] > 1))
    anchors = rng.choice(useful, min(use.codes, len(useful)), replace=False)
    partners = []
    for row in anchors:
        others = np.flatnonzero(labels == labels[row])
        partners.append(rng.choice(others[others != row], use.draws))
    return decoupling(embedded[anchors], embedded[np.stack(partners)], threshold)


def _right(truth: TrueFaces, factor: str) -> Estimate:
    """Return how many faces of a class lie nearest to its mean."""
    labels = true_labels(truth.held_out, factor)
    known = labels >= 0
    found = truth.nearest_class(factor, truth.embedded[factor])
    return share_estimate(found[known] == labels[known])


def _label_diversity(
    vertices: np.ndarray,
    truth: TrueFaces,
    units: IndexArray,
    use: EvaluationSettings,
    faces: LabelledFaces,
) -> dict[str, Estimate]:
    found = {}
    for turn, share in enumerate([ALL, *truth.embeddings]):
        labels = None if share == ALL else true_labels(faces, share)
        pairs = draw_pairs(
            len(faces), count=use.pairs, labels=labels, same=share, seed=100 * use.seed + turn
        )
        found[share] = diversity(vertices, pairs, units=units)
    return found


def _people(faces: LabelledFaces) -> IndexArray:
    """Return (N,) what was drawn independently: the person of each face, or each face."""
    if "identity" not in faces.classes:
        return np.arange(len(faces))
    labels = true_labels(faces, "identity")
    alone = labels.max(initial=-1) + 1 + np.arange(len(faces))
    return np.unique(np.where(labels >= 0, labels, alone), return_inverse=True)[1]
