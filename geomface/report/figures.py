"""The pictures of a report, all in one pose and one frame so that they can be compared."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray
from geomface.faces.dressing import dressed, mouth_loop
from geomface.mesh import Mesh, Template
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.rendering import Frame, frame_of, heat_colors, render_mesh
from geomface.report.display_colors import vertex_colors_from
from geomface.report.images import checkerboard

SCAN_INK = (0.55, 0.60, 0.68)
FIT_INK = (0.93, 0.62, 0.30)
BACKGROUND = (0.96, 0.965, 0.975)


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """Renders meshes of one collection in the template's pose.

    Parameters
    ----------
    template : mesh with one uv a vertex
    frame : what the pictures show
    mouth : boundary loop of the mouth, for the picture of its inside
    size : pixels
    """

    template: Mesh
    frame: Frame
    mouth: IndexArray
    size: int = 256

    @classmethod
    def around(
        cls, template: Template, registered: Sequence[FloatArray] = (), size: int = 256
    ) -> "Gallery":
        """Return a gallery whose frame holds the template and all registered meshes."""
        rest = template.mesh.vertices
        posed = [fit_similarity(mesh, rest).apply(mesh) for mesh in registered]
        frame = frame_of([rest, *posed], margin=0.02)
        return cls(template.mesh, frame, mouth_loop(template), size)

    def pose_of(self, registered: FloatArray) -> Similarity:
        """Return the similarity that takes a registered mesh to the template's pose."""
        return fit_similarity(registered, self.template.vertices)

    def render(self, mesh: Mesh, colors: np.ndarray | None = None, yaw: float = 0.0) -> ImageArray:
        """Render a mesh that is in the template's pose."""
        return render_mesh(
            mesh,
            size=self.size,
            yaw=yaw,
            colors=colors,
            frame=self.frame,
            background=BACKGROUND,
        )

    def scan(self, scan: Mesh, pose: Similarity, yaw: float = 0.0) -> ImageArray:
        """Render a raw scan, cut to the face's surroundings."""
        return self.render(self._cut(scan.replace(vertices=pose.apply(scan.vertices))), yaw=yaw)

    def overlay(self, scan: Mesh, registered: FloatArray, pose: Similarity) -> ImageArray:
        """Render scan and registered mesh in one depth buffer, each in its own plain colour.

        Where both surfaces agree, noise decides which one is in front, so they mix finely.
        """
        cut = self._cut(scan.replace(vertices=pose.apply(scan.vertices)))
        count = len(cut.vertices)
        ink = np.tile(np.array(SCAN_INK, np.float32), (count + len(registered), 1))
        ink[count:] = FIT_INK
        both = Mesh(
            np.concatenate([cut.vertices, pose.apply(registered)]),
            np.concatenate([cut.faces, self.template.faces + count]),
            colors=ink,
            name="overlay",
        )
        return self.render(both, yaw=25.0)

    def heat(
        self,
        registered: FloatArray,
        pose: Similarity,
        values: FloatArray,
        upper: float,
        yaw: float = 0.0,
    ) -> ImageArray:
        """Render a registered mesh coloured by a value a vertex; NaN is grey."""
        mesh = self.template.replace(vertices=pose.apply(registered), texture=None)
        return self.render(mesh, heat_colors(values, upper), yaw)

    def textured(
        self, vertices: FloatArray, texture: ImageArray, eyes: FloatArray, yaw: float = 0.0
    ) -> ImageArray:
        """Render vertices in the template's pose with a texture, eyeballs and mouth."""
        mesh = self.template.replace(vertices=vertices)
        colors = vertex_colors_from(mesh, texture)
        return self.render(dressed(mesh, colors, eyes, self.mouth), yaw=yaw)

    def checkered(self, yaw: float = 0.0) -> ImageArray:
        """Render the template with a checker on its uv."""
        return self.render(self.template.replace(texture=checkerboard(768)), yaw=yaw)

    def plain(self, vertices: FloatArray, eyes: FloatArray, yaw: float = 0.0) -> ImageArray:
        """Render vertices in the template's pose in grey, with eyeballs and mouth."""
        mesh = self.template.replace(vertices=vertices)
        grey = np.full((len(vertices), 3), 0.79, np.float32)
        return self.render(dressed(mesh, grey, eyes, self.mouth), yaw=yaw)

    def _cut(self, scan: Mesh) -> Mesh:
        """Leave out the triangles that lie well outside the frame (shoulders, a table)."""
        reach = 0.62 * self.frame.extent
        near = np.abs(scan.vertices - self.frame.centre).max(axis=1) < reach
        faces = near[scan.faces].all(axis=1)
        if not faces.any():
            return scan
        uv_faces = None if scan.uv_faces is None else scan.uv_faces[faces]
        return scan.replace(faces=scan.faces[faces], quads=None, uv_faces=uv_faces)


def uv_wireframe(template: Mesh, size: int = 720) -> ImageArray:
    """Draw the edges of the uv map on the unit square, row 0 at the top."""
    from PIL import Image, ImageDraw

    from geomface.mesh.topology import unique_edges

    if template.uv is None or template.uv_faces is None:
        return np.ones((size, size, 3), np.float32)
    polygons = template.uv_faces if template.quads is None else template.quads
    scale = 2  # drawn twice as large and halved, for smooth lines
    edges = unique_edges(polygons)
    place = template.uv * [1, -1] + [0, 1]
    ends = place[edges] * (size * scale - 1)
    picture = Image.new("RGB", (size * scale, size * scale), "white")
    draw = ImageDraw.Draw(picture)
    for (ax, ay), (bx, by) in ends.tolist():
        draw.line((ax, ay, bx, by), fill=(88, 116, 164), width=2)
    small = picture.resize((size, size), Image.Resampling.BOX)
    return (np.asarray(small) / 255).astype(np.float32)


def masked_texture(texture: ImageArray, mask: BoolArray) -> ImageArray:
    """Return the texture with what the scan did not see hatched."""
    height, width = texture.shape[:2]
    row, column = np.mgrid[:height, :width]
    phase = (row + column) * 64 // max(height, 1) % 4
    hatch = np.where(phase[..., None] < 2, 0.86, 0.72).astype(np.float32)
    return np.where(np.asarray(mask, bool)[..., None], texture, hatch).astype(np.float32)
