"""Typical measures of adult faces, and the same measures taken on a face.

Source
------
Rounded means and standard deviations, millimetres, both sexes pooled, of the size that the
anthropometric literature gives for young adults (Farkas, Anthropometry of the Head and Face, 1994,
and later surveys in its manner). They are round figures to model by, not a transcription of one
table of one population.
"""

import numpy as np

from builtin_face.layout import Layout
from geomface.arrays import FloatArray, IndexArray

# name: (mean, standard deviation)
TYPICAL: dict[str, tuple[float, float]] = {
    "faceWidth zy-zy": (134.0, 6.0),
    "mandibleWidth go-go": (101.0, 8.0),
    "faceHeight n-gn": (118.0, 7.0),
    "lowerFaceHeight sn-gn": (68.0, 5.5),
    "noseHeight n-sn": (52.5, 3.6),
    "noseWidth al-al": (33.5, 2.7),
    "noseProtrusion sn-prn": (19.6, 1.8),
    "intercanthal en-en": (32.5, 2.6),
    "biocular ex-ex": (89.5, 3.5),
    "fissureLength en-ex": (31.0, 1.4),
    "fissureHeight ps-pi": (10.6, 1.1),
    "mouthWidth ch-ch": (52.3, 3.8),
    "upperLipHeight sn-sto": (22.3, 2.4),
    "philtrum sn-ls": (14.8, 2.2),
    "upperVermilion ls-sto": (8.3, 1.4),
    "lowerVermilion sto-li": (9.6, 1.6),
    "browHeight": (23.5, 3.2),
}


def measure_face(
    layout: Layout, landmarks: IndexArray, vertices: FloatArray
) -> dict[str, FloatArray]:
    """Return {name: (N,) millimetres} for shapes (N, V, 3) of the built-in face."""
    marks = vertices[:, landmarks]

    def between(a: int, b: int) -> FloatArray:
        return np.linalg.norm(marks[:, a] - marks[:, b], axis=1)

    def across(address: tuple[int, int]) -> FloatArray:
        left = int(layout.grid[address])
        right = int(layout.mirror[left])
        return np.linalg.norm(vertices[:, left] - vertices[:, right], axis=1)

    stomion = 0.5 * (marks[:, 62] + marks[:, 66])

    def to_stomion(a: int) -> FloatArray:
        return np.linalg.norm(marks[:, a] - stomion, axis=1)

    def both(a: int, b: int, c: int, d: int) -> FloatArray:
        return 0.5 * (between(a, b) + between(c, d))

    upper = marks[:, [37, 38, 43, 44], 1].mean(axis=1)
    lower = marks[:, [40, 41, 46, 47], 1].mean(axis=1)
    margin = vertices[:, layout.eye[10]]
    fissure = margin[:, [6, 7], 1].mean(axis=1) - margin[:, [32, 33], 1].mean(axis=1)
    return {
        "faceWidth zy-zy": across((35, 22)),
        "mandibleWidth go-go": across((33, 54)),
        "faceHeight n-gn": between(27, 8),
        "lowerFaceHeight sn-gn": between(33, 8),
        "noseHeight n-sn": between(27, 33),
        "noseWidth al-al": across((11, 35)),
        "noseProtrusion sn-prn": between(33, 30),
        "intercanthal en-en": between(39, 42),
        "biocular ex-ex": between(36, 45),
        "fissureLength en-ex": both(36, 39, 42, 45),
        "fissureHeight ps-pi": fissure,
        "mouthWidth ch-ch": between(48, 54),
        "upperLipHeight sn-sto": to_stomion(33),
        "philtrum sn-ls": between(33, 51),
        "upperVermilion ls-sto": to_stomion(51),
        "lowerVermilion sto-li": to_stomion(57),
        "browHeight": marks[:, [19, 24], 1].mean(axis=1) - 0.5 * (upper + lower),
    }
