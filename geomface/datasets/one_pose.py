"""Whether meshes of one topology lie in one pose, as a training on their coordinates needs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.learning.errors import DatasetError
from geomface.mesh import fit_similarity

# Faces drawn at twice the spread of a model stay within 10 degrees, 4 % and 7 % of the diagonal.
_DEGREES = 20.0
_AWAY = 0.15
"""Of the diagonal; about 40 mm of a face."""
_UNLIKE, _UNLIKE_OTHERS = 0.15, 4.0
"""Of the diagonal, and of the median distance; a mirrored face is at 0.18."""
_LOOK = 0.05
"""Of the diagonal; nearer faces are not mirrored."""
_FOR_MEDIAN = 100
"""Faces are enough to find one in the middle."""


def require_one_pose(folder: Path, vertices: np.ndarray, names: Sequence[str]) -> None:
    """Refuse meshes that lie elsewhere than the others, are turned, mirrored or no such face.

    Every mesh is moved onto the one nearest to the median face by min over R, t of
    sum_v |R a_v + t - b_v|^2; what is left of it after that, and how far it was moved, must be
    small against the size of a face.

    Parameters
    ----------
    folder : that the messages name
    vertices : (N, V, 3) mm
    names : one a mesh

    Raises
    ------
    DatasetError : one of the meshes lies in another pose, named with what is wrong
    """
    if len(vertices) < 2:
        return
    some = vertices[:: -(-len(vertices) // _FOR_MEDIAN)]
    gaps = np.abs(some - np.median(some, axis=0)).mean(axis=(1, 2))
    common = some[gaps.argmin()].astype(np.float64)
    wrong = _wrong(vertices, common, float(np.linalg.norm(np.ptp(common, axis=0))))
    if wrong:
        told = [f"{names[row]} ({what})" for row, what in list(wrong.items())[:3]]
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise DatasetError(
            f"{folder}: expected meshes in one pose; {len(wrong)} of {len(vertices)} are not as "
            f"the others: {', '.join(told)}{more}. Put them into one pose in Python: "
            "gf.save_labelled_faces(NEW_FOLDER, gf.load_labelled_faces(FOLDER, align=True)). "
            "Remove those that are mirrored or damaged, or export them again."
        )


def _wrong(vertices: np.ndarray, common: np.ndarray, diagonal: float) -> dict[int, str]:
    """Return {row: what is wrong with the mesh}."""
    wrong, lefts = {}, np.empty(len(vertices))
    for row, single in enumerate(vertices):
        face = single.astype(np.float64)
        motion = fit_similarity(face, common, scale=False)
        lefts[row] = _distance(motion.apply(face), common)
        angle = np.degrees(np.arccos(np.clip((np.trace(motion.rotation) - 1) / 2, -1, 1)))
        away = float(np.linalg.norm(face.mean(axis=0) - common.mean(axis=0)))
        if lefts[row] > _LOOK * diagonal and _is_mirrored(face, common, lefts[row]):
            wrong[row] = "mirrored"
        elif angle > _DEGREES or away > _AWAY * diagonal:
            wrong[row] = f"{away:.0f} mm away, turned by {angle:.0f} degrees"
    limit = max(_UNLIKE * diagonal, _UNLIKE_OTHERS * float(np.median(lefts)))
    for row in np.flatnonzero(lefts > limit):
        wrong.setdefault(int(row), f"{lefts[row]:.0f} mm from them when it is moved onto them")
    return dict(sorted(wrong.items()))


def _is_mirrored(face: np.ndarray, common: np.ndarray, left: float) -> bool:
    """Say whether a reflection takes most of the distance away."""
    mirrored = face * [-1.0, 1.0, 1.0]
    moved = fit_similarity(mirrored, common, scale=False).apply(mirrored)
    return _distance(moved, common) < 0.5 * left


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a - b) ** 2).sum(axis=1).mean()))
