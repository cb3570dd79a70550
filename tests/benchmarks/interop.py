"""Which programs open our files, and what they find in them: a table tool x file.

    python tests/benchmarks/interop.py [--tools trimesh meshio ...] [--json table.json]

Writes a textured face (the built-in one, unwrapped) and a sample of it as OBJ, PLY and GLB, and a
morphable model as GLB, into a temporary folder, and opens each with every tool that is installed.
Columns: vertices and their order as written (largest distance of the same vertex, in millimetres),
uv and texture found, the tool's unit against millimetres, the axis from chin to brow. A tool
without a loader for a format says so; one that is not installed is left out with a line.
"""

import argparse
import dataclasses
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import geomface as gf
from geomface.model_files.gltf import write_gltf

NO_LOADER = "no loader"


@dataclasses.dataclass(frozen=True)
class Found:
    """What a tool found: (V, 3) vertices in world space, uv of them if it has any, a texture."""

    vertices: np.ndarray
    uv: bool
    texture: bool


def with_trimesh(path: Path) -> Found:
    """Open with trimesh, nothing merged."""
    import trimesh

    scene = trimesh.load_scene(path, process=False, maintain_order=True)
    (name,) = scene.geometry
    visual = scene.geometry[name].visual
    placed = scene.to_mesh() if path.suffix == ".glb" else scene.geometry[name]
    material = getattr(visual, "material", None)
    pictures = (getattr(material, label, None) for label in ("image", "baseColorTexture"))
    seen = any(picture is not None for picture in pictures)
    return Found(np.asarray(placed.vertices), getattr(visual, "uv", None) is not None, seen)


def with_pymeshlab(path: Path) -> Found:
    """Open with MeshLab; its layer's matrix is the node's."""
    import pymeshlab

    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    mesh = meshes.current_mesh()
    uv = mesh.has_vertex_tex_coord() or mesh.has_wedge_tex_coord()
    return Found(mesh.transformed_vertex_matrix(), uv, mesh.texture_number() > 0)


def with_open3d(path: Path) -> Found:
    """Open with Open3D's model reader, which keeps uv and pictures."""
    import open3d

    mesh = open3d.io.read_triangle_mesh(str(path))
    texture = any(not np.asarray(picture).size == 0 for picture in mesh.textures)
    return Found(np.asarray(mesh.vertices), mesh.has_triangle_uvs(), texture)


def with_meshio(path: Path) -> Found:
    """Open with meshio, which knows uv as data of points and no pictures."""
    import meshio

    if path.suffix == ".glb":
        raise NotImplementedError
    mesh = meshio.read(path)
    return Found(mesh.points, "obj:vt" in mesh.point_data or "s" in mesh.point_data, False)


def with_pyvista(path: Path) -> Found:
    """Open with PyVista; a texture is another file to it, but for GLB."""
    import pyvista

    mesh = pyvista.read(path)
    mesh = mesh.combine() if isinstance(mesh, pyvista.MultiBlock) else mesh
    uv = mesh.active_texture_coordinates is not None or "TEXCOORD_0" in mesh.point_data
    return Found(np.asarray(mesh.points), uv or "textured" in mesh.point_data, False)


def with_bpy(path: Path) -> Found:
    """Open with Blender; its own turn of y up to z up is undone."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)
    elif path.suffix == ".obj":
        bpy.ops.wm.obj_import(filepath=str(path), forward_axis="NEGATIVE_Z", up_axis="Y")
    else:
        bpy.ops.wm.ply_import(filepath=str(path), forward_axis="NEGATIVE_Z", up_axis="Y")
    item = next(item for item in bpy.data.objects if item.type == "MESH")
    bpy.context.view_layer.update()
    points = np.array([item.matrix_world @ vertex.co for vertex in item.data.vertices])
    texture = any(picture.size[0] for picture in bpy.data.images)
    return Found(points @ [[1, 0, 0], [0, 0, -1], [0, 1, 0]], bool(item.data.uv_layers), texture)


TOOLS: dict[str, Callable[[Path], Found]] = {
    "trimesh": with_trimesh,
    "pymeshlab": with_pymeshlab,
    "open3d": with_open3d,
    "meshio": with_meshio,
    "pyvista": with_pyvista,
    "bpy": with_bpy,
}


def write_files(folder: Path) -> dict[str, np.ndarray]:
    """Write the files and return {name: vertices in millimetres}."""
    face = gf.load_builtin_face()
    flat = gf.unwrap(face.template).mesh
    rows = np.linspace(0, 1, 64, dtype=np.float32)
    texture = np.stack(np.meshgrid(rows, rows), axis=2)
    texture = np.concatenate([texture, np.full((64, 64, 1), 0.4, np.float32)], axis=2)
    sample = face.sample(np.random.default_rng(0), sigma=0.8).vertices
    truth = {}
    for name, vertices in (("face", flat.vertices), ("sample", sample)):
        for suffix in (".obj", ".ply", ".glb"):
            mesh = flat.replace(vertices=vertices, texture=texture)
            gf.save_mesh(folder / f"{name}{suffix}", mesh)
            truth[f"{name}{suffix}"] = np.asarray(vertices)
    write_gltf(folder / "model.glb", face, shape_modes=5)
    truth["model.glb"] = face.instance(name="mean").vertices
    return truth


def look(tool: str, path: Path, truth: np.ndarray) -> dict[str, object]:
    """Open a file with a tool and compare."""
    try:
        found = TOOLS[tool](path)
    except NotImplementedError:
        return {"opens": NO_LOADER}
    except (Exception, SystemExit) as error:
        return {"opens": f"no: {type(error).__name__} {str(error).strip()[:80]}"}
    scale = 1000.0 if path.suffix == ".glb" else 1.0
    row: dict[str, object] = {"opens": "yes", "vertices": len(found.vertices)}
    if len(found.vertices) >= len(truth):
        away = found.vertices[: len(truth)] * scale - truth
        row["order_mm"] = float(np.linalg.norm(away, axis=1).max())
    size = np.ptp(found.vertices, axis=0).max() / np.ptp(truth, axis=0).max()
    up = "xyz"[int(np.ptp(found.vertices, axis=0).argmax())]
    row |= {"uv": found.uv, "texture": found.texture, "scale": float(size), "up": up}
    return row


def in_own_process(tool: str, path: Path, truth: np.ndarray) -> dict[str, object]:
    """As `look`, in a process of its own: a tool that crashes ends one row."""
    np.save(path.with_suffix(".truth.npy"), truth)
    words = [sys.executable, __file__, "--one", tool, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"opens"')]
    return json.loads(lines[-1]) if lines else {"opens": f"no: ended with {done.returncode}"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", nargs="*", default=list(TOOLS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        path = Path(options.one[1])
        print(json.dumps(look(options.one[0], path, np.load(path.with_suffix(".truth.npy")))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        truth = write_files(Path(folder))
        print("| tool | file | opens | vertices | order mm | uv | texture | scale | up |")
        print("|---|---|---|---|---|---|---|---|---|")
        for tool in options.tools:
            if importlib.util.find_spec(tool) is None:
                print(f"| {tool} | - | not installed | | | | | | |")
                continue
            for name, vertices in truth.items():
                row = in_own_process(tool, Path(folder) / name, vertices)
                rows.append({"tool": tool, "file": name} | row)
                keys = ("vertices", "order_mm", "uv", "texture", "scale", "up")
                cells = [row.get(key, "") for key in keys]
                shown = [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells]
                print(f"| {tool} | {name} | {row['opens']} | {' | '.join(shown)} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
