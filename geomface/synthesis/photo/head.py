"""The whole head of a photograph in one topology: face, eyes, mouth, body, hair, glasses."""

import dataclasses
import functools

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.files.color import srgb_to_linear
from geomface.mesh import Mesh, Template
from geomface.mesh.normals import vertex_normals
from geomface.synthesis.photo.body import RINGS, Body, BodyTopology
from geomface.synthesis.photo.glasses import (
    PLAIN,
    Glasses,
    draw_frame,
    fitted_glasses,
    glasses_faces,
)
from geomface.synthesis.photo.hair import hair_body, hair_growth
from geomface.synthesis.photo.hair_growth import grow_hair
from geomface.synthesis.photo.haircuts import HairStyle
from geomface.synthesis.photo.headwear import (
    Headwear,
    cloth_faces,
    fitted_headwear,
    hidden_cloth,
)
from geomface.synthesis.photo.mouth import (
    TEETH_COLOR,
    bag_colors,
    bag_vertices,
    mouth_bag,
    teeth_surface,
    teeth_vertices,
)
from geomface.synthesis.photo.obstacles import obstacles_of
from geomface.synthesis.photo.shading import CLOTH, EYE, FRAME, HAIR, MOUTH, SKIN, TEETH
from geomface.synthesis.photo.strands import Strands
from geomface.synthesis.scene import FaceScene, Look


@dataclasses.dataclass(frozen=True, eq=False)
class HeadLook:
    """What is the same in all photographs of one person.

    Parameters
    ----------
    relief : (V, 3) mm, pores and wrinkles added to the face
    body : skull, ears, neck and shoulders around the neutral face
    hair : (H, 3) mm, the way from the skin to the body of hair; into the head where none grows
    strands : the hairs one sees
    cloth : (C, 3) mm, of a brim, a scarf or a drape; deep in the head for most
    glasses : None for somebody without
    colors : (V'', 3) sRGB of the whole surface
    texture : (S, S, 3) uint8 sRGB of the skin of the face
    """

    relief: FloatArray
    body: Body
    hair: FloatArray
    strands: tuple[Strands, ...]
    cloth: FloatArray
    glasses: Glasses | None
    colors: FloatArray
    texture: np.ndarray

    @functools.cached_property
    def albedo(self) -> np.ndarray:
        """(V'', 3) float32 linear colours of the whole surface."""
        return srgb_to_linear(np.clip(self.colors, 0.0, 1.0)).astype(np.float32)


