"""Model files of other tools, in files that the tests write by their documentation."""

import json
import sys
import types
from pathlib import Path
from typing import Any

import foreign_model_files as foreign
import h5py
import numpy as np
import pytest
import scipy.io
from foreign_model_files import CLOCKWISE, COUNT, FACES, MEAN
from model_file_samples import assert_close

from geomface.errors import FileFormatError, MissingBackendError, SettingsError
from geomface.faces.ict import load_ict
from geomface.model_files import load_model, read_eos, read_flame, read_ict, source_of
from geomface.statistics import MorphableModel


def assert_shape(model: MorphableModel, wanted: np.ndarray) -> None:
    """The mean mask in mm, counter-clockwise, and these columns (3 V, K) of one deviation."""
    assert_close(model.shape.mean, MEAN)
    assert_close(model.shape.basis.reshape(-1, wanted.shape[1]), wanted, 1e-5)
    np.testing.assert_array_equal(model.mesh.faces, FACES)
    assert model.mesh.unit == "mm"


def test_bfm2009(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "01_MorphableModel.mat"
    fields = foreign.write_bfm2009(path, rng)
    assert source_of(path) == "bfm2009"
    model = load_model(path)
    assert_shape(model, fields["shapePC"] * fields["shapeEV"][:, 0] / 1000.0)
    assert model.shape.basis.dtype == np.float32
    assert model.texture is not None and model.expression is None
    assert_close(model.texture.mean, fields["texMU"].reshape(-1, 3) / 255.0)
    wanted = fields["texPC"] * fields["texEV"][:, 0] / 255.0
    assert_close(model.texture.basis.reshape(3 * COUNT, -1), wanted)
    for k in range(4):
        ids = np.flatnonzero(fields["segbin"][:, k])
        np.testing.assert_array_equal(model.template.regions[f"segment_{k + 1}"], ids)
    card = model.card
    assert "micrometres" in card["unit"] and "standard deviations" in card["modes"]
    assert "from 1" in card["indices"] and card["winding"].startswith("reversed")
    assert "divided by 255" in card["colours"]


def test_bfm2009_with_expressions_and_without_texture(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    unit, deviations = foreign.parts(rng, 2)
    offset = rng.standard_normal((3 * COUNT, 1))
    path = tmp_path / "m.mat"
    foreign.write_bfm2009(
        path,
        rng,
        expMU=1000.0 * offset,
        expPC=unit,
        expEV=1000.0 * deviations,
        texMU=None,
        segbin=None,
        tl=(FACES + 1).astype(np.uint32),
    )
    model = load_model(path, source="bfm2009")
    assert model.texture is None and model.expression is not None
    assert_close(model.expression.mean, offset.reshape(-1, 3))
    assert_close(model.expression.basis.reshape(3 * COUNT, -1), unit * deviations)
    assert model.card["winding"].startswith("counter-clockwise")
    np.testing.assert_array_equal(model.mesh.faces, FACES)


def test_bfm2009_in_another_unit_is_refused_until_it_is_said(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "m.mat"
    unit, deviations = foreign.parts(rng)
    foreign.write_bfm2009(path, rng, shapeMU=MEAN.ravel(), shapePC=unit, shapeEV=deviations)
    with pytest.raises(FileFormatError, match=r"0\.18 mm across.*1e-03: say its unit \(--unit mm"):
        load_model(path)
    assert_shape(load_model(path, unit="mm"), unit * deviations)
    foreign.write_bfm2009(
        path, rng, shapeMU=MEAN.ravel() / 37, shapePC=unit, shapeEV=deviations / 37
    )
    assert_shape(load_model(path, unit="37"), unit * deviations)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda unit, deviations: (unit, deviations**2), "look like variances"),
        (lambda unit, deviations: (unit, deviations / 1e9), "a factor of about 1e-0"),
        (lambda unit, deviations: (unit * deviations, deviations), "expected columns of length 1"),
    ],
)
def test_modes_of_bfm2009_that_others_scaled_are_found_out(
    tmp_path: Path, rng: np.random.Generator, change, said: str
) -> None:
    path = tmp_path / "m.mat"
    unit, deviations = foreign.parts(rng)
    unit, deviations = change(unit, 1000.0 * deviations)
    mean = 1000.0 * MEAN.ravel()
    foreign.write_bfm2009(path, rng, shapeMU=mean, shapePC=unit, shapeEV=deviations)
    with pytest.raises(FileFormatError, match=said):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("front.mat", {"meanshape": 1.0, "idBase": 1.0, "exBase": 1.0}, "BFM_model_front.mat"),
        ("face3d.mat", {"model": {"shapeMU": np.ones(3)}}, "BFM.mat of face3d"),
        ("model.h5.json", {"model": {"mean": [1.0]}}, "scalismo writes"),
    ],
)
@pytest.mark.parametrize("source", ["auto", "bfm2009"])
def test_relatives_are_called_by_their_names(tmp_path, name, content, said, source) -> None:
    path = tmp_path / name
    if name.endswith("json"):
        path.write_text(json.dumps(content))
        source = "auto"
    else:
        scipy.io.savemat(path, content)
    with pytest.raises(FileFormatError, match=said):
        load_model(path, source)


