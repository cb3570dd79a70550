"""Pictures of faces from five factors: by the renderer, or by a translator of its pictures."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import SettingsError
from geomface.synthesis.identities import Person
from geomface.synthesis.parameters import draw_parameters, with_factors
from geomface.synthesis.sampler import FaceSampler


class FaceGenerator(Protocol):
    """Whatever draws a face from identity, expression, light, pose and noise.

    Source
    ------
    Deng et al. 2020, DiscoFaceGAN, whose five independent factors SynFace (Qiu et al. 2021) mixes.
    """

    def render(
        self,
        identity: Person,
        expression: FloatArray,
        light: FloatArray,
        pose: FloatArray,
        noise: int,
    ) -> ImageArray:
        """Return a picture (size, size, 3) float32 sRGB in [0, 1].

        Parameters
        ----------
        identity : shape and skin; mix two with `mix_identities`
        expression : (X,) weights of the face model's expressions
        light : (9, 3) spherical harmonics in the axes of the face
        pose : (3,) yaw, pitch and roll, degrees
        noise : number of the random numbers that decide all else: framing, background, what is in
            front, grain

        Raises
        ------
        SettingsError : factors of another shape
        MeshError : factors that make no face
        """
        ...


class RenderedFaces:
    """The renderer as a `FaceGenerator`.

    Parameters
    ----------
    sampler : how else the pictures are: model, size, preset

    Raises
    ------
    SettingsError : photographs whose light is of lamps, not of `light`; a sampler without rgb

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> sampler = gf.FaceSampler(gf.FaceImageSettings(identities=2, size=64))
    >>> item = sampler.parameters(0, 0)
    >>> faces = RenderedFaces(sampler)
    >>> turned = np.array([30.0, 0.0, 0.0])
    >>> faces.render(item.person, item.expression, item.light, turned, noise=0).shape
    (64, 64, 3)
    """

    def __init__(self, sampler: FaceSampler) -> None:
        settings = sampler.settings
        if "rgb" not in settings.outputs:
            raise SettingsError("generator: expected rgb among the outputs of the sampler.")
        if settings.preset == "photo" and settings.photo.light_rig != "room":
            raise SettingsError(
                "generator: photographs are lit by lamps unless light_rig is room, so the light "
                "given would not count. Give PhotoSettings(light_rig='room'), or preset plain."
            )
        self.sampler = sampler

    def render(
        self,
        identity: Person,
        expression: FloatArray,
        light: FloatArray,
        pose: FloatArray,
        noise: int,
    ) -> ImageArray:
        """Return a picture; see `FaceGenerator.render`."""
        model = self.sampler.model
        given = {
            "identity": (identity.coefficients, (len(model.shape),)),
            "expression": (expression, (len(model.blendshapes),)),
            "light": (light, (9, 3)),
            "pose": (pose, (3,)),
        }
        for name, (values, shape) in given.items():
            if np.shape(values) != shape or not np.isfinite(values).all():
                raise SettingsError(
                    f"{name}: expected finite numbers of shape {shape}, got {np.shape(values)}."
                )
        item = draw_parameters(self.sampler.settings, model, identity, noise)
        item = with_factors(item, expression, light, pose)
        return self.sampler.render([item]).images["rgb"][0]


@dataclasses.dataclass(frozen=True)
class TranslatedFaces:
    """A `FaceGenerator` whose pictures another function makes look otherwise.

    Parameters
    ----------
    faces : draws the pictures
    translate : takes and returns pictures (size, size, 3) float32 sRGB in [0, 1], such as a network
        from renders to photographs
    """

    faces: FaceGenerator
    translate: Callable[[ImageArray], ImageArray]

    def render(
        self,
        identity: Person,
        expression: FloatArray,
        light: FloatArray,
        pose: FloatArray,
        noise: int,
    ) -> ImageArray:
        """Return a picture; see `FaceGenerator.render`.

        Raises
        ------
        SettingsError : a translator that returns no picture
        """
        drawn = self.faces.render(identity, expression, light, pose, noise)
        shown = np.asarray(self.translate(drawn), np.float32)
        if shown.ndim != 3 or shown.shape[-1] != 3 or not np.isfinite(shown).all():
            raise SettingsError(
                f"generator: expected the translator to return a picture (H, W, 3) of finite "
                f"numbers, got shape {shown.shape}."
            )
        return np.clip(shown, 0.0, 1.0)
