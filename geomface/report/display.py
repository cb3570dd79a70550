"""Meshes and models that turn in a notebook, without a server and without a network."""

import dataclasses
import html
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.errors import MeshError, SettingsError
from geomface.faces.albedo import albedo_model
from geomface.faces.albedo_code import ALBEDO_SIZE, TOLD, sample_albedo_code
from geomface.faces.dressing import dressed, mouth_loop, sunken_eyes
from geomface.mesh import Mesh, Template
from geomface.rendering import contact_sheet, frame_of, render_mesh
from geomface.rendering.picture import GREY
from geomface.report.display_colors import one_uv_a_vertex, vertex_colors_from
from geomface.report.images import encode
from geomface.report.page import static_text
from geomface.report.viewer import ViewerShape, viewer_html, viewer_script
from geomface.statistics import MorphableModel

LARGEST_TRIANGLES = 400_000
"""A notebook keeps what it shows: this many triangles add about 9 MB to its file."""
HEIGHT = 460
"""Pixels of the frame in the notebook."""

_THUMBNAIL = 160
_NO_EYES = np.zeros((0, 4))
_NO_MOUTH = np.zeros(0, np.int64)
_STYLE = (
    "body { padding: 4px; } .viewer { margin: 0; grid-template-columns: minmax(200px, 430px) "
    "minmax(150px, 1fr); } .shapes { grid-template-columns: repeat(auto-fill, 96px); }"
)
_NO_CHECKER = ' .viewer button[data-mode="checker"] { display: none; }'


@dataclasses.dataclass(frozen=True, eq=False)
class ShownFace:
    """One shape of a display.

    Parameters
    ----------
    name : shown above the buttons
    mesh : with its colours or its texture
    eyes : (n, 4) float64, eyeballs to draw: x, y, z, radius
    """

    name: str
    mesh: Mesh
    eyes: FloatArray = dataclasses.field(default_factory=lambda: _NO_EYES)


@dataclasses.dataclass(frozen=True, eq=False)
class Display:
    """What a notebook shows when this is the last value of a cell: a viewer that turns.

    The viewer is one frame that holds everything it needs. Where a notebook is shown without its
    scripts (on a code host, on paper), the picture from three sides stands in.

    Parameters
    ----------
    faces : at least one, all of one topology
    mouth : (m,) boundary loop whose inside is drawn dark, may be empty
    name : title of the frame
    """

    faces: tuple[ShownFace, ...]
    mouth: IndexArray = dataclasses.field(default_factory=lambda: _NO_MOUTH)
    name: str = "mesh"

    def document(self) -> str:
        """Return the viewer as a whole HTML document, to be written to a file of its own.

        Raises
        ------
        MeshError : more triangles than `LARGEST_TRIANGLES`.
        """
        count = len(self.faces[0].mesh.faces)
        if count > LARGEST_TRIANGLES:
            raise MeshError(
                f"{self.name}: expected at most {LARGEST_TRIANGLES} triangles to put into a page, "
                f"got {count}. Thin the mesh out, or show a picture of it with render_mesh."
            )
        flat = one_uv_a_vertex([face.mesh for face in self.faces])
        shapes = [
            ViewerShape(
                face.name,
                face.mesh.vertices[flat.source],
                texture,
                self._picture(face, _THUMBNAIL, 0.0),
                face.eyes,
            )
            for face, texture in zip(self.faces, flat.textures, strict=True)
        ]
        viewer = viewer_html(flat.mesh, shapes, mouth=flat.place_of(self.mouth))
        style = static_text("report.css") + _STYLE + ("" if flat.has_map else _NO_CHECKER)
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{html.escape(self.name)}</title><style>{style}</style></head>"
            f"<body>{viewer}<script>{viewer_script()}</script></body></html>\n"
        )

    def picture(self, size: int = 320, yaws: Sequence[float] = (-40.0, 0.0, 40.0)) -> ImageArray:
        """Return the first shape from some sides, (H, W, 3) float32."""
        views = [self._picture(self.faces[0], size, float(yaw)) for yaw in yaws]
        return contact_sheet(views, max(len(views), 1))

    def _picture(self, face: ShownFace, size: int, yaw: float) -> ImageArray:
        mesh = face.mesh
        frame = frame_of([mesh], margin=0.02)
        smooth_map = mesh.uv_faces is not None and np.array_equal(mesh.uv_faces, mesh.faces)
        textured = mesh.texture is not None and mesh.uv is not None
        if not (len(face.eyes) or len(self.mouth)) or (textured and not smooth_map):
            return render_mesh(mesh, size=size, yaw=yaw, frame=frame)
        colors = np.tile(np.array(GREY, np.float32), (len(mesh.vertices), 1))
        if textured and mesh.texture is not None:
            colors = vertex_colors_from(mesh, mesh.texture)
        elif mesh.colors is not None:
            colors = mesh.colors
        whole = dressed(mesh, colors, face.eyes, self.mouth)
        return render_mesh(whole, size=size, yaw=yaw, frame=frame)

    def _repr_html_(self) -> str:
        page = html.escape(self.document(), quote=True)
        title = html.escape(self.name, quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="{title}" '
            f'style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>'
        )

    def _repr_png_(self) -> bytes:
        return encode(self.picture(), "png")

    def __repr__(self) -> str:
        names = ", ".join(face.name for face in self.faces)
        return f"Display({self.name!r}: {names})"


