"""The hand annotation of forty photographs, and the photographs that it is of."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray

FILE = Path(__file__).with_name("orl_annotation.json")
FLAGS = ("glasses", "glare", "eyes_closed", "mouth_open", "facial_hair")


@dataclasses.dataclass(frozen=True, eq=False)
class Annotation:
    """Four points on each of n photographs: right eye, left eye, right and left mouth corner.

    Parameters
    ----------
    rows, pictures : (n,) int64, the photograph is images[row, picture]
    points : (n, 4, 2) float64, pixels: x right, y down, pixel centres at + 0.5
    passes : (n, 3, 4, 2) float64, the three passes whose mean the points are
    flags : (n,) bool by name, see FLAGS
    turned : (n,) "left", "right" or "no": the subject's side that the face is turned to
    """

    rows: np.ndarray
    pictures: np.ndarray
    points: FloatArray
    passes: FloatArray
    flags: dict[str, np.ndarray]
    turned: np.ndarray

    @property
    def eye_distances(self) -> FloatArray:
        """Return the (n,) distances of the eyes, pixels."""
        return np.linalg.norm(self.points[:, 1] - self.points[:, 0], axis=-1)

    def errors(self, points: FloatArray) -> FloatArray:
        """Return (n, 4): how far other points (n, 4, 2) lie from these, in eye distances."""
        return np.linalg.norm(points - self.points, axis=-1) / self.eye_distances[:, None]


def load_annotation() -> Annotation:
    """Read the annotation."""
    photographs = json.loads(FILE.read_text(encoding="utf-8"))["photographs"]

    def column(name: str) -> np.ndarray:
        return np.array([photograph[name] for photograph in photographs])

    return Annotation(
        column("row"),
        column("picture"),
        column("points"),
        column("passes"),
        {name: column(name) for name in FLAGS},
        column("turned"),
    )


def annotated_points(landmarks: FloatArray) -> FloatArray:
    """Return the four annotated points (..., 4, 2) of 68 landmarks (..., 68, 2)."""
    indices = json.loads(FILE.read_text(encoding="utf-8"))["indices"].values()
    return np.stack([landmarks[..., chosen, :].mean(axis=-2) for chosen in indices], axis=-2)


def load_photographs(data: Path, annotation: Annotation) -> np.ndarray:
    """Return the annotated photographs (n, 112, 92), uint8 grey, from the shared data's folder."""
    with np.load(data / "orl" / "orl_dev.npz") as orl:
        return orl["images"][annotation.rows, annotation.pictures]
