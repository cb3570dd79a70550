"""Labelled pictures to train and test the embedder on: many people, each in several pictures."""

import dataclasses

import numpy as np

from geomface.arrays import IndexArray
from geomface.recognition.embedder.framing import FACE_SHARE, PICTURE_SIZE
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


def picture_samplers(
    people: int, samples: int, seed: int, model: MorphableModel | None = None
) -> list[FaceSampler]:
    """Return two samplers of the same people, with eyeballs and without."""
    settings = [picture_settings(people, samples, seed, eyes=eyes) for eyes in (True, False)]
    return [FaceSampler(item, model) for item in settings]


def draw_people(samplers: list[FaceSampler], people: range, samples: int) -> IdentityPictures:
    """Render `samples` pictures of each of some people, every other one without eyeballs.

    Scans and models have no eyeballs, synthetic pictures do: a descriptor must not see that.
    """
    pictures = np.empty((len(people), samples, 3, PICTURE_SIZE, PICTURE_SIZE), np.uint8)
    masks = np.empty((len(people), samples, PICTURE_SIZE, PICTURE_SIZE), np.uint8)
    for row, person in enumerate(people):
        for first, sampler in enumerate(samplers[:samples]):
            batch = sampler.batch([(person, k) for k in range(first, samples, 2)])
            levels = np.round(255.0 * batch.images["rgb"]).astype(np.uint8)
            pictures[row, first::2] = levels.transpose(0, 3, 1, 2)
            masks[row, first::2] = np.round(255.0 * batch.images["alpha"]).astype(np.uint8)
    return IdentityPictures(
        pictures.reshape(-1, *pictures.shape[2:]),
        masks.reshape(-1, *masks.shape[2:]),
        np.repeat(np.asarray(people), samples),
    )


def draw_identity_pictures(
    people: int, samples: int, seed: int, *, model: MorphableModel | None = None
) -> IdentityPictures:
    """Render `samples` pictures of each of `people` persons of a set.

    Parameters
    ----------
    people, samples, seed : as in `picture_settings`
    model : whose faces, default the built-in one
    """
    samplers = picture_samplers(people, samples, seed, model)
    return draw_people(samplers, range(people), samples)
