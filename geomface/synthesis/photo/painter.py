"""A head drawn as a camera sees it under the lamps of a rig: samples, light, shade."""

import dataclasses
from typing import Any

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.faces.eyes import LEFT, RIGHT, eyes_of
from geomface.rendering.rasterize import nearest_faces
from geomface.rendering.shadow_maps import thinned_faces
from geomface.synthesis.lights import light_coefficients
from geomface.synthesis.photo import shading
from geomface.synthesis.photo.head import HeadLook, HeadSurface
from geomface.synthesis.photo.light_rig import LightRig
from geomface.synthesis.photo.neighbours import grown, neighbours_of
from geomface.synthesis.photo.relief import SIZE, TILE_MM, relief_for
from geomface.synthesis.photo.skin_texture import LINEAR
from geomface.synthesis.photo.vertex_light import VertexLight, smooth_normals, vertex_light
from geomface.synthesis.scene import Look
from geomface.synthesis.settings import PhotoSettings

_GREY = np.array([0.2126, 0.7152, 0.0722])
_BITS = 10
_USUAL_SKIN = 0.3
"""Linear brightness of skin that cameras are made for."""


@dataclasses.dataclass(frozen=True)
class Shine:
    """What differs between pictures of the same skin: exposure, and how the skin shines."""

    exposure: float
    gloss: float


