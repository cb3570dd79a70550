"""What stands in front of the camera: the face of a model with its eyes, ready for many shapes."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.errors import MeshError
from geomface.faces.albedo import AlbedoModel, albedo_model, landmark_places
from geomface.faces.albedo_fields import SkinFields
from geomface.faces.eyes import eye_colors, eye_faces, eye_surface, eye_vertices, eyes_of
from geomface.mesh import Mesh, Template
from geomface.rendering.differentiable import PerspectiveCamera, WeakPerspectiveCamera
from geomface.statistics import MorphableModel
from geomface.synthesis.face_relief import relief_model
from geomface.synthesis.identities import Person
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.streams import stream

LARGEST_MM = 10_000.0
"""No face reaches so far from the origin."""
EYES = "eyeballs"
"""Name of the region of the eyeballs in the output "region"."""


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """A person's neutral shape and colours, computed once for all their pictures.

    Parameters
    ----------
    person : who
    neutral : (V, 3) float64, mm
    colors : (V', 3) float32 sRGB of face and eyes
    """

    person: Person
    neutral: FloatArray
    colors: ImageArray


class FaceScene:
    """The surface that labels come from: the model's faces first, then two eyeballs.

    Parameters
    ----------
    model : a face model whose template has the 68 landmarks
    eyes : draw eyeballs
    uv : the picture needs uv, so a template without is unwrapped

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.
    """

    def __init__(self, model: MorphableModel, *, eyes: bool = True, uv: bool = False) -> None:
        self.model = model
        self._marks = landmark_places(model.template)
        self._albedo: AlbedoModel = albedo_model(model)
        self.relief = relief_model(model.template, self._marks)
        self._eye = eye_surface() if eyes else None
        template = model.template
        if uv and template.mesh.uv is None:
            from geomface.parametrization import unwrap

            template = dataclasses.replace(template, mesh=unwrap(template).mesh)
        self.template = self._with_eyes(template)
        low, high = template.mesh.vertices.min(axis=0), template.mesh.vertices.max(axis=0)
        brow_to_chin = float(self._marks[17:27, 1].mean() - self._marks[8, 1])
        # Models end at different places of the forehead: the landmarks say how tall the face is.
        self.face_height = 1.5 * brow_to_chin
        top = self._marks[8, 1] + self.face_height
        # A head turns about its middle; between that and the nose, it stays near the picture's.
        depth = 0.5 * float(self._marks[27:36, 2].mean() + self._marks[[0, 16], 2].mean())
        self.centre = np.array([0.5 * (low[0] + high[0]), 0.5 * (self._marks[8, 1] + top), depth])

    @property
    def skin_fields(self) -> SkinFields:
        """What each vertex of the face is for the skin."""
        return self._albedo.fields

    def _with_eyes(self, template: Template) -> Template:
        if self._eye is None:
            return template
        mesh, eye = template.mesh, self._eye
        places = eye_vertices(eye, eyes_of(self.model, mesh.vertices), np.zeros(2))
        count = len(mesh.vertices)
        faces = np.vstack([mesh.faces, eye_faces(eye, 2, count)])
        uv, uv_faces = mesh.uv, mesh.uv_faces
        if uv is not None and uv_faces is not None:
            # Eyes have no place in the chart: they read its origin.
            uv_faces = np.vstack([uv_faces, np.full((2 * len(eye.faces), 3), len(uv))])
            uv = np.vstack([uv, np.zeros((1, 2))])
        whole = Mesh(
            np.vstack([mesh.vertices, places]), faces, uv=uv, uv_faces=uv_faces, name=mesh.name
        )
        regions = {**template.regions, EYES: np.arange(count, count + len(places))}
        return Template(whole, template.landmarks, regions)

    def look(self, person: Person, seed: int) -> Look:
        """Return the neutral shape and the colours of a person.

        Raises
        ------
        MeshError : coefficients so large that nothing is left of a face.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            neutral = self.model.vertices(person.coefficients)
            if len(person.relief):
                neutral = neutral + self.relief.displacements(person.relief)
            size = float(np.abs(neutral).max())
        if not size < LARGEST_MM:
            raise MeshError(
                f"identity {person.index}: expected a face, got a shape {size:g} mm from the "
                f"origin with coefficients up to {np.abs(person.coefficients).max():g} sigma. "
                "Draw coefficients of a few sigma."
            )
        colors = self._albedo.colors(person.albedo)
        if self._eye is not None:
            light = float(np.median(colors))
            eyes = eye_colors(self._eye, light, stream(seed, "eyes", person.index))
            colors = np.vstack([colors, eyes.astype(np.float32)])
        return Look(person, neutral, colors)

    def face(self, look: Look, expression: FloatArray) -> FloatArray:
        """Return the (V, 3) face of a person with an expression, without eyes, mm."""
        vertices = look.neutral.copy()
        for index in np.flatnonzero(expression):
            # One mode after the other: the bytes do not depend on how a library sums.
            vertices += expression[index] * self.model.blendshapes.modes[index]
        return vertices

    def with_eyes(self, face: FloatArray, gaze: FloatArray) -> FloatArray:
        """Return the (V', 3) vertices of `template`: the face, then its eyes, looking at gaze."""
        if self._eye is None:
            return face
        eyes = eyes_of(self.model, face)
        return np.vstack([face, eye_vertices(self._eye, eyes, gaze)])

    def landmarks(self, face: FloatArray) -> FloatArray:
        """Return the (68, 3) landmarks on a face."""
        embedding = self.model.template.landmarks
        return self._marks if embedding is None else embedding.positions(face)


def camera_numbers(scene: FaceScene, parameters: FaceParameters, size: int) -> CameraNumbers:
    """Return the camera of a picture of `size` pixels a side.

    The middle of the mean face lies in the middle of the picture, moved by the offset, at the
    distance given, and the face turns about it.
    """
    pixels_per_mm = parameters.scale * size / scene.face_height
    focal = pixels_per_mm if parameters.weak else pixels_per_mm * parameters.distance
    ahead = np.array([0.0, 0.0, parameters.distance])
    return CameraNumbers(
        weak=parameters.weak,
        focal=float(focal),
        principal=size * (0.5 + parameters.offset),
        rotation=parameters.rotation,
        translation=ahead - np.einsum("ij,j->i", parameters.rotation, scene.centre),
    )


def torch_camera(cameras: list[CameraNumbers]) -> PerspectiveCamera | WeakPerspectiveCamera:
    """Return the cameras of several pictures, all perspective or all weak, as one of float32."""
    focal = _tensor([camera.focal for camera in cameras])
    principal = _tensor([camera.principal for camera in cameras])
    rotation = _tensor([camera.rotation for camera in cameras])
    translation = _tensor([camera.translation for camera in cameras])
    if cameras[0].weak:
        return WeakPerspectiveCamera(focal, principal, rotation, translation)
    return PerspectiveCamera(focal[:, None].expand(-1, 2), principal, rotation, translation)


def _tensor(values: list) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
