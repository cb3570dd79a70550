"""Encode, quantise, store, decode: what comes back, and what is refused."""

import json
import logging
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import (
    FileFormatError,
    MeshError,
    OutputError,
    SettingsError,
    TopologyMismatchError,
)
from geomface.geometry_image import (
    GeometryImage,
    GeometryImageDecoder,
    GeometryImageEncoder,
    ValueRange,
    alpha_for_noise,
    dequantize,
    load_geometry_image,
    quantize,
    read_bilinear,
    read_vertices,
    save_geometry_image,
    value_range,
)
from geomface.mesh import Mesh
from geomface.mesh.factor import SymmetricFactor
from geomface.mesh.laplacian import cotangent_laplacian
from geomface.mesh.similarity import Similarity

SIZE = 48


@pytest.fixture(scope="module")
def encoder(patch) -> GeometryImageEncoder:
    return GeometryImageEncoder(patch, SIZE)


@pytest.fixture(scope="module")
def decoder(patch) -> GeometryImageDecoder:
    return GeometryImageDecoder(patch, SIZE)


def rms(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum((found - truth) ** 2, axis=-1))))


def test_texels_are_surface_points_and_the_gutter_repeats_them(patch, encoder, bent):
    image = encoder.encode(bent)
    sampling = encoder.sampling
    assert image.pixels.dtype == np.float32 and image.bits == 32 and image.size == SIZE
    assert np.abs(image.values[sampling.mask] - sampling.matrix @ bent).max() < 1e-5
    gutter = image.values[~sampling.mask]
    assert (np.abs(gutter[:, None] - image.values[sampling.mask]).sum(-1).min(axis=1) == 0).all()
    moved = encoder.encode(bent, mode="displacement")
    difference = sampling.matrix @ (bent - patch.vertices)
    assert np.abs(moved.values[sampling.mask] - difference).max() < 1e-5


def test_stacks_equal_single_images(encoder, decoder, bent, patch):
    stack = np.stack([[bent, patch.vertices], [0.5 * bent, bent]])
    images = encoder.encode(stack)
    assert images.pixels.shape == (2, 2, SIZE, SIZE, 3)
    assert np.array_equal(images.pixels[0, 1], encoder.encode(patch.vertices).pixels)
    vertices = decoder.decode(images)
    assert vertices.shape == stack.shape
    assert np.abs(vertices[1, 1] - decoder.decode(encoder.encode(bent))).max() < 1e-9


@pytest.mark.parametrize("mode", ["absolute", "displacement"])
@pytest.mark.parametrize(("bits", "bound"), [(32, 0.05), (16, 0.05), (8, 0.3)])
def test_round_trips_stay_within_bounds(encoder, decoder, bent, mode, bits, bound):
    image = encoder.encode(bent, mode=mode, bits=bits)
    assert image.bits == bits
    assert rms(decoder.decode(image), bent) < bound


def test_vertices_without_a_texel_follow_their_neighbours(patch, bent):
    encoder, decoder = GeometryImageEncoder(patch, 14), GeometryImageDecoder(patch, 14)
    unseen = np.setdiff1d(np.arange(len(bent)), encoder.sampling.corners)
    assert len(unseen) > 0.1 * len(bent)
    found = decoder.decode(encoder.encode(bent, mode="displacement"))
    assert rms(found[unseen], bent[unseen]) < 0.5


def test_the_solve_beats_the_bilinear_read_out(patch, encoder, decoder, bent):
    image = encoder.encode(bent)
    plain = read_vertices(image, patch)
    assert rms(decoder.decode(image), bent) < 0.3 * rms(plain, bent)
    assert rms(plain, bent) < 1.5
    moved = encoder.encode(bent, mode="displacement")
    assert rms(read_vertices(moved, patch), bent) < 0.3


def test_normal_equations_hold(patch, encoder, bent, rng):
    """The gradient of the energy vanishes at the decoded shape."""
    alpha = 0.37
    weights = rng.uniform(0.2, 2.0, (SIZE, SIZE))
    decoder = GeometryImageDecoder(patch, SIZE, alpha=alpha, weights=weights)
    image = encoder.encode(bent)
    noisy = GeometryImage(
        pixels=image.pixels + rng.normal(0, 0.5, image.pixels.shape).astype(np.float32),
        mask=image.mask,
        mode=image.mode,
        topology_id=image.topology_id,
        uv_fingerprint=image.uv_fingerprint,
    )
    v = decoder.decode(noisy, align=False)
    matrix = encoder.sampling.matrix
    residual = matrix @ v - noisy.values[image.mask]
    laplacian = cotangent_laplacian(patch.vertices, patch.faces)
    gradient = matrix.T @ (weights[image.mask][:, None] * residual)
    gradient += alpha * (laplacian.T @ (laplacian @ (v - patch.vertices)))
    assert np.abs(gradient).max() < 1e-9
    # And the reference itself is a fixed point, whatever alpha.
    same = decoder.decode(encoder.encode(patch.vertices), align=False)
    assert np.abs(same - patch.vertices).max() < 1e-4


