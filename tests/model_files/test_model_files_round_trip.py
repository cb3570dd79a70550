"""What is written comes back: every format, every part."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_file_samples import assert_close, small_model

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.mesh.io import load_mesh
from geomface.model_files import FORMATS, load_model, save_model, source_of, write_gltf
from geomface.statistics import MorphableModel

SUFFIX = {
    "safetensors": ".safetensors",
    "h5": ".h5",
    "mat": ".mat",
    "npz": ".npz",
    "obj": "",
    "glb": ".glb",
}
EXACT = ("safetensors", "npz")
GEOMETRY = ("obj", "glb")


def assert_same_model(found: MorphableModel, wanted: MorphableModel, relative: float) -> None:
    np.testing.assert_array_equal(found.mesh.faces, wanted.mesh.faces)
    assert found.topology_id == wanted.topology_id
    for part in ("shape", "expression", "texture"):
        one, two = getattr(found, part), getattr(wanted, part)
        assert (one is None) == (two is None), part
        if one is None:
            continue
        assert_close(one.mean, two.mean, relative)
        assert_close(one.basis, two.basis, relative)
        np.testing.assert_allclose(one.variances, two.variances, rtol=2 * relative)
        for number in ("noise_sigma", "sample_count", "total_variance"):
            assert getattr(one, number) == getattr(two, number)
    if wanted.expression is not None and found.expression is not None:
        assert found.expression.names == wanted.expression.names
        assert found.expression.kind == wanted.expression.kind
    if wanted.coupling is None:
        assert found.coupling is None
    else:
        np.testing.assert_array_equal(found.coupling, wanted.coupling)
    for name in ("quads", "uv", "uv_faces"):
        one, two = getattr(found.mesh, name), getattr(wanted.mesh, name)
        assert (one is None) == (two is None)
        if two is not None:
            np.testing.assert_array_equal(one, two)
    one, two = found.template.landmarks, wanted.template.landmarks
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        np.testing.assert_array_equal(one.vertices, two.vertices)
        np.testing.assert_array_equal(one.weights, two.weights)
        assert one.scheme == two.scheme
    assert set(found.template.regions) == set(wanted.template.regions)
    for name, ids in wanted.template.regions.items():
        np.testing.assert_array_equal(found.template.regions[name], ids)
    assert (found.eyeballs is None) == (wanted.eyeballs is None)
    if found.eyeballs is not None and wanted.eyeballs is not None:
        np.testing.assert_array_equal(found.eyeballs.centers, wanted.eyeballs.centers)
        assert found.eyeballs.radius == wanted.eyeballs.radius
    assert found.shape.names == wanted.shape.names
    assert found.name == wanted.name


def what_remains(model: MorphableModel, format: str) -> MorphableModel:
    """The model as far as a format holds it."""
    image = model.texture is not None and model.texture.is_image
    if format in GEOMETRY or (format in ("h5", "mat") and image):
        return dataclasses.replace(model, texture=None, coupling=None)
    return model


@pytest.mark.parametrize("format", FORMATS)
@given(
    seed=st.integers(0, 2**32 - 1),
    modes=st.integers(0, 5),
    expression=st.sampled_from([None, "gaussian", "blendshapes"]),
    texture=st.sampled_from([None, "vertex", "image"]),
    quads=st.booleans(),
    uv=st.booleans(),
    landmarks=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_write_then_read(
    tmp_path_factory: pytest.TempPathFactory,
    format: str,
    seed: int,
    modes: int,
    expression: str | None,
    texture: str | None,
    quads: bool,
    uv: bool,
    landmarks: bool,
    dtype: type,
) -> None:
    model = small_model(
        np.random.default_rng(seed),
        modes=modes,
        expression=expression,
        texture=texture,
        quads=quads,
        uv=uv,
        landmarks=landmarks,
        coupled=texture is not None and modes > 0,
        dtype=dtype,
    )
    path = tmp_path_factory.mktemp("model") / f"model{SUFFIX[format]}"
    save_model(path, model)
    assert source_of(path) == "geomface"
    found = load_model(path)
    relative = 0.0 if format in EXACT else 1e-6
    assert_same_model(found, what_remains(model, format), relative)
    lost = what_remains(model, format).texture is not model.texture
    assert ("left_out_of_this_file" in found.card) == lost
    assert found.card["source"] == "a test"


@pytest.mark.parametrize("format", FORMATS)
def test_same_bytes_twice(tmp_path: Path, rng: np.random.Generator, format: str) -> None:
    model = small_model(rng, expression="blendshapes", texture="vertex", landmarks=True)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_model(tmp_path / name / f"model{SUFFIX[format]}", model)
    first, second = (
        sorted(file for file in (tmp_path / name).rglob("*") if file.is_file())
        for name in ("one", "two")
    )
    assert len(first) == len(second) > 0
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_failed_write_leaves_the_old_file(
    tmp_path: Path, rng: np.random.Generator, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    model = small_model(rng)
    path = tmp_path / f"model{SUFFIX[format]}"
    save_model(path, model)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError):
        save_model(path, small_model(rng, modes=2))
    monkeypatch.undo()
    assert len(load_model(path).shape) == 4
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", FORMATS)
def test_missing_folder_is_said(tmp_path: Path, rng: np.random.Generator, format: str) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        save_model(tmp_path / "no" / f"model{SUFFIX[format]}", small_model(rng))


def test_blendshape_folder_replaces_only_its_own(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "set"
    save_model(path, small_model(rng, modes=5))
    save_model(path, small_model(rng, modes=2))
    assert sorted(file.name for file in path.glob("shape_*")) == ["shape_000.obj", "shape_001.obj"]
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "beach.txt").write_text("sun")
    with pytest.raises(OutputError, match="holds other things"):
        save_model(other, small_model(rng))
    assert [file.name for file in other.iterdir()] == ["beach.txt"]


def test_texture_that_is_left_out_is_logged(
    tmp_path: Path, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    model = small_model(rng, texture="image")
    with caplog.at_level(logging.WARNING, "geomface"):
        save_model(tmp_path / "m.mat", model)
        save_model(tmp_path / "m.glb", model)
    assert "texture image is left out" in caplog.text
    assert "written as its mean" in caplog.text
    mean = load_mesh(tmp_path / "m.glb")
    assert mean.texture is not None and mean.texture.shape == (6, 7, 3)


def test_glb_holds_as_many_shape_modes_as_asked(tmp_path: Path, rng: np.random.Generator) -> None:
    model = small_model(rng, modes=5, expression="blendshapes")
    write_gltf(tmp_path / "m.glb", model, shape_modes=2)
    found = load_model(tmp_path / "m.glb")
    assert len(found.shape) == 2 and found.expression is not None and len(found.expression) == 3
    with pytest.raises(SettingsError, match="components"):
        write_gltf(tmp_path / "m.glb", model, shape_modes=6)


def test_numbers_that_no_file_holds_make_no_model(rng: np.random.Generator) -> None:
    model = small_model(rng)
    for value in (float("nan"), float("inf"), -1.0):
        with pytest.raises(SettingsError, match="total_variance"):
            dataclasses.replace(model.shape, total_variance=value)


def test_unknown_names_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    model = small_model(rng)
    with pytest.raises(OutputError, match=r"ending in \.safetensors"):
        save_model(tmp_path / "m.zip", model)
    with pytest.raises(SettingsError, match="format"):
        save_model(tmp_path / "m.npz", model, format="zip")
    with pytest.raises(SettingsError, match="source"):
        load_model(tmp_path / "m.npz", source="nose")
    with pytest.raises(SettingsError, match="unit"):
        load_model(tmp_path / "m.npz", unit="ell")
    with pytest.raises(FileFormatError, match="no such file"):
        load_model(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
