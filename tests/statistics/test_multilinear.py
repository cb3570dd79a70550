"""The multilinear model: exact where the truth is multilinear, honest where cells are missing."""

import numpy as np
import pytest

from geomface.errors import MeshError, SettingsError
from geomface.statistics.multilinear import MultilinearModel, fit_multilinear


def table(people: int = 12, expressions: int = 5, ranks: tuple[int, int] = (4, 3)) -> np.ndarray:
    """Cells of an exact multilinear truth of some ranks, whose mean cell is 0."""
    rng = np.random.default_rng(1)
    core = rng.normal(size=(*ranks, 30, 3))
    first, second = rng.normal(size=(people, ranks[0])), rng.normal(size=(expressions, ranks[1]))
    first -= first.mean(axis=0)
    return np.einsum("abvk,pa,eb->pevk", core, first, second)


def test_a_table_of_given_ranks_is_met_exactly() -> None:
    cells = table()
    model = fit_multilinear(cells, people=4, expressions=3)
    rows, columns = np.meshgrid(range(12), range(5), indexing="ij")
    made = model.reconstruct(model.people[rows.ravel()], model.expressions[columns.ravel()])
    np.testing.assert_allclose(made.reshape(cells.shape), cells, atol=1e-9)
    assert model.filled == 0.0
    np.testing.assert_allclose(np.square(model.people).mean(axis=0), 1.0)


def test_too_few_modes_leave_what_the_decomposition_by_modes_leaves() -> None:
    """|T - T'|^2 is at most the sum of the squared singular values left out in both modes."""
    cells = table()
    model = fit_multilinear(cells, people=2, expressions=2)
    rows, columns = np.meshgrid(range(12), range(5), indexing="ij")
    made = model.reconstruct(model.people[rows.ravel()], model.expressions[columns.ravel()])
    left = np.square(made.reshape(cells.shape) - cells).sum()
    unfolded = [np.moveaxis(cells, axis, 0).reshape(cells.shape[axis], -1) for axis in (0, 1)]
    tails = [np.square(np.linalg.svd(m, compute_uv=False)[2:]).sum() for m in unfolded]
    assert max(tails) * (1 - 1e-9) <= left <= sum(tails) * (1 + 1e-9)


def test_faces_of_the_model_are_found_again_from_a_part_of_them() -> None:
    model = fit_multilinear(table(), people=4, expressions=3)
    rng = np.random.default_rng(2)
    faces = model.reconstruct(rng.normal(size=(6, 4)), rng.normal(size=(6, 3)))
    visible = np.arange(30) < 20
    for shown in (None, visible):
        found = model.fit(faces, visible=shown, steps=300, ridge=1e-9)
        np.testing.assert_allclose(found, faces, atol=1e-3)
    changed = np.where(visible[:, None], faces, 99.0)
    again = model.fit(changed, visible=visible, steps=300, ridge=1e-9)
    np.testing.assert_array_equal(again, model.fit(faces, visible=visible, steps=300, ridge=1e-9))


def test_missing_cells_are_filled_better_than_they_started() -> None:
    cells = table(people=30, expressions=5, ranks=(2, 2))
    known = np.random.default_rng(3).random(cells.shape[:2]) > 0.2
    start = np.where(known[..., None, None], cells, 0.0)
    model = fit_multilinear(start, known, people=2, expressions=2, steps=200)
    rows, columns = np.nonzero(~known)
    made = model.reconstruct(model.people[rows], model.expressions[columns])
    assert np.abs(made - cells[~known]).mean() < 0.05 * np.abs(cells[~known]).mean()
    assert model.filled == pytest.approx((~known).mean())


def test_bad_tables_are_refused() -> None:
    cells = table()
    with pytest.raises(SettingsError, match="1 to 12 modes"):
        fit_multilinear(cells, people=13)
    with pytest.raises(MeshError, match="known cells"):
        fit_multilinear(cells, np.zeros((12, 5), bool))
    with pytest.raises(MeshError, match="NaN"):
        fit_multilinear(np.full_like(cells, np.nan))
    with pytest.raises(MeshError, match="core"):
        MultilinearModel(np.zeros((3, 3)), np.zeros((2, 2, 4, 3)), np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(MeshError, match="faces to fit"):
        fit_multilinear(cells).fit(np.zeros((1, 29, 3)))
