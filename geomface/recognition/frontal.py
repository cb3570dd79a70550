"""Frontal pictures of faces of one topology: the same camera and light for all of them."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.errors import TopologyMismatchError
from geomface.faces.albedo import face_landmarks
from geomface.mesh import Mesh, Template
from geomface.mesh.similarity import fit_similarity
from geomface.rendering.differentiable import Renderer, RenderSettings, SphericalHarmonicsLight
from geomface.synthesis.lights import light_coefficients, room_light
from geomface.synthesis.parameters import head_rotation
from geomface.synthesis.scene import torch_camera

GREY = 0.79
"""Colour of a face that has none."""
BEHIND = 0.6
"""What is seen beside a face and through its eyes: on black, holes would look like eyes."""
DISTANCE = 5.5
"""From the eye to the face, in heights of the face: about one metre."""
SHARE = 0.88
"""Height of the mean face, forehead to chin, as a share of the picture."""
LIGHT = {"azimuth": 0.0, "elevation": 45.0, "share": 0.6, "intensity": 1.0, "warmth": 0.0}
"""The main light from above the camera, see `room_light`: steep, as shading alone tells a shape."""
_MOST_TEXELS = 256
_BATCH = 8


class FrontalView:
    """Takes the picture of every face in the same way: from the front, on grey, without eyeballs.

    Parameters
    ----------
    template : its 68 landmarks say how tall the face is, and where
    size : pixels a side

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.

    Convention
    ----------
    A face is brought onto the template by the similarity of all its vertices, so neither its
    place nor its unit matters. It shows its texture, else its vertex colours, else grey.
    """

    def __init__(self, template: Template, size: int = 112) -> None:
        self._landmarks = face_landmarks(template)
        mesh = template.mesh
        marks = self._landmarks.positions(mesh.vertices)
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        # The frame of synthetic pictures, see `FaceScene`.
        height = 1.5 * float(marks[17:27, 1].mean() - marks[8, 1])
        depth = 0.5 * float(marks[27:36, 2].mean() + marks[[0, 16], 2].mean())
        middle = marks[8, 1] + 0.5 * height
        centre = np.array([0.5 * (low[0] + high[0]), middle, depth])
        self.template, self.size = template, size
        rotation = head_rotation(0.0, 0.0, 0.0)
        ahead = np.array([0.0, 0.0, DISTANCE * height])
        self.camera = CameraNumbers(
            weak=False,
            focal=SHARE * size * DISTANCE,
            principal=np.full(2, 0.5 * size),
            rotation=rotation,
            translation=ahead - rotation @ centre,
        )
        direction, shading = room_light(**LIGHT)
        towards = rotation.T @ (direction * [1.0, -1.0, -1.0])
        light = light_coefficients(towards, shading).astype(np.float32)
        self._light = SphericalHarmonicsLight(torch.from_numpy(light)[None])
        self._drawn: tuple[Mesh, Renderer] | None = None

    def pictures(self, faces: Iterable[Mesh]) -> Iterator[tuple[ImageArray, FloatArray]]:
        """Yield the picture of each face, in order, and where its landmarks are.

        Yields
        ------
        (size, size, 3) float32 in [0, 1], and (68, 2) float64 pixels

        Raises
        ------
        TopologyMismatchError : a face of another topology than the template's.
        MeshError : triangles without area, or fewer than three vertices that do not lie on a line.
        """
        waiting = iter(faces)
        while chunk := list(islice(waiting, _BATCH)):
            start = 0
            while start < len(chunk):
                stop = start + 1
                while stop < len(chunk) and _alike(chunk[start], chunk[stop]):
                    stop += 1
                yield from self._render(chunk[start:stop])
                start = stop

    def _render(self, faces: list[Mesh]) -> Iterator[tuple[ImageArray, FloatArray]]:
        vertices = np.stack([self._placed(face) for face in faces])
        look = {}
        if _textured(faces[0]):
            look["texture"] = torch.cat([_shrunk(face.texture) for face in faces])
        else:
            colors = [face.colors for face in faces if face.colors is not None]
            grey = torch.full((1, vertices.shape[1], 3), GREY)
            look["colors"] = torch.from_numpy(np.stack(colors)) if colors else grey
        with torch.inference_mode():
            shown = self._renderer(faces[0]).render(
                torch.from_numpy(vertices.astype(np.float32)),
                torch_camera([self.camera]),
                light=self._light,
                background=torch.full((1, 3), BEHIND),
                outputs=["rgb"],
                **look,
            )
        for picture, shape in zip(shown.rgb.clamp(0.0, 1.0).numpy(), vertices, strict=True):
            yield picture, self.camera.project(self._landmarks.positions(shape))

    def _placed(self, face: Mesh) -> np.ndarray:
        mesh = self.template.mesh
        if face.topology_id != mesh.topology_id:
            raise TopologyMismatchError(
                f"{face.name}: expected a face of the template's topology {mesh.topology_id}, got "
                f"{face.topology_id}. Register it to this template first, or give its own."
            )
        return fit_similarity(face.vertices, mesh.vertices).apply(face.vertices)

    def _renderer(self, face: Mesh) -> Renderer:
        """Return the renderer of a face's uv map, made anew only when the map changes."""
        textured = _textured(face)
        if self._drawn is None or (textured and not _same_map(self._drawn[0], face)):
            mesh = self.template.mesh
            if textured:
                mesh = mesh.replace(uv=face.uv, uv_faces=face.uv_faces)
            self._drawn = (mesh, Renderer(mesh, RenderSettings(self.size, self.size)))
        return self._drawn[1]


def faces_of(
    vertices: np.ndarray, template: Template, textures: np.ndarray | None = None
) -> Iterator[Mesh]:
    """Yield faces of the template's topology.

    Parameters
    ----------
    vertices : (N, V, 3)
    template : with uv where there are textures
    textures : (N, H, W, 3) float32 in [0, 1], or None for grey faces

    Raises
    ------
    MeshError : arrays that do not fit each other or the template, NaN, colours beyond [0, 1].
    """
    mesh = template.mesh.replace(texture=None, colors=None)
    shapes = require_shape(vertices, (None, len(mesh.vertices), 3), "faces to describe")
    if textures is not None:
        textures = require_shape(textures, (len(shapes), None, None, 3), "textures of faces")
    for index, shape in enumerate(shapes):
        texture = None if textures is None else textures[index]
        yield mesh.replace(vertices=shape, texture=texture, name=f"face {index}")


def _textured(face: Mesh) -> bool:
    return face.texture is not None and face.uv is not None


def _alike(first: Mesh, second: Mesh) -> bool:
    """Say whether two faces can be drawn by one call."""
    if _textured(first) != _textured(second):
        return False
    if first.texture is not None and second.texture is not None and _textured(first):
        return first.texture.shape == second.texture.shape and _same_map(first, second)
    return (first.colors is None) == (second.colors is None)


def _same_map(first: Mesh, second: Mesh) -> bool:
    pairs = ((first.uv, second.uv), (first.uv_faces, second.uv_faces))
    return all(
        a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in pairs
    )


def _shrunk(texture: ImageArray | None) -> torch.Tensor:
    """Return a texture (1, H, W, 3), averaged down: a small picture sees no more of it."""
    image = torch.tensor(texture).permute(2, 0, 1)[None]
    factor = max(1, min(image.shape[2:]) // _MOST_TEXELS)
    if factor > 1:
        image = torch.nn.functional.avg_pool2d(image, factor)
    return image.permute(0, 2, 3, 1).contiguous()
