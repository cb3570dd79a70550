"""Pictures in memory: the source of the image folders, and of training without files."""

import dataclasses
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from geomface.arrays import BoolArray, FloatArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.errors import SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.rendering.differentiable import Renderer, RenderSettings, SphericalHarmonicsLight
from geomface.statistics import MorphableModel, require_model
from geomface.synthesis.identities import Person
from geomface.synthesis.parameters import FaceParameters, check_factors, draw_parameters
from geomface.synthesis.people import People
from geomface.synthesis.scene import (
    FaceScene,
    Look,
    camera_numbers,
    torch_camera,
)
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.trait_axes import trait_axes
from geomface.synthesis.vectors import require_rows_fit

_KEPT_LOOKS = 256
"""People kept for the next batch, about 0.4 MB each; shuffled training meets them again."""
RENDER_BATCH = 8
"""Pictures a render call: more only cost memory, which the caches of a core do not have."""


@dataclasses.dataclass(frozen=True, eq=False)
class FaceBatch:
    """Pictures with everything known about them.

    Parameters
    ----------
    parameters, cameras : one a picture
    images : {output: (B, size, size) or (B, size, size, C)}; see `RenderResult` for their meaning.
        Colours are float32 in [0, 1], `region` is uint8, `face_id` int32, the rest float32
    landmarks : (B, 68, 2) float32 pixels, of hidden landmarks too
    landmarks_visible : (B, 68) bool, in the picture and hidden by nothing
    """

    parameters: tuple[FaceParameters, ...]
    cameras: tuple[CameraNumbers, ...]
    images: Mapping[str, np.ndarray]
    landmarks: FloatArray
    landmarks_visible: BoolArray

    def __len__(self) -> int:
        return len(self.parameters)

    def network_images(self, output: str = "rgb") -> torch.Tensor:
        """Return an output in [0, 1] as (B, C, size, size) float32 in [-1, 1], as networks take it.

        Raises
        ------
        SettingsError : an output that was not asked for, or whose values are not in [0, 1].
        """
        if output not in self.images or output not in ("rgb", "alpha", "albedo"):
            held = [name for name in ("rgb", "alpha", "albedo") if name in self.images]
            raise SettingsError(
                f"network_images: expected one of {', '.join(held) or 'no output'}, got "
                f"{output!r}. Name it among the outputs; read other maps from images."
            )
        pictures = torch.from_numpy(self.images[output])
        if pictures.ndim == 3:
            pictures = pictures[..., None]
        return (2.0 * pictures - 1.0).permute(0, 3, 1, 2).contiguous()


