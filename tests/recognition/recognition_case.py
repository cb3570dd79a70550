"""Trainings of embedders on people of noise, for the kit of all trainings."""

import dataclasses

import numpy as np

from geomface.learning import ComputeSettings
from geomface.recognition.aligned.aligned_faces import AlignedFaces, as_levels
from geomface.recognition.aligned.aligned_row import AlignedRow
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.task import RecognitionTask

TINY = Alignment(28, 24)


def people_of_noise(
    people: int, seed: int, *, samples: int = 4, mixes: int = 0, spread: float = 0.2
) -> AlignedFaces:
    """Some pictures of each person, alike but for noise, and of mixes of person 0 and 1."""
    rng = np.random.default_rng(seed)
    faces = rng.uniform(0.2, 0.8, (people, 28, 24, 3))
    pictures, rows = [], []
    for index in range(people * samples + mixes):
        person = index // samples if index < people * samples else -1
        face = faces[person] if person >= 0 else 0.3 * faces[0] + 0.7 * faces[1]
        pictures.append(face + spread * rng.uniform(-0.5, 0.5, face.shape))
        mixed = {"parents": ("0", "1"), "parent_weights": (0.3, 0.7)} if person < 0 else {}
        name = str(person) if person >= 0 else "mix"
        rows.append(AlignedRow(f"{index}.png", name, digest=f"{seed}-{index}", **mixed))
    levels = as_levels(np.clip(np.array(pictures, np.float32), 0, 1))
    return AlignedFaces.of_rows(TINY, levels, tuple(rows))


def settings(**changes: object) -> RecognitionSettings:
    """The tiny recipe on the CPU, with changes."""
    recipe = dataclasses.replace(recognition_recipe("tiny"), compute=ComputeSettings("cpu"))
    return dataclasses.replace(recipe, **changes)  # type: ignore[arg-type]


def synthetic() -> RecognitionTask:
    """People, some of them mixed, and others held out."""
    return RecognitionTask(settings(), people_of_noise(6, 1, mixes=4), None, people_of_noise(3, 2))


def both() -> RecognitionTask:
    """Synthetic and real people, blended."""
    return RecognitionTask(settings(), people_of_noise(6, 1), people_of_noise(3, 3))


def apart() -> RecognitionTask:
    """Synthetic and real people, each with a softmax of their own."""
    use = settings(domain_mixup=None, synthetic_weight=0.5)
    return RecognitionTask(use, people_of_noise(6, 1), people_of_noise(3, 3))
