"""Exports as other programs see them: readers written here against the formats, not our own."""

import json
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import trimesh
from model_file_samples import small_model

from geomface.model_files import save_model
from geomface.statistics import LinearModel, MorphableModel

RELATIVE = 1e-6


def assert_equal(found: np.ndarray, wanted: np.ndarray) -> None:
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    assert found.shape == wanted.shape
    # An element far below its column's scale is the rounding of the difference of two positions.
    np.testing.assert_allclose(found, wanted, rtol=RELATIVE, atol=1e-9 * np.abs(wanted).max())


def assert_columns_equal(found: np.ndarray, linear: LinearModel) -> None:
    wanted = linear.basis.reshape(-1, len(linear))
    assert found.shape == wanted.shape
    for one, two in zip(found.T, wanted.T, strict=True):
        assert np.abs(one - two).max() <= RELATIVE * np.abs(two).max()


@pytest.fixture
def model(rng: np.random.Generator) -> MorphableModel:
    return small_model(
        rng, expression="gaussian", texture="vertex", landmarks=True, quads=True, uv=True
    )


def check_statismo_group(group: h5py.Group, linear: LinearModel, faces: np.ndarray) -> None:
    """Read one statismo model as the format describes it (version 0.9)."""
    assert group["version/majorVersion"][()] == 0 and group["version/minorVersion"][()] == 9
    mean, basis = group["model/mean"][:], group["model/pcaBasis"][:]
    variance = group["model/pcaVariance"][:]
    assert mean.dtype == basis.dtype == variance.dtype == np.float32
    assert_equal(mean, linear.mean.ravel())
    assert_equal(variance, linear.variances)
    np.testing.assert_allclose(np.linalg.norm(basis, axis=0), 1.0, rtol=RELATIVE)
    assert_columns_equal(basis.astype(float) * np.sqrt(variance.astype(float)), linear)
    assert_equal(group["model/noiseVariance"][0], linear.noise_sigma**2)
    representer = group["representer"]
    np.testing.assert_array_equal(representer["cells"][:].T, faces)
    assert representer["points"].shape == (3, len(linear.mean))
    assert representer.attrs["datasetType"] == b"POLYGON_MESH"


def test_statismo_of_shape_alone(tmp_path: Path, rng: np.random.Generator) -> None:
    model = small_model(rng)
    save_model(tmp_path / "m.h5", model)
    with h5py.File(tmp_path / "m.h5", "r") as file:
        check_statismo_group(file, model.shape, model.mesh.faces)
        basis = file["model/pcaBasis"][:].astype(float)
        np.testing.assert_allclose(basis.T @ basis, np.eye(len(model.shape)), atol=1e-6)
        assert_equal(file["representer/points"][:].T, model.mesh.vertices)
        assert "modelinfo/scores" in file and "modelinfo/build-time" in file


def test_statismo_with_colour_and_expression(tmp_path: Path, model: MorphableModel) -> None:
    save_model(tmp_path / "m.h5", model)
    assert model.expression is not None and model.texture is not None
    with h5py.File(tmp_path / "m.h5", "r") as file:
        for name, linear in (
            ("shape", model.shape),
            ("expression", model.expression),
            ("color", model.texture),
        ):
            check_statismo_group(file[name], linear, model.mesh.faces)
            entry = file[f"catalog/MorphableModel.{name}"]
            assert entry["modelPath"][()] == f"/{name}".encode()
        assert file["shape/representer"].attrs["name"] == b"gravis::MeshShapeRepresenter"
        landmarks = json.loads(file["metadata/landmarks/json"][()])
        assert model.template.landmarks is not None
        places = model.template.landmarks.positions(model.shape.mean)
        assert_equal([entry["coordinates"] for entry in landmarks], places)


def test_bfm_layout(tmp_path: Path, model: MorphableModel) -> None:
    save_model(tmp_path / "m.mat", model)
    fields = scipy.io.loadmat(tmp_path / "m.mat")
    assert model.expression is not None and model.texture is not None
    count = len(model.mesh.vertices)
    for prefix, linear, scale in (
        ("shape", model.shape, 1e-3),
        ("exp", model.expression, 1e-3),
        ("tex", model.texture, 1.0 / 255.0),
    ):
        assert fields[f"{prefix}MU"].shape == (3 * count, 1)
        assert_equal(scale * fields[f"{prefix}MU"][:, 0], linear.mean.ravel())
        deviations = scale * fields[f"{prefix}EV"][:, 0]
        assert_equal(deviations**2, linear.variances)
        assert_columns_equal(fields[f"{prefix}PC"] * deviations, linear)
    # Counted from 1, and clockwise as in the Basel Face Model.
    faces = fields["tl"].astype(int)[:, [0, 2, 1]] - 1
    np.testing.assert_array_equal(faces, model.mesh.faces)
    np.testing.assert_array_equal(fields["template_quads"], model.mesh.quads)