def test_error_under_noise_is_u_shaped_in_alpha(encoder, decoder, patch, bent):
    clean = encoder.sampling.matrix @ (bent - patch.vertices)
    noise = 0.5
    rng = np.random.default_rng(3)
    dirty = clean[None] + noise * rng.standard_normal((4, *clean.shape))
    truth = bent - patch.vertices
    alphas = [1e-4, 1e-2, 0.3, 10.0, 1e4]
    errors = [rms(decoder.solve(dirty, alpha), truth) for alpha in alphas]
    best = int(np.argmin(errors))
    assert 0 < best < len(alphas) - 1
    assert errors[0] > 1.2 * errors[best] and errors[-1] > 1.2 * errors[best]


def test_alpha_follows_the_noise_and_not_the_unit(patch, bent):
    assert alpha_for_noise(0.0) == 1e-4
    assert alpha_for_noise(0.4) == pytest.approx(1.0)
    assert alpha_for_noise(0.2) < alpha_for_noise(0.3)
    with pytest.raises(SettingsError, match="noise"):
        alpha_for_noise(-1.0)
    millimetres = GeometryImageDecoder(patch, SIZE)
    metre_patch = patch.replace(vertices=patch.vertices / 1000, unit="m")
    metres = GeometryImageDecoder(metre_patch, SIZE)
    image = GeometryImageEncoder(patch, SIZE).encode(bent, bits=8)
    small = GeometryImageEncoder(metre_patch, SIZE).encode(bent / 1000, bits=8)
    assert np.array_equal(image.pixels, small.pixels)
    assert np.abs(millimetres.decode(image) - 1000 * metres.decode(small)).max() < 1e-4
    assert image.noise == pytest.approx(1000 * small.noise)


def test_a_posed_image_is_not_pulled_to_the_references_pose(encoder, patch, bent):
    angle = np.deg2rad(35)
    rotation = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    pose = Similarity(1.3, rotation, np.array([30.0, -80.0, 12.0]))
    decoder = GeometryImageDecoder(patch, SIZE, alpha=2.0)
    posed = decoder.decode(encoder.encode(pose.apply(bent)))
    moved = decoder.decode(encoder.encode(pose.apply(bent), mode="displacement"))
    assert np.abs(posed - moved).max() < 1e-3
    assert np.abs(posed - pose.apply(decoder.decode(encoder.encode(bent)))).max() < 1e-3
    stiff = decoder.decode(encoder.encode(pose.apply(bent)), align=False)
    assert rms(posed, pose.apply(bent)) < 0.5 * rms(stiff, pose.apply(bent))


def test_the_factor_solves_like_a_dense_solver(rng):
    from scipy import sparse

    pattern = sparse.random_array((80, 80), density=0.06, rng=rng)
    matrix = sparse.csc_array(pattern @ pattern.T + sparse.eye_array(80))
    factor = SymmetricFactor(matrix)
    for columns in (1, 3, 7):
        right = rng.standard_normal((80, columns))
        assert np.abs(factor.solve(right) - np.linalg.solve(matrix.toarray(), right)).max() < 1e-10
    full = sparse.csc_array(np.full((70, 70), 0.5) + np.eye(70))  # one supernode wider than a panel
    right = rng.standard_normal((70, 3))
    solved = SymmetricFactor(full).solve(right)
    assert np.abs(full @ solved - right).max() < 1e-10


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([8, 16]), st.booleans())
def test_quantisation_error_is_uniform_over_a_step(seed, bits, shared):
    values = np.random.default_rng(seed).uniform(-30, 55, (4000, 3)) * [1.0, 0.3, 0.01]
    limits = value_range(values, shared=shared)
    codes = quantize(values, limits, bits)
    assert codes.dtype == (np.uint8 if bits == 8 else np.uint16)
    error = dequantize(codes, limits) - values
    step = limits.step(bits)
    assert (np.abs(error) <= step * (0.5 + 1e-9)).all()
    if not shared:
        assert np.allclose(np.sqrt((error**2).mean(axis=0)), step / np.sqrt(12), rtol=0.05)
        assert (codes.min(axis=0) == 0).all() and (codes.max(axis=0) == 2**bits - 1).all()
    assert np.array_equal(quantize(dequantize(codes, limits), limits, bits), codes)


