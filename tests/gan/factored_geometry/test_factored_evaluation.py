"""Table 1's figures where the answer is known: the true model, and generators that ignore a part"""

import dataclasses
import json

import numpy as np
import pytest

import geomface as gf
from geomface.errors import SettingsError, TopologyMismatchError
from geomface.gan.factored_geometry.baselines.linear import LinearFaces, model_faces
from geomface.gan.factored_geometry.codes import Factor, LatentSpec
from geomface.gan.factored_geometry.embedding import oracle_embedding
from geomface.gan.factored_geometry.evaluation import (
    EvaluationSettings,
    evaluate_generator,
)
from geomface.gan.factored_geometry.table_row import FactoredEvaluation, table_lines
from geomface.gan.factored_geometry.true_rows import training_row, true_row
from geomface.gan.factored_geometry.truth import TrueFaces, measure_truth
from geomface.geometry_image import fit_frame
from geomface.learning.errors import DatasetError
from geomface.metrics import Pairs, diversity
from geomface.statistics import MorphableModel
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

FEW = EvaluationSettings(
    samples=150, codes=25, draws=10, pairs=400, labelled=20, fits=6, every=8, seed=1
)


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return gf.load_builtin_face()


@pytest.fixture(scope="module")
def truth(model: MorphableModel) -> TrueFaces:
    training = draw_labelled_faces(model, LabelledFacesSettings(30, 12, 0.5))
    held_out = draw_labelled_faces(model, LabelledFacesSettings(25, 14, 0.5, seed=7))
    embeddings = {name: oracle_embedding(model, name) for name in ("identity", "expression")}
    return measure_truth(training, held_out, embeddings)


@pytest.fixture(scope="module")
def exact(model: MorphableModel, truth: TrueFaces) -> FactoredEvaluation:
    return evaluate_generator(model_faces(model), truth, FEW)


def test_the_true_model_is_as_good_as_true_faces(
    exact: FactoredEvaluation, truth: TrueFaces
) -> None:
    true, training = true_row(truth, FEW), training_row(truth, FEW)
    assert exact.decoupling["identity"].value > 0.97
    assert exact.decoupling["expression"].value == pytest.approx(
        true.decoupling["expression"].value, abs=0.06
    )
    assert true.specificity is not None and exact.specificity is not None
    assert exact.specificity.value == pytest.approx(true.specificity.value, rel=0.05)
    for share, found in exact.diversity.items():
        assert found.value == pytest.approx(training.diversity[share].value, rel=0.12), share
    assert exact.generalization is not None and exact.generalization.value < 1e-3
    assert exact.right["expression"].value > true.right["expression"].value - 0.05 > 0.8
    assert true.generalization is not None and true.generalization.value == 0.0
    assert sum(exact.nearest["expression"].values()) == pytest.approx(1.0)


def test_a_generator_that_ignores_expression_is_found_out(
    model: MorphableModel, truth: TrueFaces, exact: FactoredEvaluation
) -> None:
    """Its people never move; whatever its expression code, faces show the same one: neutral."""
    whole = model_faces(model)
    columns = whole.columns.copy()
    columns[whole.spec.span("expression")] = 0.0
    found = evaluate_generator(dataclasses.replace(whole, columns=columns), truth, FEW)
    assert found.diversity["identity"].value < 1e-6
    assert found.diversity["all"].value < exact.diversity["all"].value
    assert found.right["expression"].value < 0.2
    assert found.nearest["expression"]["neutral"] > 0.85
    assert found.decoupling["identity"].value == 1.0


def test_a_generator_whose_codes_mean_nothing_is_not_decoupled(
    model: MorphableModel, truth: TrueFaces
) -> None:
    """Its faces are true, but a code does not say which: all of it is noise."""
    whole = model_faces(model)
    names = LatentSpec((Factor("identity", 1), Factor("expression", 1)), whole.spec.size - 2)

    def shuffled(count: int, seed: int) -> np.ndarray:
        return whole.values(count, seed)  # type: ignore[misc]

    blind = LinearFaces("blind", names, whole.mean, whole.columns, values=shuffled)
    found = evaluate_generator(blind, truth, dataclasses.replace(FEW, fits=0))
    assert found.decoupling["identity"].value < 0.2
    assert found.decoupling["expression"].value < 0.5
    assert found.generalization is None and not found.right