def test_npz_needs_numpy_alone(tmp_path: Path, model: MorphableModel) -> None:
    save_model(tmp_path / "m.npz", model)
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["shape_mean"], model.shape.mean)
        np.testing.assert_array_equal(archive["shape_basis"], model.shape.basis)
        np.testing.assert_array_equal(archive["shape_variances"], model.shape.variances)
        np.testing.assert_array_equal(archive["faces"], model.mesh.faces)
        assert json.loads(str(archive["geomface"]))["unit"] == "mm"


def read_glb_by_hand(path: Path) -> tuple[dict, list[np.ndarray]]:
    """Return the JSON of a GLB and its accessors, by the specification."""
    data = path.read_bytes()
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack("<I4s", data[12:20])
    assert kind == b"JSON"
    tree = json.loads(data[20 : 20 + size])
    size2, kind2 = struct.unpack("<I4s", data[20 + size : 28 + size])
    assert kind2 == b"BIN\0" and size2 >= tree["buffers"][0]["byteLength"]
    binary = data[28 + size :]
    dtypes = {5126: "<f4", 5125: "<u4", 5123: "<u2"}
    widths = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}
    found = []
    for accessor in tree["accessors"]:
        view = tree["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        width = widths[accessor["type"]]
        values = np.frombuffer(
            binary, dtypes[accessor["componentType"]], accessor["count"] * width, view["byteOffset"]
        ).reshape(-1, width)
        if "min" in accessor:
            np.testing.assert_array_equal(values.min(axis=0), np.float32(accessor["min"]))
            np.testing.assert_array_equal(values.max(axis=0), np.float32(accessor["max"]))
        found.append(values)
    return tree, found


@pytest.mark.parametrize("expression", ["gaussian", "blendshapes"])
def test_gltf_morph_targets(tmp_path: Path, rng: np.random.Generator, expression: str) -> None:
    model = small_model(rng, expression=expression, uv=True, texture="vertex")
    save_model(tmp_path / "m.glb", model)
    tree, accessors = read_glb_by_hand(tmp_path / "m.glb")
    mesh = tree["meshes"][0]
    primitive = mesh["primitives"][0]
    names = mesh["extras"]["targetNames"]
    assert len(names) == len(primitive["targets"]) == len(mesh["weights"])
    assert set(mesh["weights"]) == {0.0}
    metres = tree["nodes"][0]["scale"]
    assert metres == [0.001] * 3
    position = accessors[primitive["attributes"]["POSITION"]]
    corners = accessors[primitive["indices"]].reshape(-1, 3)
    # The file splits vertices at the uv seam; corner by corner it is the same surface.
    assert len(position) > len(model.mesh.vertices)
    assert_equal(position[corners], model.shape.mean.astype(np.float32)[model.mesh.faces])
    assert model.expression is not None
    wanted = [model.shape.basis[..., k] for k in range(len(model.shape))]
    if expression == "gaussian":
        wanted.append(model.expression.mean)
        assert names[len(model.shape)] == "expression_mean"
    else:
        assert names[len(model.shape) :] == list(model.expression.names)
    wanted += [model.expression.basis[..., k] for k in range(len(model.expression))]
    assert len(wanted) == len(names)
    for target, displacement in zip(primitive["targets"], wanted, strict=True):
        accessor = tree["accessors"][target["POSITION"]]
        assert "min" in accessor and accessor["count"] == len(position)
        values = accessors[target["POSITION"]]
        assert_equal(values[corners], np.float32(displacement)[model.mesh.faces])


def test_trimesh_reads_the_mean_of_the_glb(tmp_path: Path, model: MorphableModel) -> None:
    save_model(tmp_path / "m.glb", model)
    scene = trimesh.load(tmp_path / "m.glb", process=False)
    found = scene.to_mesh()
    triangles = found.vertices[found.faces]
    assert_equal(triangles, 0.001 * np.float32(model.shape.mean).astype(float)[model.mesh.faces])


def test_trimesh_reads_the_blendshapes(tmp_path: Path, rng: np.random.Generator) -> None:
    model = small_model(rng, expression="blendshapes")
    save_model(tmp_path / "set", model)

    def load(name: str) -> trimesh.Trimesh:
        return trimesh.load(tmp_path / "set" / name, process=False, maintain_order=True)

    mean = load("mean.obj")
    np.testing.assert_array_equal(mean.vertices, model.shape.mean)
    np.testing.assert_array_equal(mean.faces, model.mesh.faces)
    assert model.expression is not None
    for k in range(len(model.shape)):
        face = load(f"shape_{k:03d}.obj")
        np.testing.assert_array_equal(face.faces, model.mesh.faces)
        assert_equal(face.vertices - mean.vertices, model.shape.basis[..., k])
    record = json.loads((tmp_path / "set" / "model.json").read_text())
    # Names that only differ in what a file system may ignore get files of their own.
    assert record["files"]["jawOpen"] == "expression_jawOpen.obj"
    assert record["files"]["jawopen"] == "expression_jawopen_1.obj"
    assert record["files"]["mouth/Smile L"] == "expression_mouth_Smile_L.obj"
    for k, name in enumerate(model.expression.names):
        face = load(record["files"][name])
        assert_equal(face.vertices - mean.vertices, model.expression.basis[..., k])