@pytest.mark.parametrize("scale", [0.001, 0.1, 1.0, 1000.0])
def test_lsfm_in_any_unit(tmp_path: Path, rng: np.random.Generator, scale: float) -> None:
    path = tmp_path / "all_all_all.mat"
    unit, deviations = foreign.parts(rng)
    foreign.write_lsfm(
        path,
        rng,
        mean=scale * MEAN.ravel(),
        components=unit,
        eigenvalues=(scale * deviations) ** 2,
    )
    assert source_of(path) == "lsfm"
    model = load_model(path)
    assert_shape(model, unit * deviations)
    assert model.shape.sample_count == 8402
    assert model.shape.total_variance == pytest.approx((deviations**2).sum() / 0.997)
    assert "variances" in model.card["modes"] and "by its size" in model.card["unit"]


@pytest.mark.parametrize(
    ("version", "scaled", "said"),
    [
        ((0, 9), False, "version 0.9: orthonormal"),
        ((1, 0), False, "version 1.0: orthonormal"),
        ((0, 8), True, "version 0.8: columns of pcaBasis as they are"),
        ((0, 8), False, "version 0.8: orthonormal"),
        (None, True, "no version: columns of pcaBasis as they are"),
        (None, False, "no version: orthonormal"),
    ],
)
def test_statismo_versions(
    tmp_path: Path,
    rng: np.random.Generator,
    version: tuple[int, int] | None,
    scaled: bool,
    said: str,
) -> None:
    path = tmp_path / "m.h5"
    unit, deviations = foreign.write_statismo(path, rng, version=version, scaled=scaled)
    assert source_of(path) == "statismo"
    model = load_model(path)
    assert_shape(model, unit * deviations)
    assert model.shape.noise_sigma == pytest.approx(0.5)
    assert model.card["modes"].startswith(said)


