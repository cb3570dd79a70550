"""The built-in face as one value, before it is written."""

import dataclasses

import numpy as np

from builtin_face.expressions import expression_modes
from builtin_face.identity import identity_modes
from builtin_face.landmarks import landmark_vertices, regions
from builtin_face.layout import Layout, build_layout
from builtin_face.surface import neutral_face
from geomface.arrays import FloatArray, IndexArray

DECIMALS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Sculpture:
    """Everything that is written: the neutral face, modes, landmarks and regions."""

    layout: Layout
    vertices: FloatArray
    identity: dict[str, FloatArray]
    expression: dict[str, FloatArray]
    landmarks: IndexArray
    regions: dict[str, IndexArray]


def sculpt() -> Sculpture:
    """Make the built-in face from its control points; the same every time."""
    layout = build_layout()
    # Rounded so that the OBJ file holds exactly the model's vertices; + 0.0 turns -0.0 into 0.0.
    vertices = np.round(neutral_face(layout), DECIMALS) + 0.0
    return Sculpture(
        layout=layout,
        vertices=vertices,
        identity=identity_modes(layout, vertices),
        expression=expression_modes(layout, vertices),
        landmarks=landmark_vertices(layout, vertices),
        regions=regions(layout, vertices),
    )
