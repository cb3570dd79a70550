"""A face that follows landmarks, by a trained generator: all at once, or step after step."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.arrays import FloatArray, require_shape
from geomface.errors import LandmarkError, SettingsError
from geomface.files.assets import asset_path
from geomface.files.settings import settings_from_json
from geomface.gan.landmark_reenactment.conditions import condition_map
from geomface.gan.landmark_reenactment.crops import MARGIN, crop_box, face_crop
from geomface.gan.landmark_reenactment.networks import Generator
from geomface.gan.landmark_reenactment.points import to_68
from geomface.gan.landmark_reenactment.settings import SYSTEM, NetworkSettings
from geomface.learning.trained import load_trained

FaceMover = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""G(images (N, 3, S, S) in [-1, 1], condition (N, C, S, S)) -> (N, 3, S, S)."""
ASSET = "landmark_reenactment/generator.safetensors"
"""The reenactor that ships."""
_BATCH = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Reenactor:
    """A generator with what it takes to use it.

    Parameters
    ----------
    generator : the moving average of a training, or any function of this form
    settings : of the networks
    margin : around the landmarks of the crops that it was trained with, see `crop_box`
    step : steps trained
    config : of the checkpoint
    """

    generator: FaceMover
    settings: NetworkSettings
    margin: float = MARGIN
    step: int = 0
    config: dict[str, Any] = dataclasses.field(default_factory=dict)

    def targets(self, points: FloatArray) -> FloatArray:
        """Return landmarks (T, 68, 2) of pictures as places in crops of them.

        Each frame is cropped by its own landmarks, as in the training.

        Raises
        ------
        LandmarkError : landmarks that span no box
        """
        marks = require_shape(points, (None, None, 2), "track", LandmarkError)
        rows = []
        for frame in marks:
            box = crop_box(frame, self.margin)
            rows.append(face_crop(box, self.settings.size).to_crop(frame))
        return np.array(rows).reshape(marks.shape)

    def reenact(
        self,
        image: np.ndarray,
        points: FloatArray,
        *,
        own: FloatArray | None = None,
        progressive: bool = False,
    ) -> Iterator[np.ndarray]:
        """Yield the face at the landmarks of each frame, see `reenact`."""
        return reenact(
            self.generator, self.settings, image, points, own=own, progressive=progressive
        )


def reenact(
    generator: FaceMover,
    settings: NetworkSettings,
    image: np.ndarray,
    points: FloatArray,
    *,
    own: FloatArray | None = None,
    progressive: bool = False,
) -> Iterator[np.ndarray]:
    """Yield the face of a picture at the landmarks of each frame, (S, S, 3) uint8.

    one to one: I_t = G(I; s_t);    progressive: I_t = G(I_t-1; s_t), I_0 = I

    Parameters
    ----------
    generator : see `FaceMover`
    settings : of its condition and size S
    image : (S, S, 3) uint8, the crop of a face
    points : (T, 68, 2) or (T, 66, 2) pixels of crops, see `Reenactor.targets`
    own : (68, 2) or (66, 2) landmarks of the picture itself; networks with a warp need them
    progressive : each frame is made of the one before, without rounding between

    Raises
    ------
    SettingsError : a picture of another size or kind, or no landmarks of it where they are needed
    LandmarkError : another number of landmarks

    Source
    ------
    Sanchez & Valstar 2018, Sec. 5: one-to-one and progressive image generation.
    """
    size = settings.size
    given = require_shape(image, (size, size, 3), "face", SettingsError)
    if given.dtype != np.uint8:
        raise SettingsError(f"face: expected uint8, got {given.dtype}.")
    marks = require_shape(points, (None, None, 2), "track", LandmarkError)
    targets = torch.from_numpy(np.ascontiguousarray(marks, np.float32))
    here = None
    if own is not None:
        given_marks = require_shape(own, (None, 2), "landmarks", LandmarkError)
        first = to_68(torch.from_numpy(np.ascontiguousarray(given_marks, np.float32))[None])
        if progressive:
            here = torch.cat([first, to_68(targets[:-1])])
        else:
            here = first.expand(len(targets), -1, -1)
    face = torch.from_numpy(np.ascontiguousarray(given)).permute(2, 0, 1)[None]
    face = face.float() / 127.5 - 1.0
    for start in range(0, len(targets), _BATCH):
        with torch.inference_mode():
            part = slice(start, start + _BATCH)
            source = None if here is None else here[part]
            conditions = condition_map(targets[part], settings, source)
            if progressive:
                made = []
                for condition in conditions.split(1):
                    face = generator(face, condition)
                    made.append(face)
                frames = torch.cat(made)
            else:
                frames = generator(face.expand(len(conditions), -1, -1, -1), conditions)
            levels = (127.5 * (frames.clamp(-1.0, 1.0) + 1.0) + 0.5).to(torch.uint8)
        yield from levels.permute(0, 2, 3, 1).contiguous().numpy()


def load_reenactor(run: Path | str | None = None) -> Reenactor:
    """Read the averaged generator of a run's newest checkpoint, or of one file.

    Parameters
    ----------
    run : run directory, checkpoint or model file; None is the reenactor that ships

    Raises
    ------
    FileFormatError, CheckpointError : no such run, no checkpoint, or not one of this system
    """
    model = load_trained(asset_path(ASSET) if run is None else run, system=SYSTEM)
    config = model.config if isinstance(model.config, dict) else {}
    settings = settings_from_json(
        NetworkSettings, config.get("networks"), f"{model.path}: networks"
    )
    generator = model.build("generator_ema", lambda: Generator(settings))
    generator.eval().requires_grad_(False)
    return Reenactor(generator, settings, float(config.get("margin", MARGIN)), model.step, config)
