"""Photographs of the faces of a set: the whole head in a place, through a cheap camera."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.mesh.normals import vertex_normals
from geomface.rendering.differentiable import Renderer, RenderSettings
from geomface.synthesis.identities import Person
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.photo.backgrounds import background_picture
from geomface.synthesis.photo.beards import grow_beard
from geomface.synthesis.photo.developing import develop
from geomface.synthesis.photo.hair import hair_colors
from geomface.synthesis.photo.haircuts import draw_hair
from geomface.synthesis.photo.head import HeadLook, HeadSurface
from geomface.synthesis.photo.headwear import draw_headwear
from geomface.synthesis.photo.lenses import through_lenses
from geomface.synthesis.photo.light_labels import light_labels
from geomface.synthesis.photo.light_rig import LightRig, picture_rig
from geomface.synthesis.photo.occluders import occluded
from geomface.synthesis.photo.painter import HeadPainter, Shine
from geomface.synthesis.photo.skin_detail import skin_relief
from geomface.synthesis.photo.skin_texture import skin_painter
from geomface.synthesis.photo.strands import draw_strands, over_picture, strand_canvas
from geomface.synthesis.scene import FaceScene, Look, torch_camera
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.streams import stream

_KEPT_HEADS = 64
"""People kept for the next batch, about 1 MB each."""
_HIDES = 0.5
"""Coverage from which an occluder hides a landmark."""


class Photographer:
    """Takes the photographs of a set.

    Parameters
    ----------
    scene : the bare face, whose labels the photographs share
    settings : of the set
    """

    def __init__(self, scene: FaceScene, settings: FaceImageSettings) -> None:
        self.settings = settings
        self.scene = scene
        self.surface = HeadSurface(scene)
        # Shells and tubes may have slivers without area; they are no reason to lose a picture.
        size = RenderSettings(settings.size, settings.size, check_input=False)
        self._renderer = Renderer(self.surface.template, size)
        self._skin = skin_painter(scene.model.template, settings.size)
        places = self._skin.places
        self._painter = HeadPainter(self.surface, settings.photo, settings.size, places)
        self._heads: OrderedDict[tuple[Person, int, int], HeadLook] = OrderedDict()

    def take(
        self,
        looks: Sequence[Look],
        faces: Sequence[FloatArray],
        parameters: Sequence[FaceParameters],
        cameras: Sequence[CameraNumbers],
        landmarks: np.ndarray,
    ) -> tuple[ImageArray, BoolArray]:
        """Return the photographs (B, size, size, 3) and which landmarks nothing hides (B, 68).

        Parameters
        ----------
        looks, faces, parameters, cameras : of the pictures, as for the bare faces
        landmarks : (B, 68, 2) pixels
        """
        heads = [
            self._head(look, item.stream) for look, item in zip(looks, parameters, strict=True)
        ]
        shapes = [
            self.surface.vertices(head, look, face, item.gaze)
            for head, look, face, item in zip(heads, looks, faces, parameters, strict=True)
        ]
        seed = self.settings.seed
        pictures = []
        for k, item in enumerate(parameters):
            drawn, depth, light = self._painter.draw(
                heads[k],
                looks[k],
                faces[k],
                shapes[k],
                cameras[k],
                self._rig(item),
                self._shine(item),
                self._background(item),
            )
            canvas = strand_canvas(depth)
            for strands in heads[k].strands:
                moved = faces[k] - looks[k].neutral
                draw_strands(canvas, strands, cameras[k], light, moved=moved)
            bare, dark = drawn, 0.0
            glasses = heads[k].glasses
            if glasses is not None:
                rng = stream(seed, "lenses", item.identity, item.stream)
                bare, dark = through_lenses(bare, canvas, glasses, cameras[k], light, rng)
            picture, cover = over_picture(canvas, bare, cameras[k], light)
            pictures.append(self._finish(picture, np.maximum(cover, dark), item, landmarks[k]))
        with torch.inference_mode():
            result = self._renderer.render(
                _stacked(shapes), torch_camera(list(cameras)), outputs=["landmarks"]
            )
        hidden = np.stack([seen for _, seen in pictures])
        visible = result.landmarks_visible.numpy() & ~hidden
        return np.stack([picture for picture, _ in pictures]), visible

    def light_labels(self, item: FaceParameters) -> dict[str, Any]:
        """Return what a manifest says of the light of a picture; see `light_labels`."""
        return light_labels(self._rig(item), self._shine(item), item.rotation)

    def _background(self, item: FaceParameters) -> ImageArray:
        """Return what lies behind the head in a picture."""
        size, kind = self.settings.size, self.settings.background_kind
        if kind == "texture":
            return background_picture(item, size, self.settings.seed)
        return np.full((size, size, 3), item.background if kind == "grey" else 0.0, np.float32)

    def _rig(self, item: FaceParameters) -> LightRig:
        """Return the lights of a picture."""
        rng = stream(self.settings.seed, "rig", item.identity, item.light_stream)
        return picture_rig(self.settings, item, rng)

    def _shine(self, item: FaceParameters) -> Shine:
        """Return exposure and the skin's gloss in a picture."""
        rng = stream(self.settings.seed, "shine", item.identity, item.light_stream)
        gloss, bright = rng.uniform(0.25, 1.2), rng.standard_normal()
        return Shine(1.1 * float(np.exp(0.15 * self.settings.photo.jitter * bright)), gloss)

    def _finish(
        self, picture: ImageArray, worn: np.ndarray, item: FaceParameters, landmarks: np.ndarray
    ) -> tuple[ImageArray, BoolArray]:
        """Put occluders in front, develop, and say which landmarks they hide."""
        settings, size = self.settings, self.settings.size
        rng = stream(settings.seed, "occluder", item.identity, item.stream)
        cell = np.clip(np.floor(landmarks).astype(np.int64), 0, size - 1)
        hidden = worn[cell[:, 1], cell[:, 0]] >= _HIDES
        if rng.random() < settings.photo.occluders:
            picture, cover = occluded(picture, landmarks, rng)
            hidden |= cover[cell[:, 1], cell[:, 0]] >= _HIDES
        rng = stream(settings.seed, "develop", item.identity, item.stream)
        # The frames of a track are of one camera, but its noise is new in each.
        grain = stream(settings.seed, "grain", item.identity, item.sample)
        return develop(picture, settings.photo, rng, grain if settings.track else None), hidden

    def _head(self, look: Look, picture: int) -> HeadLook:
        photo = self.settings.photo
        worn = picture if photo.wear == "per-picture" else 0
        cut = picture if photo.haircut == "per-picture" else 0
        key = (look.person, worn, cut)
        if key in self._heads:
            self._heads.move_to_end(key)
            return self._heads[key]
        self._heads[key] = self._draw_head(look, worn, cut)
        while len(self._heads) > _KEPT_HEADS:
            self._heads.popitem(last=False)
        return self._heads[key]

    def _draw_head(self, look: Look, worn: int, cut: int) -> HeadLook:
        """Draw what a person has besides a face.

        Parameters
        ----------
        worn, cut : numbers of the samples whose random numbers decide what is worn, and the hair
        """
        seed, index, photo = self.settings.seed, look.person.index, self.settings.photo
        surface, neutral = self.surface, look.neutral
        rng = stream(seed, "head", index)
        haired, spectacled = rng.random() < photo.hair, rng.random() < photo.glasses
        if worn:
            spectacled = stream(seed, "head", index, worn).random() < photo.glasses
        marks = self.scene.landmarks(neutral)
        plain = look.colors[: surface.count]
        hair_rng = stream(seed, "hair", index, cut)
        traits = look.person.traits
        style = draw_hair(traits, hair_rng) if haired else None
        skin_rng = stream(seed, "skin", index)
        skin = plain.astype(np.float64)
        normals = vertex_normals(neutral, self.scene.model.mesh.faces, weighting="area")
        relief = skin_relief(neutral, normals, photo.detail, skin_rng)
        clothes_rng = stream(seed, "clothes", index)
        body = surface.body.body(neutral, marks, clothes_rng)
        if worn:
            clothes_rng = stream(seed, "clothes", index, worn)
        dressed = surface.body.colors(skin, body, marks, clothes_rng)
        glasses = None
        if spectacled:
            glasses = surface.glasses(neutral, stream(seed, "glasses", index, worn))
        beard = None
        if stream(seed, "shaven", index).random() < photo.beard:
            mesh = self.scene.model.mesh
            beard_rng = stream(seed, "beard", index)
            fields = self.scene.skin_fields
            beard = grow_beard(neutral, normals, mesh.faces, marks, fields, traits, beard_rng)
        wear_rng = stream(seed, "headwear", index, worn)
        kind = draw_headwear(photo.hats, photo.scarves, traits.masculinity, wear_rng)
        headwear = surface.headwear(neutral, body, kind, wear_rng) if kind is not None else None
        growth, shell, strands = surface.hair(neutral, body, style, headwear, hair_rng)
        hair = hair_colors(growth, surface.hairy(np.vstack([skin, dressed])), style, hair_rng)
        if headwear is not None:
            hair = np.where((headwear.lift > 0)[:, None], headwear.crown, hair)
        return HeadLook(
            relief=relief,
            body=body,
            hair=shell,
            strands=(*strands, beard) if beard else strands,
            cloth=surface.cloth(body, headwear),
            glasses=glasses,
            colors=surface.colors(
                look.colors[surface.count :], skin, dressed, hair, glasses, headwear
            ),
            texture=self._skin.image(look.person.albedo),
        )


def _stacked(arrays: Sequence) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(array, np.float32) for array in arrays]))