def test_without_factors_decoupling_is_not_defined(model: MorphableModel, truth: TrueFaces) -> None:
    whole = model_faces(model)
    plain = LinearFaces("plain", LatentSpec((), whole.spec.size), whole.mean, whole.columns)
    found = evaluate_generator(plain, truth, dataclasses.replace(FEW, fits=0))
    assert not found.decoupling and set(found.diversity) == {"all"}
    lines = table_lines([true_row(truth, FEW), found])
    assert lines[-1].startswith("| plain | - | - |")
    assert len({line.count("|") for line in lines}) == 1


def test_figures_are_those_of_the_shared_measures(
    model: MorphableModel, truth: TrueFaces, exact: FactoredEvaluation
) -> None:
    """Diversity of pairs in which each face occurs once, with its interval; and again, the same."""
    generator = model_faces(model)
    first, second = (generator.draw(FEW.pairs, seed=100 * FEW.seed + turn) for turn in (30, 31))
    faces = np.concatenate([generator.vertices(c, np.arange(0, 7756, 8)) for c in (first, second)])
    pairs = Pairs(np.arange(2 * FEW.pairs).reshape(2, -1).T, 0)
    expected = diversity(faces, pairs)
    assert exact.diversity["all"].value == pytest.approx(expected.value, rel=1e-9)
    assert exact.diversity["all"].deviation == pytest.approx(expected.deviation, rel=1e-9)
    assert exact.diversity["all"].error == pytest.approx(expected.error, rel=2e-3)
    again = evaluate_generator(generator, truth, FEW)
    for factor, found in exact.decoupling.items():
        assert found.value <= exact.decoupling_loosest[factor].value
    assert json.dumps(again.record()) == json.dumps(exact.record())


def test_thresholds_come_from_faces_that_went_through_images(model: MorphableModel) -> None:
    training = draw_labelled_faces(model, LabelledFacesSettings(6, 7, 1.0))
    flat = gf.unwrap(model.template).mesh
    frame = fit_frame(flat, training.vertices, 32)
    embeddings = {"identity": oracle_embedding(model, "identity", every=16)}
    seen = measure_truth(training, training, embeddings, frame=frame, alpha=1.2)
    bare = measure_truth(training, training, embeddings)
    assert 0.05 < np.linalg.norm(seen.shown - bare.shown, axis=2).mean() < 2.0
    row = true_row(seen, FEW)
    assert row.generalization is not None and row.generalization.value > 0.05
    strict, loose = seen.thresholds["identity"], seen.loosest["identity"]
    assert strict.false_acceptance <= loose.false_acceptance <= 0.1
    assert strict.value <= loose.value
    assert set(seen.centres) == {"identity"}
    noise = np.random.default_rng(0).normal(0, 0.3, (2, *bare.mean.shape))
    assert seen.roughness(bare.mean + noise).min() > 3 * seen.roughness(seen.shown).mean()
    assert np.abs(seen.roughness(bare.mean[None] + [1.0, 2.0, 3.0])).max() < 1e-9


def test_bad_input(model: MorphableModel, truth: TrueFaces) -> None:
    faces = truth.held_out
    with pytest.raises(SettingsError, match="identity and expression"):
        oracle_embedding(model, "age")
    with pytest.raises(SettingsError, match="directions"):
        oracle_embedding(model, "expression", directions=np.ones((2, 3)))
    with pytest.raises(SettingsError, match="pairs"):
        EvaluationSettings(pairs=0)
    with pytest.raises(DatasetError, match="labels of age"):
        measure_truth(faces, faces, {"age": truth.embeddings["identity"]})
    with pytest.raises(DatasetError, match="identity"):
        one = faces.select(faces.labels["identity"] == 0)
        measure_truth(faces, one, {"identity": truth.embeddings["identity"]})
    with pytest.raises(DatasetError, match="held-out"):
        measure_truth(faces, faces.select([]), truth.embeddings)
    other = draw_labelled_faces(model, LabelledFacesSettings(2, 2, region="narrow_face"))
    with pytest.raises(TopologyMismatchError, match="vertices"):
        measure_truth(faces, other, truth.embeddings)


@pytest.mark.parametrize("name", ["samples", "codes", "draws", "pairs"])
def test_one_of_anything_says_nothing(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected 2 or more, got 1"):
        EvaluationSettings(**{name: 1})
    with pytest.raises(SettingsError, match="fits"):
        EvaluationSettings(fits=-1)
