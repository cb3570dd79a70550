"""Loading what was saved: count, order and every value, for every format."""

import itertools

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import (
    CORNER_COLORS,
    FORMATS,
    LOSSLESS,
    assert_same_mesh,
    corner_mesh,
    random_mesh,
)

from geomface.errors import FileFormatError, MeshError, OutputError
from geomface.mesh.io import load_mesh, save_mesh

options = st.fixed_dictionaries(
    {
        "quads": st.booleans(),
        "uv": st.sampled_from(["none", "vertex", "seams"]),
        "colors": st.booleans(),
        "texture": st.booleans(),
        "unit": st.sampled_from(["mm", "cm", "m", "inch"]),
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("meshes")


@pytest.mark.parametrize("suffix", LOSSLESS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), how=options, precise=st.booleans())
def test_lossless_formats_return_every_bit(folder, suffix, seed, how, precise):
    mesh = random_mesh(seed, **how, exact_colors=not precise)
    path = folder / f"mesh{suffix}"
    save_mesh(path, mesh, precise=precise)
    again = load_mesh(path)
    expected = mesh if mesh.uv is not None else mesh.replace(texture=None)
    assert_same_mesh(again, expected)
    assert again.topology_id == mesh.topology_id
    assert again.name == path.name
    # Once more: what was loaded is saved to the same bytes.
    first = path.read_bytes()
    save_mesh(path, again, precise=precise)
    assert path.read_bytes() == first


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), how=options, precise=st.booleans())
def test_off_keeps_all_but_uv(folder, seed, how, precise):
    mesh = random_mesh(seed, **how, exact_colors=not precise)
    save_mesh(folder / "mesh.off", mesh, precise=precise)
    again = load_mesh(folder / "mesh.off")
    assert_same_mesh(again, mesh.replace(uv=None, uv_faces=None, texture=None))
    assert again.topology_id == mesh.topology_id


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), how=options)
def test_stl_keeps_triangles_in_order(folder, seed, how):
    mesh = random_mesh(seed, **how)
    save_mesh(folder / "mesh.stl", mesh)
    again = load_mesh(folder / "mesh.stl")
    corners = mesh.vertices.astype(np.float32)[mesh.faces]
    np.testing.assert_array_equal(again.vertices[again.faces], corners)
    assert again.unit == mesh.unit
    assert len(np.unique(again.vertices, axis=0)) == len(again.vertices)
    # First appearance: each new vertex number is one more than the largest before it.
    order = again.faces.ravel()
    highest = np.maximum.accumulate(order)
    assert order[0] == 0 and (np.diff(highest) <= 1).all()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("quads,uv", list(itertools.product((False, True), ("none", "seams"))))
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_trimesh_reads_the_same_triangles(folder, suffix, quads, uv, seed):
    mesh = random_mesh(seed, quads=quads, uv=uv, colors=uv == "none")
    path = folder / f"theirs{suffix}"
    save_mesh(path, mesh)
    theirs = read_with_trimesh(path)
    corners = np.asarray(theirs.vertices)[theirs.faces]
    expected = mesh.vertices[mesh.faces]
    if suffix in (".stl", ".glb"):
        expected = expected.astype(np.float32)
    if quads and suffix not in (".stl", ".glb"):
        # Their diagonal may be the other one: compare the corners of the two halves together.
        pairs = expected.reshape(len(mesh.quads), 6, 3)
        wanted = [np.unique(pair, axis=0) for pair in pairs]
        layouts = [pairs_of_halves(corners, mesh.quads, by_turns) for by_turns in (True, False)]
        assert any(
            all(np.array_equal(ours, others) for ours, others in zip(wanted, layout, strict=True))
            for layout in layouts
        )
    else:
        np.testing.assert_array_equal(corners, expected)
    # trimesh drops unused vertices of an OBJ, and colours of an OFF.
    if uv == "none" and suffix in (".ply", ".glb", ".off"):
        assert len(theirs.vertices) == len(mesh.vertices)
    if uv == "none" and suffix == ".ply":
        np.testing.assert_array_equal(
            theirs.visual.vertex_colors[:, :3], np.round(mesh.colors * 255)
        )


def read_with_trimesh(path):
    loaded = trimesh.load(path, process=False)
    if isinstance(loaded, trimesh.Scene):
        (loaded,) = loaded.geometry.values()  # without the scale of the node
    return loaded


def pairs_of_halves(corners, quads, by_turns):
    """Return the corner set of each quad from their triangles, (6, 3) rows made unique.

    They list the two halves of a quad by turns, or all first halves and then all second ones.
    Overlapping random quads do not tell which, so the caller tries both.
    """
    count = len(quads)
    first, second = (
        (corners[::2], corners[1::2]) if by_turns else (corners[:count], corners[count:])
    )
    both = np.concatenate([first, second], axis=1)
    return [np.unique(quad, axis=0) for quad in both]


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_textures_are_not_flipped(tmp_path, suffix):
    save_mesh(tmp_path / f"square{suffix}", corner_mesh())
    again = load_mesh(tmp_path / f"square{suffix}")
    assert_same_mesh(again, corner_mesh())
    theirs = read_with_trimesh(tmp_path / f"square{suffix}")
    material = theirs.visual.material
    image = material.baseColorTexture if suffix == ".glb" else material.image
    image = np.asarray(image.convert("RGB"))
    vertices, uv = np.asarray(theirs.vertices), np.asarray(theirs.visual.uv)
    np.testing.assert_allclose(uv, vertices[:, :2], atol=1e-7)  # uv is x, y by construction
    height, width = image.shape[:2]
    for (u, v), color in CORNER_COLORS.items():
        seen = image[int((1 - v) * height), int(u * width)] / 255.0
        np.testing.assert_array_equal(seen, color)
        ours = again.texture[int((1 - v) * height), int(u * width)]
        np.testing.assert_array_equal(ours, color)


