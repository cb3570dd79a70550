"""From the polygons of a file to a Mesh and back; nothing is merged or reordered."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray, require_indices
from geomface.errors import FileFormatError, MeshError
from geomface.files.reading import log
from geomface.mesh.mesh import Mesh
from geomface.mesh.quads import split_quads


def build_mesh(
    vertices: FloatArray,
    counts: IndexArray,
    corners: IndexArray,
    *,
    name: str,
    unit: str | None,
    uv: FloatArray | None = None,
    uv_corners: IndexArray | None = None,
    colors: ImageArray | None = None,
    texture: ImageArray | None = None,
    painted: BoolArray | None = None,
) -> Mesh:
    """Make a mesh of polygons as a file lists them.

    Only quads: they are kept as `quads`. Only triangles: they are the faces. Mixed: triangles in
    the file's order, quads along their shorter diagonal and larger polygons as fans.

    Parameters
    ----------
    vertices : (V, 3)
    counts : (P,) corners of each polygon
    corners : (sum of counts,) vertex indices, 0-based
    name, unit : of the mesh
    uv, uv_corners : (T, 2) and (sum of counts,) indices into uv; -1 where a corner has none
    colors, texture : (V, 3) and (H, W, 3) in [0, 1]
    painted : (P,) which polygons the texture colours; None is all

    Raises
    ------
    FileFormatError : a polygon with fewer than three corners
    MeshError : no faces, indices out of range, NaN or infinity
    """
    require_polygons(counts, name)
    # Before any geometry is looked up; Mesh would only notice later.
    require_indices(corners, len(vertices), f"{name}: faces")
    vertices = _known(vertices, corners, name)
    if uv is not None and (uv_corners is None or len(uv) == 0 or (uv_corners == -1).any()):
        if uv_corners is not None and (uv_corners != -1).any():
            log.warning("%s: some faces have no uv; the uv of the others is left out.", name)
        uv = uv_corners = None
    if uv is None:
        uv_corners = None
        if texture is not None:
            log.warning("%s: the texture is left out, the faces have no uv.", name)
            texture = painted = None
    if uv is not None and uv_corners is not None:
        require_indices(uv_corners, len(uv), f"{name}: uv of the faces")
    quads = None
    if len(counts) == 0:
        faces = np.empty((0, 3), np.int64)
        uv_faces = None if uv is None else faces
    elif counts.min() == counts.max() == 4:
        quads = corners.reshape(-1, 4)
        faces = split_quads(quads, len(vertices))
        uv_faces = None
        if uv_corners is not None:
            uv_faces = _split_along(quads, faces, uv_corners.reshape(-1, 4))
    elif counts.min() == counts.max() == 3:
        faces = corners.reshape(-1, 3)
        uv_faces = None if uv_corners is None else uv_corners.reshape(-1, 3)
    else:
        places = _triangulate(vertices, counts, corners)
        faces = corners[places]
        uv_faces = None if uv_corners is None else uv_corners[places]
        log.info(
            "%s: %d polygons of 3 to %d corners became %d triangles (quads along the shorter "
            "diagonal, larger ones as fans).",
            *(name, len(counts), counts.max(), len(faces)),
        )
    return Mesh(
        vertices=vertices,
        faces=faces,
        quads=quads,
        uv=uv,
        uv_faces=uv_faces,
        colors=colors,
        texture=texture,
        unit=unit,  # type: ignore[arg-type]  # None: nobody said one
        name=name,
        painted=None if painted is None else np.repeat(painted, counts - 2),
    )


def require_polygons(counts: IndexArray, name: str) -> None:
    """Raise `FileFormatError` when one of (P,) polygons has fewer than three corners."""
    if len(counts) and counts.min() < 3:
        bad = int(np.argmin(counts))
        raise FileFormatError(
            f"{name}: expected at least 3 corners in each face, face {bad} has {counts[bad]}. The "
            "file may be truncated: export it again."
        )


def _known(vertices: FloatArray, corners: IndexArray, name: str) -> FloatArray:
    """Put vertices of NaN that no face uses onto one that a face uses: the others keep numbers."""
    used = np.zeros(len(vertices), dtype=bool)
    used[corners] = True
    lost = ~used & ~np.isfinite(vertices).all(axis=1)
    if not lost.any() or not len(corners):
        return vertices
    log.warning(
        "%s: %d vertices that no face uses hold NaN or infinity; put onto vertex %d.",
        *(name, lost.sum(), corners[0]),
    )
    return np.where(lost[:, None], vertices[corners[0]], vertices)


def _triangulate(vertices: FloatArray, counts: IndexArray, corners: IndexArray) -> IndexArray:
    """Return (F, 3) positions in `corners`, polygon by polygon."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    firsts = np.concatenate([[0], np.cumsum(counts - 2)[:-1]])
    places = np.empty((int((counts - 2).sum()), 3), np.int64)
    for count in np.unique(counts):
        rows = np.flatnonzero(counts == count)
        steps = np.arange(1, count - 1)
        fan = np.stack([np.zeros_like(steps), steps, steps + 1], axis=1)
        block = starts[rows, None, None] + fan
        if count == 4:
            a, b, c, d = vertices[corners[starts[rows, None] + np.arange(4)]].transpose(1, 0, 2)
            with np.errstate(invalid="ignore", over="ignore"):  # Mesh refuses bad vertices later
                other = ((b - d) ** 2).sum(axis=1) < ((a - c) ** 2).sum(axis=1)
            block[other] = starts[rows[other], None, None] + np.array([[0, 1, 3], [1, 2, 3]])
        places[firsts[rows, None] + steps - 1] = block
    return places


