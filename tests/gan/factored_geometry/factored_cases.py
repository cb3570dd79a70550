"""Small trainings for the kit: both losses, every arm, and three factors."""

import dataclasses
import functools

import numpy as np
import torch

from geomface.datasets.labelled_faces import LabelledFaces
from geomface.gan.factored_geometry import (
    ARMS,
    Factor,
    FactoredGeometryGan,
    FactoredSettings,
    LossWeights,
    NetworkSettings,
)
from geomface.gan.factored_geometry.recipes import without
from geomface.gan.factored_geometry.task import prepare_images
from geomface.learning import AdversarialSettings, LoopSettings
from geomface.mesh import Mesh, Template

SIDE = 9
SMALL = FactoredSettings(
    NetworkSettings(16, 4, 4, features=None),
    (Factor("identity", 6), Factor("expression", 3)),
    noise=2,
    adversarial=AdversarialSettings("non-saturating", r1_weight=0.1, r1_every=4),
    batch=16,
    discriminator_steps=1,
    held_out=0.2,
    horizon=20,
    loop=LoopSettings(20, log_every=4, sample_every=20, checkpoint_every=10),
)
THREE = (Factor("identity", 6), Factor("expression", 3), Factor("weight", 2))
CASES = {arm: without(SMALL, arm) for arm in ARMS} | {
    "wgan-gp": dataclasses.replace(
        SMALL,
        networks=NetworkSettings(16, 4, 4, features=8),
        adversarial=AdversarialSettings("wgan-gp"),
        discriminator_steps=3,
        class_samples=0,
    ),
    "three": dataclasses.replace(SMALL, factors=THREE, weights=LossWeights(features=0.7), bits=8),
    "three-labelled": dataclasses.replace(SMALL, factors=THREE, alternate=False),
}


def sheet() -> Mesh:
    """A square sheet in mm with uv."""
    steps = np.linspace(0.0, 1.0, SIDE)
    u, v = (item.ravel() for item in np.meshgrid(steps, steps))
    first = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    quads = np.stack([first, first + 1, first + SIDE + 1, first + SIDE], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    vertices = np.stack([80 * u - 40, 100 * v - 50, 30 - 60 * (u - 0.5) ** 2], axis=1)
    uv = np.stack([u, v], axis=1)
    return Mesh(vertices, faces, uv=uv, uv_faces=faces, unit="mm", name="sheet")


def sheet_faces(people: int = 12, classes: int = 3, weights: int = 2) -> LabelledFaces:
    """Sheets that bend with the person, the expression and a third factor."""
    rng = np.random.default_rng(0)
    mesh = sheet()
    u, v = mesh.uv[:, 0], mesh.uv[:, 1]  # type: ignore[index]
    waves = np.stack(
        [np.sin(np.pi * a * u) * np.sin(np.pi * b * v) for a in (1, 2) for b in (1, 2)]
    )
    who, what, third = (
        item.ravel()
        for item in np.meshgrid(range(people), range(classes), range(weights), indexing="ij")
    )
    bend = 6 * rng.normal(size=(people, 4)) @ waves
    move = 4 * np.stack([np.sin(np.pi * (k + 1) * v) for k in range(classes)])
    size = 2.0 * third[:, None] * u
    vertices = np.repeat(mesh.vertices[None], len(who), axis=0)
    vertices[:, :, 2] += bend[who]
    vertices[:, :, 1] += move[what]
    vertices[:, :, 0] += size
    known = np.where(rng.random(len(who)) < 0.4, what, -1)
    return LabelledFaces(
        Template(mesh),
        vertices.astype(np.float32),
        tuple(f"{a}-{b}-{c}" for a, b, c in zip(who, what, third, strict=True)),
        {"identity": who, "expression": known, "weight": third},
        {
            "identity": tuple(f"person{k}" for k in range(people)),
            "expression": tuple("abc"[:classes]),
            "weight": ("light", "heavy"),
        },
        {"identity": who, "expression": what, "weight": third},
    )


def build_task(name: str) -> FactoredGeometryGan:
    """Make the task of a case."""
    settings = CASES[name]
    return FactoredGeometryGan(settings, prepare_images(settings, sheet_faces()))


def __getattr__(name: str) -> functools.partial[FactoredGeometryGan]:
    if name in CASES:
        return functools.partial(build_task, name)
    raise AttributeError(name)


torch.set_num_threads(1)
