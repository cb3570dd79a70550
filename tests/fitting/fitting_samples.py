"""Models and measurements that the tests of fitting share."""

import numpy as np

from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel

SIDE = 12


def small_model(rng, *, kind="blendshapes", shape_modes=5, expressions=3):
    """A bumpy sheet of 144 vertices with random smooth modes, looking along +z."""
    x, y = np.meshgrid(np.linspace(-80, 80, SIDE), np.linspace(-100, 100, SIDE))
    z = 40 - (x / 20) ** 2 - (y / 25) ** 2 + 5 * np.sin(x / 9) * np.cos(y / 11)
    vertices = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )

    def waves(count, size):
        directions = rng.normal(size=(count, 3, 3)) / 50.0
        phases = rng.uniform(0, 6, (count, 3))
        return size * np.moveaxis(np.cos(np.einsum("vc,kdc->kvd", vertices, directions)
                                         + phases[:, None]), 0, -1)  # fmt: skip

    expression = None
    if expressions:
        expression = ExpressionModel(np.zeros_like(vertices), waves(expressions, 6.0), kind=kind)
    chosen = rng.choice(SIDE * SIDE, 30, replace=False)
    landmarks = LandmarkEmbedding.on_vertices(chosen, scheme="thirty")
    return MorphableModel(
        Template(Mesh(vertices, faces), landmarks),
        LinearModel(vertices, waves(shape_modes, 4.0)),
        expression,
        name="sheet",
    )


def rotation_error(found, true):
    """Angle between two rotations, degrees."""
    cosine = 0.5 * (np.trace(found @ true.T) - 1.0)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