@pytest.mark.parametrize("suffix", (".obj", ".ply", ".glb"))
def test_textures_written_by_trimesh_are_not_flipped(tmp_path, suffix):
    from PIL import Image

    square = corner_mesh()
    image = Image.fromarray((square.texture * 255).astype(np.uint8))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
    if suffix != ".glb":
        material = trimesh.visual.material.SimpleMaterial(image=image)
    visual = trimesh.visual.TextureVisuals(uv=square.uv, material=material)
    theirs = trimesh.Trimesh(square.vertices, square.faces, visual=visual, process=False)
    theirs.export(tmp_path / f"square{suffix}")
    again = load_mesh(tmp_path / f"square{suffix}")
    np.testing.assert_array_equal(again.vertices, square.vertices)
    np.testing.assert_array_equal(again.faces, square.faces)
    np.testing.assert_allclose(again.uv[again.uv_faces], square.uv[square.uv_faces], atol=1e-6)
    if suffix != ".ply":  # trimesh writes no texture beside a PLY
        np.testing.assert_array_equal(again.texture, square.texture)


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), colors=st.booleans())
def test_reads_what_trimesh_writes(folder, suffix, seed, colors):
    mesh = random_mesh(seed, colors=colors)
    theirs = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    if colors:
        theirs.visual.vertex_colors = np.round(mesh.colors * 255).astype(np.uint8)
    path = folder / f"trimesh{suffix}"
    more = {"digits": 17} if suffix in (".obj", ".off") else {}
    theirs.export(path, **more)
    again = load_mesh(path)
    if suffix == ".stl":
        expected = mesh.vertices.astype(np.float32)[mesh.faces]
        np.testing.assert_array_equal(again.vertices[again.faces], expected)
        return
    np.testing.assert_array_equal(again.faces, mesh.faces)
    np.testing.assert_allclose(again.vertices, mesh.vertices, rtol=1e-6, atol=1e-8)
    if colors and suffix != ".off":
        np.testing.assert_allclose(again.colors, mesh.colors, atol=1e-6)


def test_a_loaded_mesh_moves_between_all_lossless_formats(tmp_path):
    mesh = random_mesh(3, quads=True, uv="seams", colors=True, texture=True, unit="cm")
    for first, second in itertools.permutations(LOSSLESS, 2):
        save_mesh(tmp_path / f"a{first}", mesh)
        save_mesh(tmp_path / f"b{second}", load_mesh(tmp_path / f"a{first}"))
        assert_same_mesh(load_mesh(tmp_path / f"b{second}"), mesh)


def test_unit_asked_for_wins_and_scales_nothing(tmp_path):
    mesh = random_mesh(1, unit="cm")
    for suffix in FORMATS:
        save_mesh(tmp_path / f"m{suffix}", mesh)
        again = load_mesh(tmp_path / f"m{suffix}", unit="inch")
        assert again.unit == "inch"
        assert np.isin(
            again.vertices, np.concatenate([mesh.vertices, mesh.vertices.astype("f4")])
        ).all()


def test_colors_are_rounded_half_up_to_bytes(tmp_path):
    mesh = random_mesh(2, colors=True, exact_colors=False)
    for suffix in (".ply", ".off"):
        save_mesh(tmp_path / f"m{suffix}", mesh)
        levels = load_mesh(tmp_path / f"m{suffix}").colors * 255.0
        expected = np.floor(mesh.colors.astype(np.float64) * 255 + 0.5)
        np.testing.assert_allclose(levels, expected, atol=1e-4)


def test_texture_false_leaves_the_image_out(tmp_path):
    for suffix in LOSSLESS:
        save_mesh(tmp_path / f"m{suffix}", corner_mesh())
        again = load_mesh(tmp_path / f"m{suffix}", texture=False)
        assert again.texture is None and again.uv is not None


def test_a_seam_along_a_diagonal_is_refused_before_writing(tmp_path):
    mesh = random_mesh(5, quads=True, uv="seams")
    torn = mesh.uv_faces.copy()
    torn[0] = (torn[0] + 1) % len(mesh.uv)
    torn = mesh.replace(uv_faces=torn, uv=np.random.default_rng(0).random((len(mesh.uv), 2)))
    for suffix in LOSSLESS:
        with pytest.raises(MeshError, match=r"seam.*diagonal"):
            save_mesh(tmp_path / f"m{suffix}", torn)
    assert not list(tmp_path.iterdir())
    save_mesh(tmp_path / "m.obj", torn.replace(quads=None))


def test_unknown_suffix_and_unit(tmp_path):
    with pytest.raises(FileFormatError, match=r"expected a mesh named .obj.*or .off"):
        load_mesh(tmp_path / "face.fbx")
    with pytest.raises(OutputError, match="ending in"):
        save_mesh(tmp_path / "face", random_mesh(0))
    save_mesh(tmp_path / "m.PLY", random_mesh(0))
    with pytest.raises(FileFormatError, match="unit must be one of"):
        load_mesh(tmp_path / "m.PLY", unit="feet")