def show(
    item: Mesh | Template | MorphableModel,
    *,
    colors: ImageArray | None = None,
    people: int = 3,
) -> Display:
    """Return a mesh or model for a notebook to show, turning.

    Parameters
    ----------
    item : a mesh with its texture or colours; a template, with eyes; or a model, with its mean face
        and some random people, always the same ones
    colors : (V, 3) in [0, 1], shown instead of those of a mesh or template, such as `heat_colors`
    people : how many a model shows beside its mean face

    Raises
    ------
    MeshError : something else, colours of another shape.
    SettingsError : colours for a model, a negative number of people.

    Convention
    ----------
    The face turns about the y axis and is seen from +z, as its coordinates have it: bring a raw
    scan to the pose of a face first. Colours of vertices are shown to within some hundredths (see
    `display_colors`).
    """
    if people < 0:
        raise SettingsError(f"people: expected 0 or more, got {people}.")
    if isinstance(item, MorphableModel):
        if colors is not None:
            raise SettingsError(
                f"{item.name}: a model has colours of its own. Show its mesh with colors."
            )
        return Display(_people(item, people), mouth_loop(item.template), item.name)
    if isinstance(item, Mesh | Template):
        mesh = item.mesh if isinstance(item, Template) else item
        if colors is not None:
            mesh = mesh.replace(colors=colors, texture=None)
        if isinstance(item, Mesh):
            return Display((ShownFace(mesh.name, mesh),), name=mesh.name)
        eyes = sunken_eyes(item, mesh.vertices)
        return Display((ShownFace(mesh.name, mesh, eyes),), mouth_loop(item), mesh.name)
    raise MeshError(
        f"show: expected a Mesh, Template or MorphableModel, got a {type(item).__name__}."
    )


def _people(model: MorphableModel, count: int) -> tuple[ShownFace, ...]:
    """Return the mean face and random people.

    A model without colours of its own lends them a skin, where its template has the landmarks.
    """
    marks = model.template.landmarks
    known = marks is not None and len(marks) == 68 and marks.scheme == "multi-pie-68"
    skin = albedo_model(model) if known and model.texture is None else None
    faces = []
    for index in range(1 + count):
        rng = np.random.default_rng([0, index])
        shape, texture = model.draw(rng) if index else (np.zeros(0), np.zeros(0))
        mesh = model.instance(shape, texture=None if model.texture is None else texture)
        if skin is not None:
            told = len(shape) >= len(TOLD)
            code = sample_albedo_code(shape, rng) if told else np.zeros(ALBEDO_SIZE)
            mesh = mesh.replace(colors=skin.colors(code))
        faces.append(ShownFace(_name(index), mesh, sunken_eyes(model, mesh.vertices)))
    return tuple(faces)


def _name(index: int) -> str:
    return f"person {index}" if index else "mean face"