def test_codes_round_half_away_and_clip():
    limits = ValueRange(np.zeros(3), np.full(3, 255.0))
    values = np.array([[0.5, 1.5, 2.5], [-9.0, 300.0, 254.5]])
    assert quantize(values, limits, 8).tolist() == [[1, 2, 3], [0, 255, 255]]
    flat = ValueRange(np.ones(3), np.ones(3))
    assert np.array_equal(dequantize(quantize(values, flat, 8), flat), np.ones((2, 3)))
    with pytest.raises(SettingsError, match="bits"):
        quantize(values, limits, 12)
    with pytest.raises(SettingsError, match="low <= high"):
        ValueRange(np.ones(3), np.zeros(3))


def test_limits_of_a_training_set_are_kept_and_cut_off_values_are_named(encoder, bent, caplog):
    stack = np.stack([bent, bent * 1.01])
    known = encoder.values(stack, displacement=True)
    limits = value_range(known, encoder.sampling.mask, margin=0.1)
    with caplog.at_level(logging.WARNING, logger="geomface"):
        image = encoder.encode(bent, mode="displacement", bits=8, limits=limits)
        assert image.limits is limits and not caplog.records
        encoder.encode(bent * 2, mode="displacement", bits=8, limits=limits)
    assert "cut off" in caplog.text
    one = value_range(known, encoder.sampling.mask, shared=True)
    assert np.ptp(one.low) == 0 and np.ptp(one.high) == 0


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("mode", ["absolute", "displacement"])
@pytest.mark.parametrize("suffix", [".safetensors", ".png"])
def test_save_and_load_give_the_same_image(encoder, decoder, bent, tmp_path, bits, mode, suffix):
    image = encoder.encode(bent, mode=mode, bits=bits)
    path = tmp_path / f"face{suffix}"
    if bits == 32 and suffix == ".png":
        with pytest.raises(OutputError, match="float"):
            save_geometry_image(path, image)
        assert not list(tmp_path.iterdir())
        return
    save_geometry_image(path, image)
    again = load_geometry_image(path)
    assert again.pixels.dtype == image.pixels.dtype
    assert np.array_equal(again.pixels, image.pixels) and np.array_equal(again.mask, image.mask)
    for field in ("mode", "topology_id", "uv_fingerprint", "reference_fingerprint", "unit"):
        assert getattr(again, field) == getattr(image, field)
    assert np.array_equal(decoder.decode(again), decoder.decode(image))
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


def test_png_shows_the_picture_to_other_programs(encoder, bent, tmp_path):
    from PIL import Image

    image = encoder.encode(bent, bits=8)
    save_geometry_image(tmp_path / "face.png", image)
    with Image.open(tmp_path / "face.png") as picture:
        assert np.array_equal(np.asarray(picture), image.pixels)
        assert json.loads(picture.text["geomface"])["topology_id"] == image.topology_id
        picture.save(tmp_path / "resaved.png")
    with pytest.raises(FileFormatError, match="text chunk"):
        load_geometry_image(tmp_path / "resaved.png")
    assert image.picture().min() >= 0 and image.picture().max() <= 1


