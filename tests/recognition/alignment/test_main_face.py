"""Which face of a photograph is aligned."""

import numpy as np
import pytest

from geomface.errors import LandmarkError
from geomface.landmarks.photographs.result import PhotographFace, PhotographResult
from geomface.recognition.aligned.read_face import main_face


def result(*faces: tuple[float, float, float]) -> PhotographResult:
    """A picture of 250 x 250 with faces at x, y of these radii."""
    found = tuple(
        PhotographFace(np.zeros((68, 2)), np.ones(68), np.zeros(68), 1.0, np.array([*face, 0.0]))
        for face in faces
    )
    return PhotographResult(found, (250, 250), (), 0.0)


@pytest.mark.parametrize(
    ("faces", "chosen"),
    [
        ([(125, 125, 40)], 0),
        ([(60, 125, 50), (190, 125, 30)], 0),  # the larger
        ([(20, 30, 45), (125, 125, 40)], 1),  # a passer-by at the rim, a little larger
        ([(40, 60, 90), (125, 125, 40)], 0),  # far larger: the other is behind
    ],
)
def test_the_largest_counts_unless_it_lies_far_from_the_middle(
    faces: list[tuple[float, float, float]], chosen: int
) -> None:
    assert main_face(result(*faces)).frame.tolist()[:3] == list(faces[chosen])


def test_no_face_is_told() -> None:
    with pytest.raises(LandmarkError, match="no face was found"):
        main_face(result())
