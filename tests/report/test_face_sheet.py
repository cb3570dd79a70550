"""Sheets of textured faces: rows, columns, poses, lights."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.faces import load_builtin_face
from geomface.mesh import Mesh
from geomface.report.face_sheet import LIGHTS, YAWS, face_sheet, pose_and_light_sheet


@pytest.fixture(scope="module")
def faces() -> list[Mesh]:
    model = load_builtin_face()
    grey = np.full((len(model.mesh.vertices), 3), 0.6, np.float32)
    return [
        model.mesh.replace(vertices=model.vertices(0.8 * np.eye(len(model.shape))[k]), colors=grey)
        for k in range(2)
    ]


def test_each_face_is_shown_under_each_yaw(faces: list[Mesh]) -> None:
    sheet = face_sheet(faces, columns=2, size=48, yaws=(0.0, 35.0))
    assert sheet.shape[:2] == pytest.approx((96, 96), abs=24)
    assert np.ptp(sheet) > 0.5


def test_lights_fall_from_their_sides_and_poses_mirror_each_other(faces: list[Mesh]) -> None:
    mean = [dataclasses.replace(faces[0], vertices=load_builtin_face().mesh.vertices)]
    sheet = pose_and_light_sheet(mean, size=64)
    tiles = np.array_split(sheet[:64], len(YAWS) + len(LIGHTS), axis=1)
    tiles = [tile[:, :64].mean(axis=2) for tile in tiles]
    halves = [(t[:, :32].mean(), t[:, 32:].mean()) for t in tiles[len(YAWS) :]]
    assert halves[0][0] > 1.05 * halves[0][1]  # lit from the picture's left
    assert halves[1][1] > 1.05 * halves[1][0]
    assert halves[2][0] == pytest.approx(halves[2][1], rel=0.05)
    covered = [(tile < 0.97) for tile in tiles[: len(YAWS)]]
    for left, right in zip(covered, reversed(covered), strict=True):
        assert left.mean() == pytest.approx(right.mean(), rel=0.03)
    assert covered[0].mean() != covered[2].mean()


def test_no_face_is_refused() -> None:
    for draw in (face_sheet, pose_and_light_sheet):
        with pytest.raises(MeshError, match="expected at least one face, got none"):
            draw([])
