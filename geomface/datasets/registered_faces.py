"""The registered meshes and baked textures of a run, as pairs: what a person's two images are."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.datasets import layout
from geomface.errors import FileFormatError, MeshError
from geomface.files import load_image
from geomface.files.reading import taking_apart
from geomface.files.records import read_json
from geomface.mesh import Mesh, Template, require_same_topology
from geomface.mesh.io import load_mesh, load_template
from geomface.mesh.io.texture_files import load_texture_of


@dataclasses.dataclass(frozen=True, eq=False)
class RegisteredFaces:
    """Pairs of geometry and texture.

    Parameters
    ----------
    names : of the items, sorted
    template : with uv, and landmarks where the run had them; all faces share its triangles
    vertices : (N, V, 3) float64, mm, each in the frame of its scan
    textures : (N, H, W, 3) float32 in [0, 1]
    masks : (N, H, W) bool, True where the scan shows the texel
    """

    names: tuple[str, ...]
    template: Template
    vertices: FloatArray
    textures: ImageArray
    masks: BoolArray

    def __len__(self) -> int:
        return len(self.names)


def load_registered_meshes(
    paths: Sequence[Path], *, on_progress: Callable[[int, int, str], None] | None = None
) -> list[Mesh]:
    """Read mesh files that share one topology, with their colours and textures.

    Parameters
    ----------
    paths : any files that `load_mesh` reads
    on_progress : called with (read, in all, name of the file)

    Raises
    ------
    FileFormatError : a file that cannot be read
    MeshError : one of another topology than the first
    """
    meshes: list[Mesh] = []
    for index, path in enumerate(paths):
        mesh = load_mesh(path)
        if meshes:
            require_same_topology(meshes[0], mesh)
        meshes.append(mesh)
        if on_progress is not None:
            on_progress(index + 1, len(paths), path.name)
    return meshes


def unit_factor(report: Path) -> float:
    """Return the millimetres in one unit of an item's scan, as its report says.

    Raises
    ------
    FileFormatError : no report, or none that says so
    """
    expected = "the report of an item"
    record = read_json(report, expected)
    with taking_apart(report, expected):
        factor = float(record["unit_factor"])
        if not 0 < factor < np.inf:
            raise ValueError(f"unit_factor {factor}")
    return factor


def registered_mm(item: Path, template: Mesh) -> FloatArray:
    """Return the (V, 3) registered vertices of an item's folder in millimetres.

    Raises
    ------
    FileFormatError : no such item
    MeshError : another number of vertices than the template has
    """
    factor = unit_factor(item / layout.ITEM_REPORT)
    vertices = load_mesh(item / layout.REGISTERED, texture=False).vertices
    if vertices.shape != template.vertices.shape:
        raise MeshError(
            f"{item / layout.REGISTERED}: expected {len(template.vertices)} vertices as the "
            f"template, got {len(vertices)}. One set needs one template."
        )
    return factor * vertices


def baked_texture(item: Path, template: Mesh) -> tuple[ImageArray, BoolArray]:
    """Return an item's texture (H, W, 3) and mask (H, W).

    Raises
    ------
    FileFormatError : a mask of another size than the texture
    MeshError : a texture made for other uv than the template's
    """
    texture = load_texture_of(item / layout.TEXTURE, template)
    mask = load_image(item / layout.MASK)[..., 0] > 0.5
    if mask.shape != texture.shape[:2]:
        raise FileFormatError(
            f"{item / layout.MASK}: expected a mask of {texture.shape[1]} x {texture.shape[0]} "
            f"pixels as its texture, got {mask.shape[1]} x {mask.shape[0]}. Bake it again."
        )
    return texture, mask


def load_registered_faces(
    out: Path | str, *, on_progress: Callable[[int, int], None] | None = None
) -> RegisteredFaces:
    """Read every item of a run's folder that has both a mesh and a texture.

    Parameters
    ----------
    out : the output of `geomface pipeline run` or `geomface synth textures`
    on_progress : called with (read, in all)

    Raises
    ------
    FileFormatError : no run, or fewer than four pairs in it
    MeshError : an item of another topology, uv or texture size
    """
    root = Path(out)
    items = [
        path.parent
        for path in sorted((root / layout.ITEMS).glob(f"*/{layout.TEXTURE}"))
        if path.with_name(layout.REGISTERED).is_file()
    ]
    if not (root / layout.TEMPLATE_MESH).is_file() or len(items) < 4:
        raise FileFormatError(
            f"{root}: expected the output of a pipeline with at least 4 textured items, got "
            f"{len(items)}. Run 'geomface pipeline run' on scans with colours first."
        )
    template = load_run_template(root)
    vertices, textures, masks = [], [], []
    for index, item in enumerate(items):
        texture, mask = baked_texture(item, template.mesh)
        if textures and texture.shape != textures[0].shape:
            raise MeshError(
                f"{item}: expected a texture of the first item's size, got {texture.shape[1]} x "
                f"{texture.shape[0]} pixels. One set needs one size."
            )
        vertices.append(registered_mm(item, template.mesh))
        textures.append(texture)
        masks.append(mask)
        if on_progress is not None:
            on_progress(index + 1, len(items))
    return RegisteredFaces(
        tuple(item.name for item in items),
        template,
        np.stack(vertices),
        np.stack(textures),
        np.stack(masks),
    )


def load_run_template(out: Path) -> Template:
    """Return the unwrapped template of a run's folder."""
    return load_template(out / layout.TEMPLATE_MESH)
