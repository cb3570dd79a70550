"""Relief of people's own: as strong as it says, alike on both sides, still at lids and rim."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Mesh, Template
from geomface.mesh.topology import boundary_loops
from geomface.synthesis import FaceImageSettings, FaceSampler, IdentitySettings, draw_person
from geomface.synthesis.face_relief import RELIEF_SIZE, ReliefModel, relief_model


def relief_of(template: Template) -> ReliefModel:
    assert template.landmarks is not None
    return relief_model(template, template.landmarks.positions(template.mesh.vertices))


def codes(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, RELIEF_SIZE))


@pytest.fixture(scope="module")
def template() -> Template:
    return load_builtin_face().template


@pytest.fixture(scope="module")
def drawn(template: Template) -> np.ndarray:
    relief = relief_of(template)
    return np.stack([relief.displacements(code) for code in codes(60)])


def test_it_is_strongest_on_the_nose_and_still_at_lids_and_rim(template, drawn) -> None:
    size = np.sqrt((drawn**2).mean(axis=0).sum(axis=1))
    regions = template.regions
    assert 1.7 < size[regions["nose"]].mean() < 2.8
    assert 1.3 < size[regions["narrow_face"]].mean() < 2.3
    assert size[regions["eye_rims"]].mean() < 0.4
    outer = max(boundary_loops(template.mesh.faces), key=len)
    np.testing.assert_array_equal(drawn[:, outer], 0.0)


def test_neighbours_move_together(template, drawn) -> None:
    """Nothing folds: edges change by a part of their length."""
    faces, points = template.mesh.faces, template.mesh.vertices
    first, second = faces[:, 0], faces[:, 1]
    length = np.linalg.norm(points[first] - points[second], axis=1)
    change = np.linalg.norm(drawn[:, first] - drawn[:, second], axis=2)
    assert np.sqrt((change**2).mean()) < 0.25 * np.sqrt((length**2).mean())


def test_most_of_it_is_alike_on_both_sides(template, drawn) -> None:
    points = template.mesh.vertices
    mirrored = points * [-1, 1, 1]
    away = np.linalg.norm(points[template.regions["cheeks"], None] - mirrored[None], axis=2)
    left, right = template.regions["cheeks"], away.argmin(axis=1)
    kept = (away.min(axis=1) < 0.5) & (points[left, 0] > 20)
    here, there = drawn[:, left[kept]], drawn[:, right[kept]] * [-1, 1, 1]
    alike = (here * there).mean() / (here**2).mean()
    assert 0.75 < alike < 0.95


def test_templates_of_any_unit(template, drawn) -> None:
    mesh = Mesh(template.mesh.vertices / 10, template.mesh.faces)
    small = relief_of(dataclasses.replace(template, mesh=mesh)).displacements(codes(1)[0])
    np.testing.assert_allclose(10 * small, drawn[0], atol=1e-4)


def test_people_have_it_and_without_it_they_are_the_models() -> None:
    bare = FaceSampler(FaceImageSettings(size=32, identity=IdentitySettings(relief=0.0)))
    own = FaceSampler(FaceImageSettings(size=32))
    with_relief, without = own.parameters(0, 0), bare.parameters(0, 0)
    np.testing.assert_array_equal(with_relief.person.coefficients, without.person.coefficients)
    shape = bare.model.vertices(without.person.coefficients, without.expression)
    np.testing.assert_allclose(bare.vertices(without), shape, atol=1e-9)
    apart = own.vertices(with_relief) - bare.vertices(without)
    expected = own.scene.relief.displacements(with_relief.person.relief)
    np.testing.assert_allclose(apart, expected, atol=1e-9)
    assert 0.3 < np.abs(apart[:, 2]).mean() < 2.0


def test_mixed_people_have_the_mean_of_two() -> None:
    settings = IdentitySettings(mix_share=0.9)
    people = [draw_person(settings, 5, 4, index) for index in range(12)]
    mixed = next(person for person in people if person.parents)
    first, second = (people[k].relief for k in mixed.parents)
    weight, other = mixed.parent_weights
    np.testing.assert_allclose(mixed.relief, weight * first + other * second)


@pytest.mark.parametrize("strength", [-0.1, 4.0, float("nan")])
def test_strengths_out_of_range_are_refused(strength: float) -> None:
    with pytest.raises(SettingsError, match="relief"):
        IdentitySettings(relief=strength)
