"""Studio pictures of meshes: what the report, the command line and the tests look at."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray, require_finite, require_kind, require_shape
from geomface.errors import MeshError
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import smooth_vertex_normals
from geomface.ranges import SIDE, require_number
from geomface.rendering.camera import Frame, frame_of, view_rotation
from geomface.rendering.rasterize import rasterize
from geomface.rendering.shading import Studio, shade_pixels
from geomface.rendering.textures import shrink_texture

GREY = (0.80, 0.79, 0.78)
"""Colour of a mesh that has none."""
_SAMPLES = 2


def render_mesh(
    mesh: Mesh,
    *,
    size: int = 512,
    yaw: float = 0.0,
    pitch: float = 0.0,
    colors: np.ndarray | None = None,
    vertices: FloatArray | None = None,
    frame: Frame | tuple[FloatArray, float] | None = None,
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
    shading: bool = True,
    smooth: int = 0,
    studio: Studio | None = None,
) -> ImageArray:
    """Render a mesh as a smooth-shaded picture, orthographic and antialiased (2 x 2 samples).

    The surface shows `colors` if given, else the mesh's texture, else its vertex colours, else
    grey.

    Parameters
    ----------
    mesh : the surface
    size : pixels along each side
    yaw, pitch : degrees; positive yaw turns the face to the subject's left, positive pitch lifts
        the chin (`view_rotation`)
    colors : (V, 3) in [0, 1], such as `heat_colors`
    vertices : (V, 3), draw the mesh with these positions
    frame : a `Frame` or (centre, extent), default the one that holds this mesh at any yaw
    background : colour behind the mesh
    shading : False shows the plain colours
    smooth : rounds of averaging of the normals; 1 calms the noise of raw scans
    studio : other lights

    Returns
    -------
    (size, size, 3) float32 in [0, 1], row 0 at the top

    Raises
    ------
    MeshError, SettingsError : shapes that do not fit the mesh, NaN, a size below one.

    Example
    -------
    >>> import geomface as gf
    >>> image = gf.render_mesh(gf.load_builtin_face().mesh, size=96, yaw=30)
    >>> image.shape, image.dtype
    ((96, 96, 3), dtype('float32'))
    """
    require_kind(mesh, Mesh, "render_mesh", where="`.mesh`")
    require_number(f"{mesh.name}: size", size, SIDE, whole=True)
    count = len(mesh.vertices)
    points = mesh.vertices
    if vertices is not None:
        points = require_shape(vertices, (count, 3), f"{mesh.name}: vertices to render")
        points = np.ascontiguousarray(points, np.float64)
        require_finite(points, f"{mesh.name}: vertices to render")
    if frame is None:
        frame = frame_of([points])
    elif not isinstance(frame, Frame):
        frame = Frame(*frame)
    rotation = view_rotation(yaw, pitch)
    side = size * _SAMPLES
    camera = frame.camera(rotation, side)
    xy = camera.project(points)
    face_ids = rasterize(xy, camera.depth(points), mesh.faces, side, side)
    surface, texture = _surface(mesh, colors)
    if texture.size:
        texture = shrink_texture(mesh, texture, points, side / frame.extent)
    uv = np.zeros((1, 2)) if mesh.uv is None else mesh.uv
    uv_faces = np.zeros((1, 3), np.int64) if mesh.uv_faces is None else mesh.uv_faces
    lights = (studio or Studio()).packed()
    return shade_pixels(
        face_ids,
        xy,
        mesh.faces,
        np.ascontiguousarray(smooth_vertex_normals(points, mesh.faces, smooth) @ rotation.T),
        surface,
        texture,
        uv,
        uv_faces,
        lights if shading else np.zeros_like(lights),
        np.array(background, np.float64),
        _SAMPLES,
    )


def _surface(mesh: Mesh, colors: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return vertex colours (V, 3) and a texture, one of them empty."""
    nothing = np.zeros((0, 0, 3), np.float32)
    if colors is not None:
        label = f"{mesh.name}: colours to render"
        colors = require_shape(colors, (len(mesh.vertices), 3), label, MeshError)
        require_finite(colors, label)
        return np.ascontiguousarray(colors, np.float32), nothing
    if mesh.texture is not None and mesh.uv is not None:
        return np.zeros((0, 3), np.float32), mesh.texture
    if mesh.colors is not None:
        return mesh.colors, nothing
    return np.tile(np.array(GREY, np.float32), (len(mesh.vertices), 1)), nothing