def _along_first(quads: IndexArray, faces: IndexArray) -> tuple[np.ndarray, np.ndarray]:
    """Say for each quad abcd whether faces 2 i, 2 i + 1 are abc, acd (or else abd, bcd)."""
    halves = faces.reshape(-1, 6)
    first = (halves == quads[:, [0, 1, 2, 0, 2, 3]]).all(axis=1)
    second = (halves == quads[:, [0, 1, 3, 1, 2, 3]]).all(axis=1)
    return first, second


def _split_along(quads: IndexArray, faces: IndexArray, uv_quads: IndexArray) -> IndexArray:
    """Split the uv quads along the diagonals that the quads were split along."""
    first, _ = _along_first(quads, faces)
    halves = np.where(
        first[:, None], uv_quads[:, [0, 1, 2, 0, 2, 3]], uv_quads[:, [0, 1, 3, 1, 2, 3]]
    )
    return halves.reshape(-1, 3)


def polygons_of(mesh: Mesh) -> tuple[IndexArray, IndexArray | None]:
    """Return what to write: (P, 4) quads or (P, 3) triangles, and the uv index of each corner.

    Quads are returned when they hold the whole surface; otherwise the triangles, with a log line.

    Raises
    ------
    MeshError : a uv seam runs along the diagonal of a quad, which no quad file can hold
    """
    quads = mesh.quads
    if quads is not None:
        whole = 2 * len(quads) == len(mesh.faces)
        first, second = _along_first(quads, mesh.faces) if whole else (np.zeros(1, bool),) * 2
        if not (first | second).all():
            log.warning("%s: its quads are not its whole surface; triangles are kept.", mesh.name)
            quads = None
    if quads is None:
        return mesh.faces, mesh.uv_faces
    if mesh.uv_faces is None:
        return quads, None
    halves = mesh.uv_faces.reshape(-1, 6)
    uv_quads = np.where(first[:, None], halves[:, [0, 1, 2, 5]], halves[:, [0, 1, 4, 2]])
    if not np.array_equal(_split_along(quads, mesh.faces, uv_quads), mesh.uv_faces):
        raise MeshError(
            f"{mesh.name}: expected one uv at each corner of a quad, but a seam runs along a "
            "diagonal. Move the seam to the quads' edges, or leave out the quads with "
            "mesh.replace(quads=None)."
        )
    return quads, uv_quads


def as_colors(values: np.ndarray, name: str) -> ImageArray:
    """Return (V, 3) colours in [0, 1] as float32; numbers above 1 mean the range 0..255.

    Raises
    ------
    FileFormatError : NaN, infinite, negative or above 255
    """
    if values.dtype == np.uint8:
        return (values[:, :3].astype(np.float64) / 255.0).astype(np.float32)
    values = values[:, :3].astype(np.float64)
    top = values.max(initial=0.0)
    if not (np.isfinite(values).all() and values.min(initial=0.0) >= 0.0 and top <= 255.0):
        raise FileFormatError(
            f"{name}: expected vertex colours in 0..1 or 0..255, found values outside or NaN. "
            "Export the colours again, or leave them out."
        )
    # A colour a rounding error above 1 is still of the range 0..1.
    return np.minimum(values if top <= 1.001 else values / 255.0, 1.0).astype(np.float32)


def colors_as_bytes(colors: ImageArray) -> np.ndarray:
    """Return colours as uint8, rounded half up; NaN becomes 0."""
    scaled = np.floor(np.nan_to_num(colors.astype(np.float64)) * 255.0 + 0.5)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def first_unique(*columns: np.ndarray) -> tuple[IndexArray, IndexArray]:
    """Number equal rows in the order in which they first appear.

    Parameters
    ----------
    columns : arrays (N,), the columns of the rows; compared by value

    Returns
    -------
    firsts : (M,) the row where each distinct value first appears, ascending
    numbers : (N,) which of them each row is
    """
    count = len(columns[0])
    order = np.lexsort(columns)  # stable: equal rows stay in file order
    fresh = np.ones(count, bool)
    fresh[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)
    group = np.cumsum(fresh) - 1
    firsts = order[fresh]
    rank = np.empty(len(firsts), np.int64)
    by_first = np.argsort(firsts)
    rank[by_first] = np.arange(len(firsts))
    numbers = np.empty(count, np.int64)
    numbers[order] = rank[group]
    return firsts[by_first], numbers


def index_corner_uv(
    corners: IndexArray, values: FloatArray, vertex_count: int
) -> tuple[FloatArray, IndexArray]:
    """Give an index to uv that a file repeats at every corner.

    Corners at one vertex with equal uv share an index. Without seams the uv are those of the
    vertices, in their order (a vertex of no face gets 0, 0).

    Parameters
    ----------
    corners : (N,) vertex of each corner, all within 0 .. vertex_count - 1
    values : (N, 2) uv of each corner

    Returns
    -------
    uv (T, 2), uv_corners (N,)
    """
    table = np.zeros((vertex_count, 2))
    table[corners] = values
    if np.array_equal(table[corners], values):
        return table, corners
    firsts, numbers = first_unique(values[:, 1], values[:, 0], corners)
    return values[firsts], numbers