def test_statismo_in_metres_and_as_told(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.h5"
    unit, deviations = foreign.write_statismo(path, rng, scale=0.001)
    model = load_model(path)
    assert_shape(model, 1000.0 * unit * deviations)
    assert model.shape.noise_sigma == pytest.approx(0.5)
    assert model.card["unit"].startswith("metres in the file (by its size")
    told = load_model(path, unit="mm")
    assert_close(told.shape.mean, MEAN / 1000.0)
    assert "as asked" in told.card["unit"]


def test_statismo_of_unknown_size_is_taken_as_millimetres(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "m.h5"
    foreign.write_statismo(path, rng, scale=0.01)
    model = load_model(path)
    assert_close(model.shape.mean, 0.01 * MEAN)
    assert model.card["unit"].startswith("millimetres assumed")


@pytest.mark.parametrize("source", ["auto", "bfm2017", "bfm2019", "statismo"])
def test_bfm2017(tmp_path: Path, rng: np.random.Generator, source: str) -> None:
    path = tmp_path / "model2017-1_bfm_nomouth.h5"
    wanted = foreign.write_bfm2017(path, rng)
    model = load_model(path, source)
    assert_shape(model, wanted["shape"][1])
    assert model.expression is not None and model.texture is not None
    assert_close(model.expression.mean, wanted["expression"][0])
    assert_close(model.expression.basis.reshape(3 * COUNT, -1), wanted["expression"][1])
    assert model.expression.kind == "gaussian" and not model.expression.names
    assert_close(model.texture.mean, wanted["color"][0])
    assert_close(model.texture.basis.reshape(3 * COUNT, -1), wanted["color"][1])
    assert model.card["colours"].startswith("0 to 1")
    landmarks = model.template.landmarks
    assert landmarks is not None and landmarks.scheme == "statismo"
    places = landmarks.positions(MEAN)
    np.testing.assert_allclose(places[0], MEAN[14], atol=1e-4)
    np.testing.assert_allclose(places[1], MEAN[FACES[3]].mean(axis=0), atol=1e-4)
    assert model.card["landmarks"].endswith("center.nose.tip, right.eye.corner_outer")
    year = "2019" if source == "bfm2019" else "statismo" if source == "statismo" else "2017"
    assert year in model.card["source"]


def test_statismo_model_found_by_the_catalog(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.h5"
    unit, deviations = foreign.write_statismo(path, rng)
    with h5py.File(path, "r+") as file:
        file.create_group("deep")
        for name in ("model", "representer", "version"):
            file.move(name, f"deep/{name}")
        file["catalog/face/modelType"] = "POLYGON_MESH_MODEL"
        file["catalog/face/modelPath"] = "/deep"
    assert_shape(load_model(path), unit * deviations)


def test_statismo_legacy_representer(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "m.h5"
    unit, deviations = foreign.write_statismo(path, rng)
    with h5py.File(path, "r+") as file:
        del file["representer/cells"], file["representer/points"]
        file["representer/reference-mesh/triangle-list"] = CLOCKWISE
        file["representer/reference-mesh/vertex-coordinates"] = MEAN
    model = load_model(path)
    assert_shape(model, unit * deviations)
    assert model.card["winding"].startswith("reversed")


def test_h5py_is_asked_for_by_name(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.h5"
    foreign.write_statismo(path, rng)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingBackendError, match="pip install h5py"):
        load_model(path)


def chumpy(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = types.ModuleType("chumpy.ch")
    kind = type("Ch", (), {"__module__": "chumpy.ch", "__qualname__": "Ch"})
    module.Ch = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)

    def wrap(values: np.ndarray) -> Any:
        found = kind()
        found.x, found._dirty_vars, found._itr = values, {"x"}, None
        return found

    return wrap


@pytest.mark.parametrize("container", ["pickle", "chumpy", "npz"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_flame(
    tmp_path: Path,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    container: str,
    protocol: int,
) -> None:
    fields = foreign.flame_fields(rng)
    stored = dict(fields)
    path = tmp_path / ("flame.npz" if container == "npz" else "generic_model.pkl")
    if container == "chumpy":
        wrap = chumpy(monkeypatch)
        stored |= {name: wrap(fields[name]) for name in ("v_template", "shapedirs", "posedirs")}
    if container == "npz":
        stored["J_regressor"] = np.array(stored["J_regressor"], object)
        np.savez(path, **stored)
    else:
        foreign.write_pickle(path, stored, protocol)
    assert source_of(path) == "flame"
    model = load_model(path)
    directions = 1000.0 * fields["shapedirs"].reshape(3 * COUNT, -1)
    assert_shape(model, directions[:, :300])
    assert model.expression is not None and model.expression.kind == "gaussian"
    assert_close(model.expression.basis.reshape(3 * COUNT, -1), directions[:, 300:])
    assert "metres" in model.card["unit"] and "pose correctives" in model.card["left_out"]


def test_flame_with_another_split(tmp_path: Path, rng: np.random.Generator) -> None:
    fields = foreign.flame_fields(rng)
    fields["f"] = fields["f"][:, [1, 0, 2]]
    foreign.write_pickle(tmp_path / "m.pkl", fields)
    model = read_flame(tmp_path / "m.pkl", shape_modes=10)
    assert len(model.shape) == 10 and model.expression is not None
    assert len(model.expression) == 292
    assert model.card["winding"].startswith("reversed")
    fields["shapedirs"] = fields["shapedirs"][..., :20]
    foreign.write_pickle(tmp_path / "m.pkl", fields)
    model = load_model(tmp_path / "m.pkl")
    assert len(model.shape) == 20 and model.expression is None


@pytest.mark.parametrize("version", [1, 2, 3, 4])
@pytest.mark.parametrize("expressions", ["none", "pca", "blendshapes"])
def test_eos(tmp_path: Path, rng: np.random.Generator, version: int, expressions: str) -> None:
    unit, deviations = foreign.parts(rng, 2)
    offset = rng.standard_normal(MEAN.shape)
    smile = rng.standard_normal(MEAN.shape)
    body = b"\x01"
    if expressions == "pca":
        body = b"\x00\x00\x00\x00\x00" + foreign.eos_pca(offset, unit, deviations**2, FACES)
    elif expressions == "blendshapes":
        body = b"\x00\x01\x00\x00\x00" + foreign.eos_blendshapes({"smile": smile})
    numbered = {str(k): (k * 7) % COUNT for k in range(1, 69)}
    uv = rng.random((COUNT, 2))
    data, wanted = foreign.eos_model(
        rng, version=version, expression=body, landmarks=numbered, uv=uv
    )
    path = tmp_path / "m.bin"
    path.write_bytes(data)
    assert source_of(path) == "eos"
    model = load_model(path)
    assert_shape(model, wanted)
    assert model.texture is not None
    np.testing.assert_allclose(model.texture.mean, 0.5)
    np.testing.assert_allclose(model.texture.variances, 0.04, rtol=1e-5)
    assert model.mesh.uv is not None and model.mesh.uv_faces is not None
    np.testing.assert_array_equal(model.mesh.uv, np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1))
    np.testing.assert_array_equal(model.mesh.uv_faces, FACES)
    if version == 1 or expressions == "none":
        assert model.expression is None
    else:
        assert model.expression is not None
        if expressions == "pca":
            assert_close(model.expression.mean, offset)
            assert_close(model.expression.basis.reshape(3 * COUNT, -1), unit * deviations)
        else:
            assert model.expression.names == ("smile",)
            assert model.expression.kind == "blendshapes"
            assert_close(model.expression.basis[..., 0], smile)
    landmarks = model.template.landmarks
    assert (landmarks is None) == (version < 3)
    if landmarks is not None:
        assert landmarks.scheme == "multi-pie-68"
        assert landmarks.vertices[4, 0] == numbered["5"]


def test_eos_reversed_in_micrometres_with_blendshapes_beside_it(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    uv, uv_faces = rng.random((COUNT + 5, 2)), CLOCKWISE + 5
    data, wanted = foreign.eos_model(
        rng,
        scale=1000.0,
        faces=CLOCKWISE,
        landmarks={"b": 3, "a": 1},
        uv=uv,
        uv_faces=uv_faces,
        color=False,
    )
    path, beside = tmp_path / "bfm2009.bin", tmp_path / "expressions.bin"
    path.write_bytes(data)
    anger = rng.standard_normal(MEAN.shape)
    beside.write_bytes(foreign.eos_blendshapes({"anger": 1000.0 * anger, "none": 0.0 * anger}))
    model = read_eos(path, blendshapes=beside)
    assert_shape(model, wanted / 1000.0)
    assert model.texture is None and model.expression is not None
    assert model.expression.names == ("anger",)
    assert_close(model.expression.basis[..., 0], anger)
    np.testing.assert_array_equal(model.mesh.uv_faces, FACES + 5)
    assert model.template.landmarks is not None
    assert model.template.landmarks.vertices[:, 0].tolist() == [1, 3]
    assert "micrometres" in model.card["unit"] and model.card["winding"].startswith("reversed")


@pytest.mark.parametrize("inside", ["", "FaceXModel"])
def test_ict_folder(tmp_path: Path, rng: np.random.Generator, inside: str) -> None:
    folder = tmp_path / "kit" / inside
    identity, expression = foreign.write_ict(folder, rng)
    assert source_of(tmp_path / "kit") == "ict"
    model = load_model(tmp_path / "kit")
    assert model.mesh.quads is not None
    assert_shape(model, identity.transpose(1, 2, 0).reshape(3 * COUNT, -1))
    assert model.expression is not None and model.expression.kind == "blendshapes"
    assert model.expression.names == ("jawOpen", "browDown_L")
    assert_close(model.expression.basis, expression.transpose(1, 2, 0))
    assert model.template.landmarks is not None
    assert model.template.landmarks.scheme == "multi-pie-68"
    assert "centimetres" in model.card["unit"]


def test_ict_folder_without_its_lists(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "kit"
    foreign.write_ict(folder, rng)
    (folder / "vertex_indices.json").unlink()
    model = load_model(folder)
    assert model.expression is not None and model.template.landmarks is None
    assert model.expression.names == ("browDown_L", "jawOpen")
    assert "PupilDilate_L" in model.card["left_out"]
    with pytest.raises(SettingsError, match="part"):
        read_ict(folder, part="nose")


def test_ict_npz(shared_data: Path) -> None:
    path = shared_data / "ict" / "ict_face.npz"
    assert source_of(path) == "ict"
    model, face = load_model(path), load_ict(path)
    rng = np.random.default_rng(4)
    identity, weights = rng.standard_normal(100), {"jawOpen": 0.4, "browDown_L": 1.0}
    np.testing.assert_allclose(
        model.vertices(identity, weights), face.vertices(identity, weights), atol=1e-9
    )
    assert model.template.landmarks is not None and "narrow_face" in model.template.regions
    assert "centimetres" in model.card["unit"]
