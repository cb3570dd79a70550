"""Landmark files of pictures: every format, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from geomface.errors import GeomfaceError
from geomface.mesh.io.pixel_landmarks import (
    PixelLandmarks,
    holds_pixels,
    load_pixel_landmarks,
    save_pixel_landmarks,
)


def test_json_keeps_every_bit(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(0, 200, (68, 2))
    points[5] = np.nan
    path = tmp_path / "p.json"
    save_pixel_landmarks(path, PixelLandmarks(points, image_size=(120, 200)))
    found = load_pixel_landmarks(path)
    np.testing.assert_array_equal(found.points, points)
    assert found.image_size == (120, 200) and found.scheme == "multi-pie-68"
    assert holds_pixels(path)


def test_rows_and_pts(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("# x y\n1.5 2\n\nnan nan\n3, 4\n")
    (tmp_path / "p.pts").write_text("version: 1\nn_points: 3\n{\n1.5 2\nnan nan\n3 4\n}\n")
    for name in ("p.txt", "p.pts"):
        found = load_pixel_landmarks(tmp_path / name)
        np.testing.assert_array_equal(found.points, [[1.5, 2], [np.nan, np.nan], [3, 4]])
        assert found.scheme == "points-3" and not holds_pixels(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.json", '{"points": [[1, 2, 3]]}', "two numbers"),
        ("b.json", '{"points": [[1, true]]}', "two numbers"),
        ("c.json", '{"points": [[1, 2]], "unit": "mm"}', "'mm'"),
        ("d.json", '{"points": [null, null]}', "all 2 are missing"),
        ("e.json", '{"points": [[1, 2]], "image_size": [0, 5]}', "image_size"),
        ("f.json", "[1, 2]", "points"),
        ("g.json", '{"points": [[1, 2]], "scheme": 5}', "scheme"),
        ("a.txt", "1 2 3\n", "row 0 has 3"),
        ("b.txt", "one two\n", "one two"),
        ("c.txt", "# nothing\n", "found none"),
        ("d.txt", "1 inf\n", "infinity"),
        ("a.pts", "1 2\n", "braces"),
        ("a.xyz", "1 2\n", ".json"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, name: str, text: str, word: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(GeomfaceError) as caught:
        load_pixel_landmarks(tmp_path / name)
    assert word in str(caught.value) and name in str(caught.value)
