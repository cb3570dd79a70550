"""A good file of everything that is read, and how to spoil it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from geomface.files import load_image, load_tensors, read_header, read_json, save_tensors
from geomface.geometry_image.files import load_geometry_image, save_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.mesh.io import load_embedding, load_landmarks, load_mesh, load_regions, save_mesh
from geomface.mesh.io.landmark_files import save_landmarks
from geomface.mesh.landmarks import Landmarks
from geomface.model_files import load_model, save_model

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "mesh"), str(TESTS / "model_files")]

import foreign_model_files as foreign  # noqa: E402
from io_samples import corner_mesh  # noqa: E402
from model_file_samples import small_model  # noqa: E402

Sample = tuple[Path, Callable[[Path], Any]]
"""A file that is spoiled, and what reads it (or the file that names it)."""


def write_samples(folder: Path) -> dict[str, Sample]:
    """Write the samples, each into a folder of its own."""
    found: dict[str, Sample] = {}

    def place(name: str, read: Callable[[Path], Any]) -> Path:
        path = folder / name.replace(".", "_") / name
        path.parent.mkdir(parents=True)
        found[name] = (path, read)
        return path

    for suffix in (".obj", ".ply", ".glb", ".stl", ".off"):
        save_mesh(place(f"mesh{suffix}", load_mesh), corner_mesh())
    place("text.ply", load_mesh).write_text(_ASCII_PLY)
    place("strips.ply", load_mesh).write_text(_STRIPS)
    place("text.stl", load_mesh).write_text(_ASCII_STL)
    place("theirs.obj", load_mesh).write_text(_THEIR_OBJ)
    place("wrapped.off", load_mesh).write_text(_WRAPPED_OFF)
    path = place("theirs.glb", load_mesh)
    save_mesh(path, corner_mesh())
    _without_our_record(path)
    textured = place("named.mtl", lambda path: load_mesh(path.with_name("mesh.obj")))
    save_mesh(textured.with_name("mesh.obj"), corner_mesh())
    textured.with_name("mesh.mtl").rename(textured)
    _replace(textured.with_name("mesh.obj"), b"mtllib mesh.mtl", b"mtllib named.mtl")
    rng = np.random.default_rng(0)
    points = Landmarks(rng.random((8, 3)) * 100, "points-8")
    for suffix in (".json", ".pts", ".txt", ".csv", ".pp", ".ljson"):
        save_landmarks(place(f"points{suffix}", load_landmarks), points)
    model = small_model(rng)
    for suffix in (".safetensors", ".mat", ".npz", ".h5", ".glb"):
        save_model(place(f"model{suffix}", load_model), model)
    foreign.write_bfm2009(place("bfm.mat", load_model), rng)
    foreign.write_bfm2017(place("bfm.h5", load_model), rng)
    foreign.write_statismo(place("statismo.h5", load_model), rng)
    foreign.write_pickle(place("flame.pkl", load_model), foreign.flame_fields(rng))
    pixels = (rng.random((9, 7, 3)) * 255).astype(np.uint8)
    for suffix in (".png", ".jpg", ".webp", ".bmp", ".tga", ".tiff"):
        Image.fromarray(pixels).save(place(f"picture{suffix}", load_image))
    from geomface.files import save_image

    save_image(place("deep.png", load_image), pixels / 255, 16)
    place("vertices.json", lambda path: load_embedding(path, corner_mesh())).write_text(
        '{"scheme": "a", "vertices": [1, 2, [0, 0.5, 0.25, 0.25]]}'
    )
    place("regions.json", load_regions).write_text('{"nose": [1, 2, 3]}')
    place("record.json", read_json).write_text(json.dumps({"a": [1, {"b": None}], "c": 1e300}))
    tensors = place("tensors.safetensors", lambda path: load_tensors(path, kind="k", schema=1))
    save_tensors(tensors, {"a": np.arange(9.0)}, kind="k", schema=1)
    save_tensors(place("header.safetensors", read_header), {}, kind="k", schema=1)
    grid = GeometryImage(
        rng.random((8, 8, 3)).astype(np.float32), np.ones((8, 8), bool), "absolute", "abc", (0.0,)
    )
    save_geometry_image(place("image.safetensors", load_geometry_image), grid)
    return found


_SQUARE = "0 0 0 255 0 0\n1 0 0 0 255 0\n1 1 0 0 0 255\n0 1 0 9 9 9\n"
_PLY = "ply\nformat ascii 1.0\nelement vertex 4\n"
_PLY += "".join(f"property float {axis}\n" for axis in "xyz")
_PLY += "".join(f"property uchar {color}\n" for color in ("red", "green", "blue"))
_ASCII_PLY = _PLY + "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
_ASCII_PLY += _SQUARE + "3 0 1 2\n3 0 2 3\n"
_STRIPS = _PLY + "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
_STRIPS += _SQUARE + "7 0 1 2 -1 0 2 3\n"
_FACET = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\n"
_ASCII_STL = "solid a\n" + _FACET + "endfacet\nendsolid a\n"
_THEIR_OBJ = "# by hand\nv 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 1 1 0\nv 0 1 0 0 1 0\n#MRGB ffff0000\n"
_THEIR_OBJ += "vt 0 0\nvt 1 0\nvt 1 1\nusemtl a\nf 1/1 2/2 \\\n3/3 # first\nf -4/1  -2/2 -1/3 \n"
_WRAPPED_OFF = "COFF\n3 1 0\n0 0\n0 1 0 0\n1 0 0 1 0 0\n0 1 0 1 0 0\n3 0\n1 2\n"


def _replace(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


def _without_our_record(path: Path) -> None:
    """Make a GLB one of another program, of which everything is read."""
    from geomface.mesh.io.glb_scene import open_container, write_container

    container = open_container(path, path.name)
    write_container(path, container.tree | {"extras": {}}, container.binary)


_TOKENS = (
    *(b"nan", b"-1", b"9" * 25, b"0", b"1e400", b"\n", b"/", b"{", b"[", b'"', b"null", b"#", b" "),
    *(b"\xff" * 3, b"\0" * 4, b"../../../etc/passwd", b"/etc/passwd", b"\\", b"\x1b[31m", b"(" * 9),
    *((2**power - 1).to_bytes(8, "little") for power in (16, 31, 32, 62, 63, 64)),
    *((2**power - 1).to_bytes(4, "big") for power in (16, 31, 32)),
)


def spoiled(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with one to four changes: bytes, cuts, numbers and names, pieces of itself."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        # Headers are short and matter most.
        reach = min(len(content), int(rng.choice([40, 200, 1000, 10**9])))
        place = int(rng.integers(0, max(reach, 1)))
        token = _TOKENS[int(rng.integers(len(_TOKENS)))]
        change = int(rng.integers(7))
        if change == 0 and content:
            content[place] ^= 1 << int(rng.integers(8))
        elif change == 1 and content:
            content[place] = int(rng.integers(256))
        elif change == 2:
            del content[place : place + int(rng.integers(1, 20))]
        elif change == 3:
            content[place:place] = token
        elif change == 4:
            content[place : place + len(token)] = token
        elif change == 5:
            start = int(rng.integers(0, max(len(content), 1)))
            content[place:place] = content[start : start + int(rng.integers(1, 200))]
        elif rng.random() < 0.3:
            del content[int(rng.integers(0, max(len(content), 1))) :]
    return bytes(content)