class HeadPainter:
    """Draws heads of one surface.

    Parameters
    ----------
    surface : the topology of the head
    settings : of the photo preset
    size : pixels a side
    places : (V, 2) of the face's vertices in the texture of the skin
    """

    def __init__(
        self, surface: HeadSurface, settings: PhotoSettings, size: int, places: np.ndarray
    ) -> None:
        self.surface, self.settings, self.size = surface, settings, size
        faces = surface.template.mesh.faces
        self._faces = np.ascontiguousarray(faces, np.int32)
        self._wide = np.ascontiguousarray(faces, np.int64)
        self._neighbours = neighbours_of(faces, len(surface.materials))
        self._material = surface.materials[faces.max(axis=1)]
        self._places = np.full((len(surface.materials), 2), -1, np.float32)
        self._places[: surface.count] = places
        thin = self._material != shading.FRAME
        # Nobody stands so that the shoulders shade the face.
        solid = thin & (self._material != shading.CLOTH)
        self.casters = np.vstack([thinned_faces(faces[solid]), faces[~thin]]).astype(np.int32)

    def draw(
        self,
        head: HeadLook,
        look: Look,
        face: FloatArray,
        vertices: FloatArray,
        camera: CameraNumbers,
        rig: LightRig,
        shine: Shine,
        background: ImageArray,
    ) -> tuple[ImageArray, np.ndarray, FloatArray]:
        """Return the picture (size, size, 3) sRGB, its depth, 0 for none, and the light (9, 3).

        Parameters
        ----------
        head, look : of the person
        face : (V, 3) with its expression, of which `vertices` are the whole head
        background : (size, size, 3) sRGB
        """
        view = np.einsum("ij,nj->ni", camera.rotation, vertices) + camera.translation
        z = view[:, 2]
        away = np.ones(len(view)) if camera.weak else z
        xy = camera.focal * view[:, :2] / away[:, None] + camera.principal
        xy *= shading.SAMPLES
        with np.errstate(divide="ignore"):
            order = z if camera.weak else np.where(z > 0, -1.0 / z, np.nan)
        side = shading.SAMPLES * self.size
        ids = nearest_faces(xy, order, self._wide, side, side, False, _BITS)
        normals = smooth_normals(np.ascontiguousarray(vertices, np.float64), self._faces)
        facing = np.clip(-(normals[: self.surface.count] @ camera.rotation[2]) - 0.2, 0, None)
        light = self._light(head, face, vertices, normals, rig, camera, self._asked(ids, facing))
        exposure = shine.exposure * self._exposure(head, light, normals, facing)
        eye = -camera.rotation[2] if camera.weak else -camera.rotation.T @ camera.translation
        rest = np.zeros_like(vertices)
        rest[: self.surface.count] = look.neutral
        rest[self.surface.count :] = vertices[self.surface.count :]
        photo = self.settings
        pixel_mm = float(np.median(away[: self.surface.count])) / camera.focal
        picture, depth = shading.shade_photograph(
            ids,
            shading.Surface(
                xy.astype(np.float32),
                z.astype(np.float32),
                self._faces,
                self._material,
                vertices.astype(np.float32),
                normals,
                rest.astype(np.float32),
                head.albedo,
                self._places,
            ),
            shading.Skin(head.texture, LINEAR, relief_for(pixel_mm), np.float32(SIZE / TILE_MM)),
            light,
            shading.View(eye.astype(np.float32), camera.weak),
            self._eyes(face + head.relief, vertices),
            shading.Strengths(
                np.float32(photo.detail),
                np.float32(photo.subsurface),
                np.float32(photo.detail * shine.gloss),
                np.float32(photo.lids),
            ),
            np.float32(exposure),
            np.ascontiguousarray(background, np.float32),
        )
        return picture, depth, exposure * _harmonics(rig, light, camera)

    def _light(
        self,
        head: HeadLook,
        face: FloatArray,
        vertices: FloatArray,
        normals: np.ndarray,
        rig: LightRig,
        camera: CameraNumbers,
        asked: BoolArray,
    ) -> VertexLight:
        low, high = face.min(axis=0), face.max(axis=0)
        centre = 0.5 * (low + high) - [0.0, 0.0, 0.3 * (high[1] - low[1])]
        return vertex_light(
            vertices,
            normals,
            self._neighbours,
            self.casters,
            head.albedo,
            rig,
            camera.rotation,
            (centre, 0.95 * float(high[1] - low[1])),
            asked=asked,
            shadows=self.settings.shadows,
            occlusion=self.settings.occlusion,
        )

    def _asked(self, ids: np.ndarray, facing: np.ndarray) -> BoolArray:
        """Return (V,) whose light one wants to know: what one sees, and what the face turns to us.

        Light that spreads under the skin comes from two rings around what one sees.
        """
        asked = grown(_corners_of(ids, self._faces, len(self._places)), self._neighbours, 2)
        asked[: len(facing)] |= facing > 0
        return asked

    def _exposure(
        self, head: HeadLook, light: VertexLight, normals: np.ndarray, facing: np.ndarray
    ) -> float:
        """Return the factor that brings the face to the brightness cameras meter for.

        facing (V,) weighs the vertices of the face: how squarely they look at the camera.
        """
        count = self.surface.count
        cosine = np.clip(normals[:count] @ light.directions.T, 0, None)
        lamps = (cosine * light.seen[:count, :, 0]) @ (light.colors @ _GREY)
        level = light.ambient[:count] @ _GREY + lamps
        mean = float((facing * level).sum() / max(facing.sum(), 1e-9))
        skin = float(np.median(head.albedo[:count] @ _GREY))
        # Cameras brighten dark skin, but not all the way.
        return (_USUAL_SKIN / max(skin, 0.02)) ** 0.4 / max(mean, 1e-3)

    def _eyes(self, face: FloatArray, vertices: FloatArray) -> np.ndarray:
        """Return what the kernel wants to know of each eye, (E, 14) float32.

        Middle, radius, axis, the parabolas of the upper and lower lid over the place between the
        corners (-1 to 1), and half the distance of the corners.
        """
        eyes = eyes_of(self.surface.scene.model, face)
        surface = self.surface
        if not surface.eye_size or not len(eyes):
            return np.zeros((1, 14), np.float32)
        marks = surface.scene.landmarks(face)
        rows = []
        for k, lids in enumerate((marks[LEFT], marks[RIGHT])):
            tip = vertices[surface.count + k * surface.eye_size]
            half = 0.5 * float(np.linalg.norm(lids[3] - lids[0]))
            across = (lids[:, 0] - eyes[k, 0]) / half
            upper = np.polynomial.polynomial.polyfit(across[[0, 1, 2, 3]], lids[[0, 1, 2, 3], 1], 2)
            lower = np.polynomial.polynomial.polyfit(across[[3, 4, 5, 0]], lids[[3, 4, 5, 0], 1], 2)
            axis = (tip - eyes[k, :3]) / np.linalg.norm(tip - eyes[k, :3])
            rows.append(np.concatenate([eyes[k], axis, upper, lower, [half]]))
        return np.stack(rows).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _corners_of(ids: Any, faces: Any, count: int) -> Any:
    """Return (count,) bool: vertices of the faces that one sees, ids (H, W), -1 for none."""
    seen = np.zeros(count, np.bool_)
    for f in ids.flat:
        if f >= 0:
            for c in range(3):
                seen[faces[f, c]] = True
    return seen


def _harmonics(rig: LightRig, light: VertexLight, camera: CameraNumbers) -> FloatArray:
    """Return the (9, 3) harmonics of a rig, axes of the face, for what is lit without shadows."""
    around = np.stack([rig.sky.mean(axis=0), np.zeros(3)])
    total = light_coefficients(np.array([0.0, 0.0, 1.0]), around)
    for direction, color in zip(light.directions, light.colors, strict=True):
        total += light_coefficients(direction.astype(float), np.stack([np.zeros(3), color]))
    return total