class FaceSampler:
    """Draws and renders the pictures of one set, in any order.

    Parameters
    ----------
    settings : see `FaceImageSettings`
    model : any face model with the 68 landmarks; None is the built-in face

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.
    SettingsError : an unknown factor of a controlled set, rows or VAEs of another face model.

    Example
    -------
    >>> import geomface as gf
    >>> sampler = gf.FaceSampler(gf.FaceImageSettings(identities=10, samples=3, size=64))
    >>> batch = sampler.batch([(7, 0), (7, 1)])  # two pictures of person 7, with exact labels
    >>> batch.images["rgb"].shape, batch.landmarks.shape
    ((2, 64, 64, 3), (2, 68, 2))
    """

    def __init__(self, settings: FaceImageSettings, model: MorphableModel | None = None) -> None:
        self.settings = settings
        self.model = load_builtin_face() if model is None else require_model(model, "pictures")
        check_factors(settings.factors, self.model)
        require_rows_fit(settings, self.model)
        self.people = People(settings, len(self.model.shape), trait_axes(self.model))
        self.scene = FaceScene(self.model, eyes=settings.eyes, uv="uv" in settings.outputs)
        size = RenderSettings(settings.size, settings.size)
        self._renderer = Renderer(self.scene.template, size)
        self._photo = None
        if settings.preset == "photo":
            from geomface.synthesis.photo.photographer import Photographer

            self._photo = Photographer(self.scene, settings)
        self._looks: OrderedDict[Person, Look] = OrderedDict()

    @property
    def region_names(self) -> tuple[str, ...]:
        """Names of the regions; a pixel of region k shows name k - 1, 0 is none."""
        return self._renderer.topology.region_names

    def expression_names(self, identity: int) -> tuple[str, ...]:
        """Return what the expression weights of a person are called, the same for all."""
        return self.model.blendshapes.names

    def light_labels(self, parameters: FaceParameters) -> dict[str, Any] | None:
        """Return lamps and sky of a photograph as labels, None in the plain preset.

        See `geomface.synthesis.photo.light_labels.light_labels`.
        """
        return None if self._photo is None else self._photo.light_labels(parameters)

    def parameters(self, identity: int, sample: int) -> FaceParameters:
        """Return the parameters of one picture, without rendering it."""
        person = self.people.shown(identity, sample)
        return draw_parameters(self.settings, self.model, person, sample)

    def vertices(self, parameters: FaceParameters) -> FloatArray:
        """Return the (V, 3) vertices of the face in a picture, float64, mm."""
        return self.scene.face(self._look(parameters.person), parameters.expression)

    def render(self, parameters: Sequence[FaceParameters]) -> FaceBatch:
        """Render pictures; each is the same to the bit whatever the others of the batch.

        Raises
        ------
        MeshError : a shape that cannot be drawn, such as a face that the camera stands in.
        SettingsError : no picture.
        """
        if not parameters:
            raise SettingsError("render: expected at least one picture, got none.")
        parts = [
            self._render(parameters[start : start + RENDER_BATCH])
            for start in range(0, len(parameters), RENDER_BATCH)
        ]
        if len(parts) == 1:
            return parts[0]
        names = parts[0].images
        return FaceBatch(
            tuple(parameters),
            tuple(camera for part in parts for camera in part.cameras),
            {name: np.concatenate([part.images[name] for part in parts]) for name in names},
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.landmarks_visible for part in parts]),
        )

    def batch(self, pictures: Sequence[tuple[int, int]]) -> FaceBatch:
        """Draw and render pictures given as (identity, sample)."""
        return self.render([self.parameters(*picture) for picture in pictures])

    def batches(
        self, size: int, rng: np.random.Generator | None = None, *, rounds: int | None = 1
    ) -> Iterator[FaceBatch]:
        """Yield the whole set in batches, for training without files.

        Parameters
        ----------
        size : pictures a batch; the last one of a round may be smaller
        rng : shuffles each round anew; None keeps the order of identities and samples
        rounds : how often the set is gone through, None for ever
        """
        if size < 1:
            raise SettingsError(f"batches: expected a size of at least 1, got {size}.")
        total = self.settings.pictures
        done = 0
        while rounds is None or done < rounds:
            order = np.arange(total) if rng is None else rng.permutation(total)
            for start in range(0, total, size):
                chosen = order[start : start + size]
                yield self.batch([self.settings.picture(int(k)) for k in chosen])
            done += 1

    def _look(self, person: Person) -> Look:
        if person in self._looks:
            self._looks.move_to_end(person)
            return self._looks[person]
        self._looks[person] = self.scene.look(person, self.settings.seed)
        while len(self._looks) > _KEPT_LOOKS:
            self._looks.popitem(last=False)
        return self._looks[person]

    def _render(self, parameters: Sequence[FaceParameters]) -> FaceBatch:
        looks = [self._look(item.person) for item in parameters]
        pairs = list(zip(looks, parameters, strict=True))
        faces = [self.scene.face(look, item.expression) for look, item in pairs]
        cameras = [camera_numbers(self.scene, item, self.settings.size) for item in parameters]
        shapes = [
            self.scene.with_eyes(face, item.gaze)
            for face, item in zip(faces, parameters, strict=True)
        ]
        outputs = [name for name in self.settings.outputs if name != "landmarks"]
        if self._photo is not None:
            outputs = [name for name in outputs if name != "rgb"]
        with torch.inference_mode():
            result = self._renderer.render(
                _stacked(shapes),
                torch_camera(cameras),
                colors=_stacked([look.colors for look in looks]),
                light=SphericalHarmonicsLight(_stacked([item.light for item in parameters])),
                background=self._background(parameters),
                outputs=[*outputs, "landmarks"],
            )
        images = {name: _image(name, result[name].numpy()) for name in outputs}
        landmarks = result.landmarks.numpy()
        visible = result.landmarks_visible.numpy()
        if self._photo is not None:
            photos, seen = self._photo.take(looks, faces, parameters, cameras, landmarks)
            visible = visible & seen
            if "rgb" in self.settings.outputs:
                images["rgb"] = photos
        ordered = {name: images[name] for name in self.settings.outputs if name in images}
        return FaceBatch(tuple(parameters), tuple(cameras), ordered, landmarks, visible)

    def _background(self, parameters: Sequence[FaceParameters]) -> torch.Tensor | None:
        kind = self.settings.background_kind
        if kind == "black" or self._photo is not None:
            return None
        if kind == "grey":
            levels = np.array([[item.background] * 3 for item in parameters], np.float32)
            return torch.from_numpy(levels)
        from geomface.synthesis.photo.backgrounds import background_picture

        size, seed = self.settings.size, self.settings.seed
        return _stacked([background_picture(item, size, seed) for item in parameters])


def _stacked(arrays: Sequence[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(array, np.float32) for array in arrays]))


def _image(name: str, image: np.ndarray) -> np.ndarray:
    if name == "region":
        return image.astype(np.uint8)
    if name in ("rgb", "alpha", "albedo"):
        return np.clip(image, 0.0, 1.0)
    return image
