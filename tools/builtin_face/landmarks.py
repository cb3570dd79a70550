"""Landmarks and regions of the built-in face, from addresses in the layout."""

import numpy as np

from builtin_face.layout import EYE_RINGS, MOUTH_RINGS, OUTER_RINGS, Layout
from geomface.arrays import BoolArray, FloatArray, IndexArray

# The subject's left half of the jaw contour and the brow, millimetres on the neutral face.
JAW = {
    9: (15.5, -77, 99), 10: (30, -72.5, 85), 11: (42.5, -63, 71), 12: (53, -47, 59.5),
    13: (60.5, -26, 53), 14: (65, -5, 48.5), 15: (68, 15, 43.5), 16: (69.5, 36, 40),
}  # fmt: skip
GNATHION = (0.0, -79.5, 103.5)
BROW = {
    22: (12.5, 55.3, 109), 23: (23.5, 57.6, 106.5), 24: (34.5, 58.3, 102.3),
    25: (46, 56.2, 94), 26: (56, 50, 82),
}  # fmt: skip
LID_RING = 10
LID_SEGMENTS = {42: 46, 43: 1, 44: 11, 45: 20, 46: 27, 47: 38}
LIP_BORDER = 6
LIP_SEGMENTS = {51: 0, 52: 4, 53: 11, 54: 21, 55: 31, 56: 36, 57: 42}
LIP_CONTACT = 10
CONTACT_SEGMENTS = {62: 0, 63: 7, 64: 21, 65: 35, 66: 42}
NOSE = {27: (0, 16), 28: (0, 20), 29: (0, 25), 30: (0, 32), 33: (0, 41), 34: (4, 41), 35: (9, 41)}
MIRROR_PAIRS = {
    **{left: 16 - left for left in range(9, 17)},
    **{left: 43 - left for left in range(22, 27)},
    34: 32, 35: 31, 42: 39, 43: 38, 44: 37, 45: 36, 46: 41, 47: 40,
    52: 50, 53: 49, 54: 48, 55: 59, 56: 58, 63: 61, 64: 60, 65: 67,
}  # fmt: skip
SUBSET43 = tuple(range(17, 60))


def landmark_vertices(layout: Layout, vertices: FloatArray) -> IndexArray:
    """Return the (68,) vertices of the multi-pie-68 landmarks; twins are exact mirror twins."""
    chosen: dict[int, int] = {}
    for table in (JAW, BROW):
        for index, place in table.items():
            away = np.linalg.norm(vertices[layout.left] - place, axis=1)
            chosen[index] = int(layout.left[np.argmin(away)])
    middle = layout.grid[0][layout.grid[0] >= 0]
    middle = np.concatenate([middle, layout.outer[1:, -1]])
    chosen[8] = int(middle[np.argmin(np.linalg.norm(vertices[middle] - GNATHION, axis=1))])
    for index, segment in LID_SEGMENTS.items():
        chosen[index] = int(layout.eye[LID_RING, segment])
    for index, segment in LIP_SEGMENTS.items():
        chosen[index] = int(layout.mouth[LIP_BORDER, segment])
    for index, segment in CONTACT_SEGMENTS.items():
        chosen[index] = int(layout.mouth[LIP_CONTACT, segment])
    for index, address in NOSE.items():
        chosen[index] = int(layout.grid[address])
    for left, right in MIRROR_PAIRS.items():
        chosen[right] = int(layout.mirror[chosen[left]])
    return np.array([chosen[index] for index in range(68)], np.int64)


def regions(layout: Layout, vertices: FloatArray) -> dict[str, IndexArray]:
    """Return the named vertex regions, each symmetric."""
    count = layout.vertex_count
    x, y, z = np.abs(vertices[:, 0]), vertices[:, 1], vertices[:, 2]

    def among(*arrays: IndexArray) -> BoolArray:
        mask = np.zeros(count, bool)
        for array in arrays:
            picked = array[array >= 0].ravel()
            mask[picked] = True
            mask[layout.mirror[picked]] = True
        return mask

    rim = among(layout.outer[OUTER_RINGS - 1 :])
    eyes = among(layout.eye[2:])
    mouth = among(layout.mouth[1:])
    nose = among(layout.grid[:14, 15:42])
    brow_line = np.array([BROW[index] for index in range(22, 27)])
    line = np.stack(
        [np.interp(np.linspace(0, 4, 60), np.arange(5), brow_line[:, k]) for k in range(3)], axis=1
    )
    folded = np.stack([x, y, z], axis=1)
    brows = np.linalg.norm(folded[:, None] - line[None], axis=2).min(axis=1) < 5.5
    brows &= ~among(layout.eye[4:])
    jaw_line = np.array([(0, -80, 103), *JAW.values()], float)
    line = np.stack(
        [np.interp(np.linspace(0, 8, 90), np.arange(9), jaw_line[:, k]) for k in range(3)], axis=1
    )
    near_jaw = np.linalg.norm(folded[:, None] - line[None], axis=2).min(axis=1)
    forehead = (y > 58) & ~brows & ~eyes & ~nose
    chin = (y < -52) & (x < 27) & (z > 80) & ~mouth
    lower = ~(eyes | mouth | nose | brows | forehead | chin)
    masks = {
        "eyes": eyes,
        "nose": nose,
        "mouth": mouth,
        "brows": brows,
        "forehead": forehead,
        "cheeks": lower & (y < 32) & (y > -50) & (z > 45),
        "chin": chin,
        "jaw": lower & (near_jaw < 14) & (y < 0),
        "lids": among(layout.eye[6:]),
        "lips": among(layout.mouth[6:]),
        "inner_mouth_rim": among(layout.mouth[MOUTH_RINGS - 2 :]),
        "eye_rims": among(layout.eye[EYE_RINGS - 2 :]),
        "outer_rim": rim,
        "face_core": ~rim,
        "narrow_face": ~rim,
    }
    return {name: np.flatnonzero(mask) for name, mask in masks.items()}
