"""Baselines: what they are exact for, what they may see, and what they refuse."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import geomface as gf
from geomface.datasets import LabelledFaces
from geomface.errors import MeshError, SettingsError
from geomface.gan.factored_geometry.baselines import (
    AutoencoderSettings,
    LinearFaces,
    fit_linear_factors,
    fit_pca_faces,
    fit_tensor_faces,
    model_faces,
    train_autoencoder,
)
from geomface.gan.factored_geometry.codes import LatentSpec
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.learning import LoopSettings
from geomface.learning.errors import DatasetError
from geomface.mesh import Mesh, Template
from geomface.statistics import MorphableModel
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
TEMPLATE = Template(Mesh(CORNERS, np.array([[0, 1, 2], [1, 3, 2]]), name="square"))


def additive(people: int = 20, kinds: int = 3, known: float = 1.0) -> LabelledFaces:
    """One face of each person in each expression, the sum of both; some labels unknown."""
    rng = np.random.default_rng(4)
    shapes, changes = (10.0 * rng.normal(size=(n, 4, 3)) for n in (people, kinds))
    identity, expression = (x.ravel() for x in np.indices((people, kinds)))
    labels = np.where(rng.random(people * kinds) < known, expression, -1)
    return LabelledFaces(
        TEMPLATE,
        (CORNERS + shapes[identity] + changes[expression]).astype(np.float32),
        tuple(f"{a}/{b}" for a, b in zip(identity, expression, strict=True)),
        {"identity": identity, "expression": labels},
        {
            "identity": tuple(f"p{k}" for k in range(people)),
            "expression": tuple(f"e{k}" for k in range(kinds)),
        },
        {"identity": identity, "expression": expression},
    )


def test_pca_is_that_of_the_statistics() -> None:
    faces = additive()
    mine, theirs = fit_pca_faces(faces, 5), gf.fit_pca(faces.vertices, components=5)
    np.testing.assert_allclose(mine.mean, theirs.mean)
    np.testing.assert_allclose(mine.columns, theirs.modes)
    np.testing.assert_allclose(mine.fit(faces.vertices), theirs.project(faces.vertices), atol=1e-5)
    drawn = mine.vertices(mine.draw(20_000, seed=3))
    np.testing.assert_allclose(drawn.std(axis=0), theirs.project(faces.vertices).std(axis=0), 0.05)
    assert mine.spec.factors == () and mine.spec.size == 5


@pytest.mark.parametrize("fit", [fit_linear_factors, fit_tensor_faces])
@pytest.mark.parametrize("known", [1.0, 0.6])
def test_factors_of_an_additive_world_are_found(fit: object, known: float) -> None:
    """The fixed codes of a person and an expression give that person's face with it."""
    faces = additive(known=known)
    model = fit(faces)  # type: ignore[operator]
    codes = model.draw(len(faces), seed=1)
    codes = codes.replace(
        identity=model.fixed["identity"][faces.truth["identity"]],
        expression=model.fixed["expression"][faces.truth["expression"]],
    )
    np.testing.assert_allclose(model.vertices(codes), faces.vertices, atol=1e-3)
    np.testing.assert_allclose(model.fit(faces.vertices), faces.vertices, atol=0.5)
    same = model.draw(2, seed=2).replace(identity=model.fixed["identity"][0])
    assert np.abs(np.diff(model.vertices(same), axis=0)).max() > 0.1, "expressions vary"
    some = np.array([2, 0])
    rounding = 8 * np.spacing(np.abs(faces.vertices).max())  # of float32 sums in another order
    np.testing.assert_allclose(
        model.vertices(codes, some), model.vertices(codes)[:, some], rtol=0, atol=rounding
    )
    again = fit(faces)  # type: ignore[operator]
    np.testing.assert_array_equal(again.vertices(again.draw(3)), model.vertices(model.draw(3)))


def test_the_share_of_cells_that_were_filled_is_kept() -> None:
    faces = additive(known=0.6)
    share = (faces.labels["expression"] < 0).mean()
    assert fit_tensor_faces(faces).model.filled == pytest.approx(share)