def test_broken_files_are_refused(encoder, bent, tmp_path):
    image = encoder.encode(bent, bits=8)
    stack = encoder.encode(np.stack([bent, bent]), bits=8)
    with pytest.raises(OutputError, match="stack"):
        save_geometry_image(tmp_path / "stack.png", stack)
    with pytest.raises(OutputError, match="safetensors"):
        save_geometry_image(tmp_path / "face.jpg", image)
    with pytest.raises(FileFormatError):
        load_geometry_image(tmp_path / "missing.png")
    with pytest.raises(FileFormatError):
        load_geometry_image(tmp_path / "face.tiff")
    for suffix in (".png", ".safetensors"):
        path = tmp_path / f"whole{suffix}"
        save_geometry_image(path, image)
        data = path.read_bytes()
        for cut in (0, 10, 40, len(data) // 2, len(data) - 5):
            broken = tmp_path / f"broken{suffix}"
            broken.write_bytes(data[:cut])
            with pytest.raises(FileFormatError, match="broken"):
                load_geometry_image(broken)
    data = (tmp_path / "whole.png").read_bytes()
    body = data[37 : 33 + 12 + int.from_bytes(data[33:37], "big") - 4]
    other = body.replace(b'"schema": 1', b'"schema": 9')
    data = data.replace(body, other).replace(
        zlib.crc32(body).to_bytes(4, "big"), zlib.crc32(other).to_bytes(4, "big")
    )
    (tmp_path / "newer.png").write_bytes(data)
    with pytest.raises(FileFormatError, match="schema 9"):
        load_geometry_image(tmp_path / "newer.png")


def test_images_of_something_else_are_refused(patch, encoder, decoder, bent):
    image = encoder.encode(bent)
    whole = Mesh(patch.vertices, patch.faces, uv=patch.uv, uv_faces=patch.faces)
    with pytest.raises(TopologyMismatchError, match="topology"):
        GeometryImageDecoder(whole, SIZE).decode(image)
    with pytest.raises(TopologyMismatchError, match="topology"):
        read_vertices(image, whole)
    with pytest.raises(MeshError, match="texels"):
        GeometryImageDecoder(patch, 32).decode(image)
    with pytest.raises(MeshError, match="uv map"):
        GeometryImageDecoder(patch.replace(uv=patch.uv[:, ::-1]), SIZE).decode(image)
    with pytest.raises(MeshError, match="metres|is in"):
        GeometryImageDecoder(patch.replace(unit="m"), SIZE).decode(image)
    moved = encoder.encode(bent, mode="displacement")
    with pytest.raises(MeshError, match="reference"):
        GeometryImageDecoder(patch, SIZE, reference=patch.vertices + 1.0).decode(moved)
    # Rounding to float32, as most files do, is not another reference.
    rounded = patch.vertices.astype(np.float32).astype(np.float64)
    found = GeometryImageDecoder(patch, SIZE, reference=rounded).decode(moved)
    assert np.abs(found - decoder.decode(moved)).max() < 1e-4


def test_bad_shapes_and_settings_are_refused(patch, encoder, decoder, bent):
    with pytest.raises(TopologyMismatchError, match="shape"):
        encoder.encode(bent[:-1])
    with pytest.raises(MeshError, match="NaN"):
        encoder.encode(np.full_like(bent, np.nan))
    with pytest.raises(TopologyMismatchError):
        encoder.encode(Mesh(patch.vertices, patch.faces))
    with pytest.raises(MeshError, match="in metres, as was said"):
        encoder.encode(patch.replace(unit="m"))
    with pytest.raises(SettingsError, match="mode"):
        encoder.encode(bent, mode="relative")
    with pytest.raises(SettingsError, match="bits"):
        encoder.encode(bent, bits=10)
    with pytest.raises(TopologyMismatchError, match="reference"):
        GeometryImageEncoder(patch, SIZE, reference=bent[:-1])
    for alpha in (0.0, -1.0, float("nan")):
        with pytest.raises(SettingsError, match="alpha"):
            GeometryImageDecoder(patch, SIZE, alpha=alpha)
        with pytest.raises(SettingsError, match="alpha"):
            decoder.decode(encoder.encode(bent), alpha=alpha)
    with pytest.raises(MeshError, match="weights"):
        GeometryImageDecoder(patch, SIZE, weights=np.full((SIZE, SIZE), -1.0))
    with pytest.raises(MeshError, match="parts"):
        GeometryImageDecoder(patch, SIZE, weights=np.zeros((SIZE, SIZE)))
    fields = {"topology_id": "0", "uv_fingerprint": (0.0,), "mode": "absolute"}
    with pytest.raises(MeshError, match="float32"):
        GeometryImage(np.zeros((4, 4, 3)), np.ones((4, 4), bool), **fields)
    with pytest.raises(MeshError, match="mask"):
        GeometryImage(np.zeros((4, 5, 3), np.float32), np.ones((4, 4), bool), **fields)
    with pytest.raises(SettingsError, match="limits"):
        GeometryImage(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool), **fields)


def test_a_vertex_without_a_face_stays_at_the_reference(patch, bent):
    extra = np.concatenate([patch.vertices, [[1.0, 2.0, 3.0]]])
    uv = np.concatenate([patch.uv, [[0.5, 0.5]]])
    mesh = Mesh(extra, quads=patch.quads, uv=uv, uv_faces=patch.faces)
    image = GeometryImageEncoder(mesh, SIZE).encode(
        np.concatenate([bent, [[9.0, 9.0, 9.0]]]), mode="displacement"
    )
    found = GeometryImageDecoder(mesh, SIZE).decode(image, align=False)
    assert np.allclose(found[-1], [1.0, 2.0, 3.0]) and rms(found[:-1], bent) < 0.05


def test_bilinear_reading_is_exact_for_linear_images():
    height, width = 12, 20
    rows, columns = np.mgrid[0:height, 0:width]
    u, v = (columns + 0.5) / width, 1 - (rows + 0.5) / height
    image = np.stack([u, v, 2 * u - 3 * v], axis=-1)
    inside = np.random.default_rng(1).uniform([0.03, 0.05], [0.97, 0.95], (200, 2))
    read = read_bilinear(image, inside)
    expected = np.stack([inside[:, 0], inside[:, 1], 2 * inside[:, 0] - 3 * inside[:, 1]], axis=1)
    assert np.abs(read - expected).max() < 1e-12
    corners = read_bilinear(image, np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert np.allclose(corners, [image[0, 0], image[-1, -1]])
    assert read_bilinear(np.stack([image, image]), inside).shape == (2, 200, 3)
    with pytest.raises(MeshError, match="image"):
        read_bilinear(image[0], inside)