class HeadSurface:
    """One topology for everybody: what somebody has not is hidden inside the head.

    Parameters
    ----------
    scene : the face with its eyes

    Attributes: `materials` (V'',) of `photo.shading`, and `eye_size`, vertices of one eyeball.
    """

    def __init__(self, scene: FaceScene) -> None:
        self.scene = scene
        mesh = scene.model.mesh
        marks = scene.landmarks(mesh.vertices)
        self.count = len(mesh.vertices)
        self.body = BodyTopology(mesh)
        self._fade = np.cos(np.linspace(0, np.pi / 2, RINGS + 1)[1:]) ** 2
        self._bag, self._mouth = mouth_bag(mesh, marks)
        self._teeth = teeth_surface()
        frame_faces = glasses_faces(marks)
        self._frame = fitted_glasses(marks, PLAIN, np.random.default_rng(0))
        body = self.body.body(mesh.vertices, marks, np.random.default_rng(0))
        self._skin_faces = np.vstack([mesh.faces, self.body.skull_faces])
        whole = np.vstack([mesh.vertices, body.skull])
        self._hairy, hair_faces = self._hair_faces(whole, marks)
        self._scalp_faces = hair_faces
        sizes = (
            len(scene.template.mesh.vertices),
            len(bag_vertices(mesh.vertices, self._mouth)),
            int(self._teeth.max()) + 1,
            len(body.skull),
            len(body.rest),
            len(self._hairy),
            len(self._frame.vertices),
            int(cloth_faces().max()) + 1,
        )
        starts = np.cumsum((0, *sizes))
        parts = [scene.template.mesh.faces]
        if len(self._bag):
            lips = self._mouth[np.maximum(-1 - self._bag, 0)]
            parts.append(np.where(self._bag < 0, lips, self._bag + starts[1]))
        skull = self.body.skull_faces
        parts += [
            self._teeth + starts[2],
            np.where(skull < self.count, skull, skull - self.count + starts[3]),
            self.body.rest_faces + starts[4],
            hair_faces + starts[5],
            frame_faces + starts[6],
            cloth_faces() + starts[7],
        ]
        mesh = Mesh(np.zeros((int(starts[-1]), 3)), np.vstack(parts), name="head")
        self.template = Template(mesh, scene.template.landmarks)
        self.eye_size = (int(starts[1]) - self.count) // 2
        skin = self.body.skin_count
        # Sheets of cloth throw shadows as hair does; the torso, the other cloth, never.
        kinds = (SKIN, EYE, MOUTH, TEETH, SKIN, SKIN, CLOTH, HAIR, FRAME, HAIR)
        counts = (self.count, sizes[0] - self.count, *sizes[1:4], skin, sizes[4] - skin, *sizes[5:])
        self.materials = np.repeat(np.array(kinds, np.uint8), counts)

    def _hair_faces(self, whole: FloatArray, marks: FloatArray) -> tuple[IndexArray, IndexArray]:
        """Return the skin vertices under the hair's shell, and the shell's faces among them."""
        brow = float(marks[17:27, 1].mean())
        top = float(whole[: self.count, 1].max())
        upper = whole[:, 1] > brow + 0.12 * (top - brow)
        upper[self.count :] = True
        upper[self.body.rim] = True
        kept = self._skin_faces[upper[self._skin_faces].all(axis=1)]
        used, inverse = np.unique(kept, return_inverse=True)
        return used, inverse.reshape(kept.shape)

    def hairy(self, values: FloatArray) -> FloatArray:
        """Return the rows of face and skull (n, C) that lie under the body of hair, (H, C)."""
        return values[self._hairy]

    def hair(
        self,
        face: FloatArray,
        body: Body,
        style: HairStyle | None,
        worn: Headwear | None,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, FloatArray, tuple[Strands, ...]]:
        """Return what grows on a head, and the crown of a hat over it.

        Returns
        -------
        growth (H,) of `hair_growth`, the ways (H, 3) from the skin to the body of hair or the
        crown, mm, and the hairs
        """
        whole = np.vstack([face, body.skull])
        skin, marks = whole[self._hairy], self.scene.landmarks(face)
        normals = vertex_normals(whole, self._skin_faces, weighting="area")[self._hairy]
        growth, lift, strands = np.full(len(skin), -1.0), np.zeros(len(skin)), None
        if style is not None:
            obstacles = obstacles_of(body.skull, skin, marks)
            growth = hair_growth(skin, marks, style, rng)
            lift = hair_body(growth, obstacles.width, style)
            seen = growth if worn is None else np.where(worn.covered, -1.0, growth)
            strands = grow_hair(skin, self._scalp_faces, seen, style, obstacles, rng)
        else:
            lift = hair_body(growth, 0.0, None)
        if worn is not None:
            lift = np.where(worn.covered | (worn.lift > 0), worn.lift, lift)
        return growth, lift[:, None] * normals, (strands,) if strands else ()

    def headwear(
        self, face: FloatArray, body: Body, kind: str, rng: np.random.Generator
    ) -> Headwear:
        """Return something that a person wears on or around the head."""
        skin = self.hairy(np.vstack([face, body.skull]))
        marks = self.scene.landmarks(face)
        return fitted_headwear(kind, skin, obstacles_of(body.skull, skin, marks), rng)

    def cloth(self, body: Body, worn: Headwear | None) -> FloatArray:
        """Return the (C, 3) sheet of what a person wears, or of nothing, mm."""
        return hidden_cloth(body.skull.mean(axis=0)) if worn is None else worn.cloth

    def glasses(self, face: FloatArray, rng: np.random.Generator) -> Glasses:
        """Return glasses that fit a person."""
        return fitted_glasses(self.scene.landmarks(face), draw_frame(rng), rng)

    def colors(
        self,
        eyes: ImageArray,
        skin: FloatArray,
        body: FloatArray,
        hair: FloatArray,
        glasses: Glasses | None,
        worn: Headwear | None,
    ) -> FloatArray:
        """Return the (V'', 3) colours of everything, given those of its parts.

        Parameters
        ----------
        eyes, skin, body, hair : one row a vertex
        glasses, worn : None for somebody without
        """
        cloth = np.full((int(cloth_faces().max()) + 1, 3), 0.1) if worn is None else worn.colors
        return np.vstack(
            [
                skin,
                eyes.astype(np.float64),
                bag_colors(len(self._mouth)),
                np.tile(TEETH_COLOR, (int(self._teeth.max()) + 1, 1)),
                body,
                hair,
                (glasses or self._frame).colors,
                cloth,
            ]
        )

    def vertices(
        self, head: HeadLook, look: Look, face: FloatArray, gaze: FloatArray
    ) -> FloatArray:
        """Return the (V'', 3) vertices of a person with an expression, mm."""
        moved = (face - look.neutral)[self.body.rim]
        skull = head.body.skull + (self._fade[:, None, None] * moved).reshape(-1, 3)
        if head.glasses is not None:
            glasses = head.glasses.vertices
        else:
            # Nobody sees what is small and inside the head.
            middle = head.body.skull.mean(axis=0)
            glasses = middle + 0.01 * (self._frame.vertices - self._frame.vertices.mean(axis=0))
        return np.vstack(
            [
                self.scene.with_eyes(face + head.relief, gaze),
                bag_vertices(face, self._mouth),
                teeth_vertices(self.scene.landmarks(look.neutral)),
                skull,
                head.body.rest,
                np.vstack([face, skull])[self._hairy] + head.hair,
                glasses,
                head.cloth,
            ]
        )
