"""Drawn sets: the same whatever was drawn before, read by row, never mixed."""

import numpy as np
import pytest

from geomface.datasets.drawn import DrawnSet, draw_files
from geomface.learning.errors import DatasetError

CONFIG = {"people": 7, "seed": 3}


def draw(index: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([3, index])
    rows = 2 + index
    return {
        "pictures": rng.integers(-127, 127, (rows, 4, 5), np.int8),
        "points": rng.standard_normal((rows, 3)),
    }


def test_a_set_that_was_left_half_drawn_goes_on_and_reads_rows_in_any_order(tmp_path) -> None:
    drawn: list[int] = []

    def noted(index: int) -> dict[str, np.ndarray]:
        drawn.append(index)
        return draw(index)

    with pytest.raises(KeyboardInterrupt):

        def interrupted(index: int) -> dict[str, np.ndarray]:
            if index == 2:
                raise KeyboardInterrupt
            return noted(index)

        draw_files(tmp_path / "set", interrupted, 4, kind="things", config=CONFIG)
    found = DrawnSet(draw_files(tmp_path / "set", noted, 4, kind="things", config=CONFIG))
    assert drawn == [0, 1, 2, 3] and len(found) == 2 + 3 + 4 + 5
    chosen = np.array([13, 0, 5, 1, 5, 2])
    rows = found.rows(chosen)
    for name, values in rows.items():
        whole = np.concatenate([draw(index)[name] for index in range(4)])
        np.testing.assert_array_equal(values, whole[chosen])
        assert values.dtype == whole.dtype


def test_files_of_other_settings_or_of_another_kind_are_refused(tmp_path) -> None:
    draw_files(tmp_path, draw, 1, kind="things", config=CONFIG)
    with pytest.raises(DatasetError, match='drawn with .*"seed": 4.*another folder'):
        draw_files(tmp_path, draw, 2, kind="things", config=CONFIG | {"seed": 4})
    with pytest.raises(DatasetError, match="'others'"):
        draw_files(tmp_path, draw, 1, kind="others", config=CONFIG)
