"""Readers of meshes, landmarks, templates and pictures, with good files of each."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_reader import TESTS, Reader, one_file
from PIL import Image

from geomface.files import load_image, save_image
from geomface.mesh.io import (
    load_embedding,
    load_landmarks,
    load_mesh,
    load_regions,
    load_template,
    save_mesh,
    save_template,
)
from geomface.mesh.io.glb_morphs import read_morph_glb, write_morph_glb
from geomface.mesh.io.glb_scene import open_container, write_container
from geomface.mesh.io.landmark_files import save_landmarks
from geomface.mesh.io.pixel_landmarks import (
    PixelLandmarks,
    load_pixel_landmarks,
    save_pixel_landmarks,
)
from geomface.mesh.io.texture_files import load_texture_of, save_texture
from geomface.mesh.landmarks import LandmarkEmbedding, Landmarks
from geomface.mesh.mesh import Mesh
from geomface.mesh.template import Template

sys.path += [str(TESTS / "mesh")]

from io_samples import corner_mesh  # noqa: E402

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
_TEXTS = {
    "text.ply": _ASCII_PLY,
    "strips.ply": _STRIPS,
    "text.stl": _ASCII_STL,
    "theirs.obj": _THEIR_OBJ,
    "wrapped.off": _WRAPPED_OFF,
}
_ROWS = "".join(f"{k} {2 * k}.5 -{k}e1\n" for k in range(8))
_LANDMARK_TEXTS = {
    "ibug.pts": f"version: 1\nn_points: 8\n{{\n{_ROWS}}}\n",
    "idav.pts": "version: 1\nn_points: 3\n{\nS000 1.5 2 3\nS001 4 5 -6\nS002 7 8 9.25\n}\n",
    "slicer.fcsv": "# coords = LPS\n# columns = id,x,y,z\na,1.5,2,3,0\nb,4,5,-6,0\nc,7,8,9.25,0\n",
    "slicer.mrk.json": json.dumps(
        {
            "markups": [
                {
                    "coordinateSystem": "LPS",
                    "coordinateUnits": "mm",
                    "controlPoints": [
                        {"label": f"p-{k}", "position": [1.0, 2, k], "positionStatus": "defined"}
                        for k in range(3)
                    ],
                }
            ]
        }
    ),
    "scalismo.json": json.dumps(
        [{"id": str(k), "coordinates": [1.0, 2.0, float(k)]} for k in range(3)]
    ),
    "named.csv": "name,x,y,z\n" + "".join(f"{k},{k},1,2\n" for k in range(4)),
}


def _square(path: Path, *, grey: bool = False, **options: Any) -> None:
    pixels = (np.random.default_rng(0).random((9, 7, 3)) * 255).astype(np.uint8)
    Image.fromarray(pixels[..., 0] if grey else pixels).save(path, **options)


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _square(path, exif=exif)


def _palette(path: Path) -> None:
    pixels = (np.random.default_rng(0).random((9, 7, 3)) * 255).astype(np.uint8)
    Image.fromarray(pixels).quantize(8).save(path, transparency=0)


def _tiff(path: Path, values: np.ndarray, compression: str | None = None) -> None:
    Image.fromarray(values).save(path, compression=compression)


def _moving(path: Path) -> None:
    frames = [Image.new("RGB", (9, 7), (k, 0, 9)) for k in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def _deep(path: Path) -> None:
    save_image(path, np.random.default_rng(0).random((9, 7, 3)), 16)


def _floats() -> np.ndarray:
    return np.random.default_rng(0).random((9, 7)).astype(np.float32)


_PICTURES: dict[str, Callable[[Path], None]] = {
    "picture.png": _square,
    "grey.png": lambda path: _square(path, grey=True),
    "palette.png": _palette,
    "deep.png": _deep,
    "picture.jpg": _square,
    "turned.jpg": _turned,
    "progressive.jpg": lambda path: _square(path, progressive=True),
    "picture.webp": _square,
    "exact.webp": lambda path: _square(path, lossless=True),
    "picture.bmp": _square,
    "picture.gif": _moving,
    "picture.tga": lambda path: _square(path, compression="tga_rle"),
    "picture.tiff": _square,
    "packed.tif": lambda path: _square(path, compression="tiff_lzw"),
    "floats.tif": lambda path: _tiff(path, _floats()),
    "levels.tif": lambda path: _tiff(path, (65535 * _floats()).astype(np.uint16), "tiff_deflate"),
}


def _named_mtl(folder: Path) -> None:
    save_mesh(folder / "mesh.obj", corner_mesh())


def _their_glb(path: Path) -> None:
    """Make a GLB one of another program, of which everything is read."""
    save_mesh(path, corner_mesh())
    container = open_container(path, path.name)
    write_container(path, container.tree | {"extras": {}}, container.binary)


def _morphs(path: Path) -> None:
    mesh = corner_mesh()
    write_morph_glb(path, mesh, {"open": np.ones(mesh.vertices.shape)}, record={"a": 1})


def _uv_mesh() -> Mesh:
    mesh = corner_mesh()
    assert mesh.uv is not None
    return mesh


def _texture(folder: Path) -> None:
    from geomface.mesh.io.texture_files import uv_fingerprint

    save_texture(folder / "texture.png", np.full((8, 8, 3), 0.5), uv_fingerprint(_uv_mesh()))


def _template(folder: Path) -> None:
    mesh = corner_mesh()
    marks = LandmarkEmbedding.on_vertices(np.array([0, 1]), scheme="two")
    save_template(folder / "face.obj", Template(mesh, marks, {"middle": np.array([1, 2])}))


def _points() -> Landmarks:
    points = np.random.default_rng(0).random((8, 3)) * 100
    points[3] = np.nan
    return Landmarks(points, "points-8")


def _pixels(path: Path) -> None:
    points = np.random.default_rng(0).random((68, 2)) * 100
    kept = PixelLandmarks(points, image_size=(100, 100), confidence=np.linspace(0, 1, 68))
    if path.suffix == ".json":
        save_pixel_landmarks(path, kept, [kept])
        return
    rows = "\n".join(f"{x} {y}" for x, y in points)
    path.write_text(landmark_rows(points) if path.suffix == ".pts" else rows)


def landmark_rows(points: np.ndarray) -> str:
    """Return the text of a .pts file."""
    rows = "\n".join(f"{x} {y}" for x, y in points)
    return f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n"


def _text(text: str) -> Callable[[Path], Any]:
    return lambda path: path.write_text(text)


def mesh_readers() -> list[Reader]:
    """Return the readers of meshes and what belongs to them."""
    found = [
        one_file(f"mesh{suffix}", lambda path: save_mesh(path, corner_mesh()), load_mesh)
        for suffix in (".ply", ".glb", ".stl", ".off")
    ]
    found += [one_file(name, _text(text), load_mesh) for name, text in _TEXTS.items()]
    found += [
        one_file("theirs.glb", _their_glb, load_mesh),
        one_file("morphs.glb", _morphs, read_morph_glb),
        Reader("mesh.obj", _named_mtl, lambda folder: load_mesh(folder / "mesh.obj")),
        Reader(
            "texture_of_mesh",
            _texture,
            lambda folder: load_texture_of(folder / "texture.png", _uv_mesh()),
        ),
        Reader("template", _template, lambda folder: load_template(folder / "face.obj")),
        one_file(
            "vertices.json",
            _text('{"scheme": "a", "vertices": [1, 2, [0, 0.5, 0.25, 0.25]]}'),
            lambda path: load_embedding(path, corner_mesh()),
        ),
        one_file("regions.json", _text('{"nose": [1, 2, 3]}'), load_regions),
    ]
    return found


def landmark_readers() -> list[Reader]:
    """Return the readers of landmarks in all layouts."""
    found = [
        one_file(f"points{suffix}", lambda path: save_landmarks(path, _points()), load_landmarks)
        for suffix in (".json", ".pts", ".txt", ".csv", ".pp", ".ljson")
    ]
    found += [one_file(name, _text(text), load_landmarks) for name, text in _LANDMARK_TEXTS.items()]
    return found + [
        one_file(f"pixels{suffix}", _pixels, load_pixel_landmarks)
        for suffix in (".json", ".pts", ".txt")
    ]


def picture_readers() -> list[Reader]:
    """Return the readers of pictures."""
    return [one_file(name, write, load_image) for name, write in _PICTURES.items()]