def test_a_part_of_a_face_is_fitted_by_that_part_alone() -> None:
    faces = additive()
    visible = np.array([True, True, True, False])
    hidden = faces.vertices.copy()
    hidden[:, ~visible] = np.nan
    for model in (fit_pca_faces(faces, 6), fit_linear_factors(faces, 4, 2)):
        gap = (model.fit(hidden, visible) - faces.vertices)[:, visible]
        flat = (model.mean - faces.vertices)[:, visible]
        assert np.abs(gap).mean() < 0.5 * np.abs(flat).mean()
        with pytest.raises(MeshError, match="NaN"):
            model.fit(hidden)


def test_a_face_model_draws_the_world_of_its_labelled_faces() -> None:
    model: MorphableModel = gf.load_builtin_face()
    settings = LabelledFacesSettings(people=300, faces=1, strength=(0.5, 1.0))
    world, rows = draw_labelled_faces(model, settings), np.arange(0, 7756, 40)
    truth = model_faces(model, settings)
    drawn = truth.vertices(truth.draw(300, seed=5), rows)
    seen = world.vertices[:, rows]
    np.testing.assert_allclose(drawn.mean(axis=0), seen.mean(axis=0), atol=1.0)
    assert drawn.std(axis=0).mean() == pytest.approx(seen.std(axis=0).mean(), rel=0.1)
    faces = world.vertices[:4]
    np.testing.assert_allclose(truth.fit(faces), faces, atol=1e-3)


def test_bad_input() -> None:
    faces = additive()
    alone = faces.select(faces.labels["identity"] == 0)
    for fit in (fit_linear_factors, fit_tensor_faces):
        with pytest.raises(DatasetError, match="two or more people"):
            fit(alone)
    blind = {**faces.labels, "expression": np.full(len(faces), -1)}
    with pytest.raises(DatasetError, match="every expression"):
        fit_tensor_faces(dataclasses.replace(faces, labels=blind))
    with pytest.raises(MeshError, match="columns"):
        LinearFaces("bad", LatentSpec((), 2), np.zeros((4, 3)), np.zeros((3, 4, 3)))
    with pytest.raises(MeshError, match="faces to fit"):
        fit_pca_faces(faces, 3).fit(np.zeros((1, 5, 3)))
    with pytest.raises(SettingsError, match="1 number"):
        fit_pca_faces(faces, 0)


def test_only_known_faces_of_an_expression_make_its_code() -> None:
    """Labels that training may not see change nothing."""
    faces = additive(known=0.6)
    lied = dataclasses.replace(faces, truth={"expression": np.zeros(len(faces), int)})
    for fit in (fit_linear_factors, fit_tensor_faces):
        one, two = fit(faces), fit(lied)
        np.testing.assert_array_equal(one.fixed["expression"], two.fixed["expression"])


def test_autoencoder_draws_from_the_gaussian_of_its_codes(tmp_path: Path) -> None:
    faces = draw_labelled_faces(gf.load_builtin_face(), LabelledFacesSettings(6, 6))
    settings = AutoencoderSettings(
        NetworkSettings(16, 8, 8, None), numbers=4, batch=12, horizon=60, loop=LoopSettings(60)
    )
    model = train_autoencoder(settings, faces, tmp_path / "run")
    assert model.spec.factors == () and model.spec.size == 4
    flat = np.abs(faces.vertices - faces.vertices.mean(axis=0)).mean()
    assert np.abs(model.fit(faces.vertices) - faces.vertices).mean() < 0.9 * flat
    again = train_autoencoder(settings, faces, tmp_path / "run")
    codes = model.draw(3, seed=1)
    np.testing.assert_array_equal(again.vertices(codes), model.vertices(codes))
    images = torch.from_numpy(model.model.frame.to_images(faces.vertices))
    drawn = model.model.generator[0](torch.from_numpy(model.draw(4000).values))
    np.testing.assert_allclose(torch.cov(drawn.T), torch.cov(model.encoder(images).T), rtol=0.2)
    rows = np.array([5, 0])
    np.testing.assert_allclose(
        model.vertices(codes, rows), model.model.vertices(codes)[:, rows], atol=1e-3
    )
    with pytest.raises(SettingsError, match="whole faces"):
        model.fit(faces.vertices, np.arange(7756) < 100)
    with pytest.raises(SettingsError, match="numbers: expected 1 or more"):
        AutoencoderSettings(numbers=0)
