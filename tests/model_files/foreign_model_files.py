"""Writers of small files in the layouts of other tools, by their documentation."""

import json
import pickle  # noqa: TID251  (FLAME comes as a pickle; only these small files are pickled)
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from model_file_samples import mask_mesh, orthogonal_basis

FACES = mask_mesh().faces
MEAN = mask_mesh().vertices
COUNT = len(MEAN)
CLOCKWISE = FACES[:, [0, 2, 1]]


def parts(rng: np.random.Generator, modes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return unit columns (3 V, K) and standard deviations (K,) in mm."""
    deviations = np.sort(rng.uniform(2.0, 300.0, modes))[::-1]
    return orthogonal_basis(rng, (3 * COUNT,), np.ones(modes)), deviations


def write_bfm2009(path: Path, rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """Write 01_MorphableModel.mat: micrometres, clockwise triangles from 1, colours 0 to 255."""
    unit, deviations = parts(rng)
    color, color_deviations = parts(rng, 3)
    fields = {
        "shapeMU": (1000.0 * MEAN).reshape(-1, 1).astype(np.float32),
        "shapePC": unit.astype(np.float32),
        "shapeEV": (1000.0 * deviations).reshape(-1, 1).astype(np.float32),
        "texMU": rng.uniform(50, 200, (3 * COUNT, 1)).astype(np.float32),
        "texPC": color.astype(np.float32),
        "texEV": color_deviations.reshape(-1, 1).astype(np.float32),
        "tl": (CLOCKWISE + 1).astype(np.float64),
        "segbin": (rng.random((COUNT, 4)) < 0.5).astype(np.uint8),
        "segMB": np.zeros((1, 4)),
    } | changes
    fields = {key: value for key, value in fields.items() if value is not None}
    scipy.io.savemat(path, fields)
    return fields


def write_lsfm(path: Path, rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """Write an LSFM model: variances, triangles from 0."""
    unit, deviations = parts(rng)
    fields = {
        "mean": MEAN.ravel(),
        "components": unit,
        "eigenvalues": deviations**2,
        "cumulative_explained_variance": np.array([0.5, 0.7, 0.9, 0.997]),
        "trilist": FACES.astype(np.uint32),
        "n_training_samples": 8402,
    } | changes
    scipy.io.savemat(path, {key: value for key, value in fields.items() if value is not None})
    return fields


def _statismo_group(
    group: h5py.Group,
    mean: np.ndarray,
    basis: np.ndarray,
    variance: np.ndarray,
    version: tuple[int, int] | None,
    noise: float = 0.0,
    kind: str = "POLYGON_MESH",
) -> None:
    group["model/mean"] = mean.ravel().astype(np.float32)
    group["model/pcaBasis"] = basis.astype(np.float32)
    group["model/pcaVariance"] = variance.astype(np.float32)
    group["model/noiseVariance"] = np.array([noise], np.float32)
    group["representer/points"] = MEAN.T.astype(np.float32)
    group["representer/cells"] = FACES.T.astype(np.int32)
    group["representer"].attrs["name"] = "itkStandardMeshRepresenter"
    group["representer"].attrs["datasetType"] = kind
    if version is not None:
        group["version/majorVersion"], group["version/minorVersion"] = version


def write_statismo(
    path: Path,
    rng: np.random.Generator,
    *,
    version: tuple[int, int] | None = (0, 9),
    scaled: bool = False,
    scale: float = 1.0,
    kind: str = "POLYGON_MESH",
) -> tuple[np.ndarray, np.ndarray]:
    """Write one statismo model; scaled: pcaBasis holds the deviations too, as up to 0.8."""
    unit, deviations = parts(rng)
    deviations = scale * deviations
    with h5py.File(path, "w") as file:
        basis = unit * deviations if scaled else unit
        _statismo_group(file, scale * MEAN, basis, deviations**2, version, 0.25 * scale**2, kind)
        del file["representer/points"]
        file["representer/points"] = (scale * MEAN.T).astype(np.float32)
    return unit, deviations


def write_bfm2017(path: Path, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, ...]]:
    """Write a file as model2017-1_bfm_nomouth.h5 is: three models, a catalog, landmarks."""
    found = {}
    landmarks = [
        {"id": "center.nose.tip", "coordinates": MEAN[14].tolist(), "description": "a vertex"},
        {"id": "right.eye.corner_outer", "coordinates": MEAN[FACES[3]].mean(axis=0).tolist()},
    ]
    with h5py.File(path, "w") as file:
        for name, modes, mean in (
            ("shape", 4, MEAN),
            ("expression", 3, rng.standard_normal(MEAN.shape)),
            ("color", 2, rng.uniform(0.2, 0.8, MEAN.shape)),
        ):
            unit, deviations = parts(rng, modes)
            deviations = deviations / (1000.0 if name == "color" else 1.0)
            group = file.create_group(name)
            _statismo_group(group, mean, unit, deviations**2, (0, 9))
            found[name] = (mean, unit * deviations)
        file["version/majorVersion"], file["version/minorVersion"] = 0, 9
        file["catalog/MorphableModel.shape/modelType"] = "POLYGON_MESH_MODEL"
        file["catalog/MorphableModel.shape/modelPath"] = "/shape"
        file["metadata/landmarks/json"] = json.dumps(landmarks)
    return found


def flame_fields(rng: np.random.Generator) -> dict[str, Any]:
    """Return what a FLAME pickle holds, for a small head in metres: 300 + 2 columns."""
    import scipy.sparse

    return {
        "v_template": MEAN / 1000.0,
        "shapedirs": rng.standard_normal((COUNT, 3, 302)) / 1000.0,
        "f": FACES.astype(np.uint32),
        "J_regressor": scipy.sparse.csc_matrix(np.eye(5, COUNT)),
        "weights": np.full((COUNT, 5), 0.2),
        "posedirs": np.zeros((COUNT, 3, 36)),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
        "J": np.zeros((5, 3)),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def write_pickle(path: Path, value: Any, protocol: int = 2) -> None:
    """Write a pickle."""
    path.write_bytes(pickle.dumps(value, protocol))


def _matrix(values: np.ndarray) -> bytes:
    rows = values.astype("<f4")
    return struct.pack("<ii", *rows.shape) + rows.T.tobytes()


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def eos_pca(mean: np.ndarray, unit: np.ndarray, variance: np.ndarray, faces: np.ndarray) -> bytes:
    """Return a PcaModel as cereal writes it."""
    return (
        _matrix(mean.reshape(-1, 1))
        + _matrix(unit)
        + _matrix(variance.reshape(-1, 1))
        + struct.pack("<Q", len(faces))
        + faces.astype("<i4").tobytes()
    )


def eos_blendshapes(shapes: dict[str, np.ndarray]) -> bytes:
    """Return a vector of Blendshape as cereal writes it."""
    items = [_text(name) + _matrix(values.reshape(-1, 1)) for name, values in shapes.items()]
    return struct.pack("<Q", len(shapes)) + b"".join(items)


def eos_model(
    rng: np.random.Generator,
    *,
    version: int = 4,
    scale: float = 1.0,
    faces: np.ndarray = FACES,
    expression: bytes = b"\x01",
    landmarks: dict[str, int] | None = None,
    uv: np.ndarray | None = None,
    uv_faces: np.ndarray | None = None,
    color: bool = True,
) -> tuple[bytes, np.ndarray]:
    """Return an eos model and its columns of one standard deviation; faces may be reversed."""
    unit, deviations = parts(rng)
    deviations = scale * deviations
    none = np.zeros((0, 1))
    body = struct.pack("<I", version)
    body += eos_pca(scale * MEAN, unit, deviations**2, faces)
    if color:
        body += eos_pca(np.full(MEAN.shape, 0.5), unit[:, :1], np.array([0.04]), faces)
    else:
        body += eos_pca(none, none, none, np.zeros((0, 3)))
    if version >= 2:
        body += expression
    if version >= 3:
        if landmarks is None:
            body += b"\x01"
        else:
            body += b"\x00" + struct.pack("<Q", len(landmarks))
            body += b"".join(_text(name) + struct.pack("<i", i) for name, i in landmarks.items())
    coordinates = np.zeros((0, 2)) if uv is None else uv
    body += struct.pack("<Q", len(coordinates)) + coordinates.astype("<f8").tobytes()
    if version >= 4:
        corners = np.zeros((0, 3)) if uv_faces is None else uv_faces
        body += struct.pack("<Q", len(corners)) + corners.astype("<i4").tobytes()
    return body, unit * deviations


def write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray | None = None) -> None:
    """Write an OBJ with uv references and fixed digits, as ICT-FaceKit has them."""
    lines = ["mtllib ICTFaceModelMaterial.mtl"]
    lines += [f"v {x:.15f} {y:.15f} {z:.15f}" for x, y, z in vertices]
    lines += [f"vt {0.1 * k:.6f} {0.2 * k:.6f}" for k in range(4)]
    lines += ["usemtl M_Face"]
    polygons = FACES if faces is None else faces
    lines += ["f " + " ".join(f"{i + 1}/{k + 1}" for k, i in enumerate(row)) for row in polygons]
    path.write_text("\n".join(lines) + "\n")


def write_ict(folder: Path, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Write a folder as FaceXModel is, of 30 vertices in centimetres; returns modes in mm."""
    folder.mkdir(parents=True)
    quads = mask_mesh(quads=True).quads
    identity = rng.standard_normal((12, COUNT, 3))
    expression = rng.standard_normal((2, COUNT, 3))
    write_obj(folder / "generic_neutral_mesh.obj", MEAN / 10.0, quads)
    for k, mode in enumerate(identity):
        write_obj(folder / f"identity{k:03d}.obj", (MEAN + mode) / 10.0, quads)
    for name, mode in zip(("jawOpen", "browDown_L"), expression, strict=True):
        write_obj(folder / f"{name}.obj", (MEAN + mode) / 10.0, quads)
    write_obj(folder / "PupilDilate_L.obj", MEAN / 10.0, quads)
    record = {
        "expressions": ["jawOpen", "browDown_L"],
        "idx_to_landmark_verts": [k % COUNT for k in range(68)],
    }
    (folder / "vertex_indices.json").write_text(json.dumps(record))
    return identity, expression
