"""Labelled pictures to train and test the embedder on: many people, each in several pictures."""

import dataclasses
from collections.abc import Callable

import numpy as np

from geomface.arrays import IndexArray
from geomface.recognition.alignment import FACE_SHARE, PICTURE_SIZE
from geomface.statistics import MorphableModel
from geomface.synthesis import (
    CameraSettings,
    FaceImageSettings,
    FaceSampler,
    Gaussian,
    PoseSettings,
    Uniform,
)


@dataclasses.dataclass(frozen=True, eq=False)
class IdentityPictures:
    """Pictures, and who is in them.

    Parameters
    ----------
    pictures : (N, 3, 64, 64) uint8, sRGB on black
    masks : (N, 64, 64) uint8, 255 where the face covers the whole pixel
    identities : (N,) int64, number of the person
    """

    pictures: np.ndarray
    masks: np.ndarray
    identities: IndexArray

    def __len__(self) -> int:
        return len(self.pictures)


def picture_settings(people: int, samples: int, seed: int, *, eyes: bool) -> FaceImageSettings:
    """Return how the pictures vary: turned by up to 10 degrees, any light and expression.

    Parameters
    ----------
    people, samples : how many, and pictures of each
    seed : of the set; another seed has other people
    eyes : draw eyeballs
    """
    turn = Uniform(-10.0, 10.0)
    return FaceImageSettings(
        identities=people,
        samples=samples,
        size=PICTURE_SIZE,
        seed=seed,
        outputs=("rgb", "alpha"),
        eyes=eyes,
        pose=PoseSettings(turn, turn, Uniform(-5.0, 5.0)),
        camera=CameraSettings(
            scale=Gaussian(FACE_SHARE, 0.03),
            offset_x=Gaussian(0.0, 0.012),
            offset_y=Gaussian(0.0, 0.012),
        ),
    )


def draw_identity_pictures(
    people: int,
    samples: int,
    seed: int,
    *,
    model: MorphableModel | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> IdentityPictures:
    """Render `samples` pictures of each of `people` persons, every other one without eyeballs.

    Scans and models have no eyeballs, synthetic pictures do: a descriptor must not see that.

    Parameters
    ----------
    people, samples, seed : as in `picture_settings`
    model : whose faces, default the built-in one
    on_progress : called with (people done, people)
    """
    samplers = [
        FaceSampler(picture_settings(people, samples, seed, eyes=eyes), model)
        for eyes in (True, False)
    ]
    pictures = np.empty((people, samples, 3, PICTURE_SIZE, PICTURE_SIZE), np.uint8)
    masks = np.empty((people, samples, PICTURE_SIZE, PICTURE_SIZE), np.uint8)
    for person in range(people):
        for first, sampler in enumerate(samplers[: min(samples, 2)]):
            batch = sampler.batch([(person, k) for k in range(first, samples, 2)])
            levels = np.round(255.0 * batch.images["rgb"]).astype(np.uint8)
            pictures[person, first::2] = levels.transpose(0, 3, 1, 2)
            masks[person, first::2] = np.round(255.0 * batch.images["alpha"]).astype(np.uint8)
        if on_progress is not None:
            on_progress(person + 1, people)
    return IdentityPictures(
        pictures.reshape(-1, *pictures.shape[2:]),
        masks.reshape(-1, *masks.shape[2:]),
        np.repeat(np.arange(people), samples),
    )
