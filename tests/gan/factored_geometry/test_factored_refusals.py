"""Codes, settings and files that a factored geometry GAN refuses in a sentence."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_factored_use import SPEC, model_of
from torch import nn

from geomface.cli.learned.factored_geometry.faces import visible_part
from geomface.cli.main import main
from geomface.errors import FileFormatError, MeshError, SettingsError, TopologyMismatchError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.gan.factored_geometry.codes import draw_codes
from geomface.gan.factored_geometry.codes_file import (
    generator_identity,
    load_codes,
    save_codes,
)
from geomface.gan.factored_geometry.editing import edit_faces
from geomface.gan.factored_geometry.encoder import CodeEncoder
from geomface.gan.factored_geometry.fitting import FitSettings, fit_faces
from geomface.gan.factored_geometry.model import FactoredModel, load_factored
from geomface.gan.factored_geometry.model_file import read_encoder, save_encoder, save_factored
from geomface.gan.factored_geometry.networks import GeometryGenerator
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.learning.randomness import seeded_initialisation
from geomface.mesh.io import save_mesh


def generator(seed: int) -> nn.Module:
    with seeded_initialisation(seed, "generator"):
        return GeometryGenerator(NetworkSettings(16, 8, 8), SPEC.size, 0.2)


@pytest.fixture(scope="module")
def model() -> FactoredModel:
    return model_of(generator(3))


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in ("lr", "last_lr", "prior") for value in (np.inf, np.nan, "1")),
        *({name: value} for name in ("steps", "restarts") for value in (2.5, True, "3", np.inf)),
        {"restarts": 1001},
        {"restarts": 10**13},
        {"betas": (0.9, 1.0)},
        {"betas": (-0.1, 0.9)},
        {"betas": (np.nan, 0.9)},
        {"betas": (0.9,)},
    ],
)
def test_settings_of_fits_are_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^{next(iter(wrong))}: expected"):
        FitSettings(**wrong)
    assert FitSettings(steps=3, restarts=1000, prior=0, betas=(0.0, 0.5)).restarts == 1000


def test_codes_belong_to_one_generator(
    model: FactoredModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, codes = tmp_path / "codes.json", draw_codes(SPEC, 2, seed=1)
    own, other = generator_identity(model.generator), generator_identity(generator(4))
    save_codes(path, codes, ["x", "y"], topology_id="T", generator=own)
    found = load_codes(path, SPEC, topology_id="T", generator=own)
    np.testing.assert_array_equal(found["y"].values, codes.values[1:])
    with pytest.raises(FileFormatError, match="codes of another model"):
        load_codes(path, SPEC, topology_id="T", generator=other)
    with pytest.raises(TopologyMismatchError, match="another topology"):
        load_codes(path, SPEC, topology_id="U", generator=own)
    assert not caplog.text
    older = json.loads(path.read_text())
    del older["generator"]
    path.write_text(json.dumps(older))
    assert set(load_codes(path, SPEC, topology_id="T", generator=own)) == {"x", "y"}
    assert "which model" in caplog.text


def test_a_model_file_keeps_the_identity_of_its_generator(
    model: FactoredModel, tmp_path: Path
) -> None:
    for precision in ("float16", "float32"):
        save_factored(tmp_path / "m.safetensors", model, precision=precision)
        again = load_factored(tmp_path / "m.safetensors")
        assert generator_identity(again.generator) == generator_identity(model.generator)


WRONG_CODES: list[tuple[str, Any]] = [
    *(("schema", value) for value in (99, True, None, "1")),
    *(("topology_id", value) for value in (None, 3)),
    *(("faces", value) for value in (None, [], {}, {"x": None}, {"x": [1.0]}, {"x": {}})),
    *(("faces", {"x": {"identity": item}}) for item in (None, "abc", {"0": 1.0})),
    *(("number", value) for value in ("1.5", True, None, [1.0], 1e300, 10**400)),
]


@pytest.mark.parametrize(("key", "value"), WRONG_CODES)
def test_damaged_codes_are_refused_by_the_name_of_their_file(
    key: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "codes.json"
    save_codes(path, draw_codes(SPEC, 1), ["x"], topology_id="T", generator="G")
    record = json.loads(path.read_text())
    if key == "number":
        record["faces"]["x"]["expression"][1] = value
    else:
        record[key] = value
    path.write_text(json.dumps(record))
    empty = value == {"x": {}}
    error = TopologyMismatchError if empty else FileFormatError
    with pytest.raises(error, match=r"codes\.json: .*\.$"):
        load_codes(path, SPEC, topology_id="T", generator="G")


def test_only_faces_are_fitted(model: FactoredModel) -> None:
    vertices = model.vertices(draw_codes(SPEC, 2))
    mesh = model.template.mesh
    wrong: list[Any] = [None, 3, "x.ply", [], list(vertices), torch.zeros(2, len(mesh.vertices), 3)]
    wrong += [[mesh, None], vertices.astype(str), vertices.astype(object), vertices > 0]
    for faces in wrong:
        with pytest.raises(MeshError, match="expected"):
            fit_faces(model, faces, settings=FitSettings(steps=1, start="zero"))


def test_what_is_visible_is_bool_and_more_than_a_point(model: FactoredModel) -> None:
    vertices, quick = model.vertices(draw_codes(SPEC, 1)), FitSettings(steps=1, start="zero")
    for visible in (np.ones(169), np.arange(169), np.full(169, "yes"), [0, 1, 2]):
        with pytest.raises(SettingsError, match="visible: expected bool"):
            fit_faces(model, vertices, visible=visible, settings=quick)  # type: ignore[arg-type]
    seen = np.zeros(169, bool)
    for count, index in ((1, 0), (2, 80)):
        seen[index] = True
        with pytest.raises(MeshError, match=f"at least 3 that are seen, got {count} "):
            fit_faces(model, vertices, visible=seen, settings=quick)
    seen[168] = True
    assert np.isfinite(fit_faces(model, vertices, visible=seen, settings=quick).errors).all()


def test_something_is_hidden_and_something_left(model: FactoredModel, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden.json"
    for record, words in (
        ({}, "got none"),
        ({"nothing": []}, "got none"),
        ({"all but two": list(range(2, 169))}, "at least 3 of 169"),
        ({"beyond": [169]}, "from 0 to 168"),
    ):
        hidden.write_text(json.dumps(record))
        with pytest.raises(SettingsError, match=words):
            visible_part(model, [str(hidden)])
    hidden.write_text(json.dumps({"two": [0, 1], "none": []}))
    seen = visible_part(model, [str(hidden)])
    assert seen is not None and not seen[:2].any() and seen[2:].all()


def test_edits_of_other_shapes_are_refused(model: FactoredModel) -> None:
    codes = draw_codes(SPEC, 2)
    vertices = model.vertices(codes)
    with pytest.raises(SettingsError, match="got 1 and 2"):
        edit_faces(model, codes[:1], codes, vertices)
    for wrong in (vertices[0], vertices[:1], vertices[:, 1:], np.where(vertices > 0, np.nan, 0)):
        with pytest.raises(MeshError, match="edit: vertices"):
            edit_faces(model, codes, codes, wrong)


def test_damaged_encoders_are_refused_by_name(model: FactoredModel, tmp_path: Path) -> None:
    encoder = CodeEncoder(16, SPEC.size, 4).eval()
    path = save_encoder(tmp_path, dataclasses.replace(model, encoder=encoder))
    kind, schema = "factored-geometry-encoder", 1
    arrays, header = load_tensors(path, kind=kind, schema=schema)
    sizes = header["config"]["networks"]
    wrong = [None, [], {}, {"networks": sizes}, {"generator": header["config"]["generator"]}]
    changes = [
        {"width": 10**12},
        {"size": 1024, "width": 1024},
        {"size": -1},
        {"latent": 2.5},
        {"size": True},
        {"more": 1},
    ]
    networks = [None, [], *({**sizes, **change} for change in changes)]
    wrong += [{**header["config"], "networks": item} for item in networks]
    for config in wrong:
        save_tensors(path, arrays, kind=kind, schema=schema, units=None, config=config)
        with pytest.raises(FileFormatError, match=r"encoder\.safetensors: .*damaged"):
            read_encoder(tmp_path, model.generator)
    path.unlink()
    path.mkdir()
    with pytest.raises(FileFormatError, match="got a folder"):
        read_encoder(tmp_path, model.generator)


def test_fit_keeps_its_inputs_and_tells_of_bad_fits(
    model: FactoredModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "m.safetensors", tmp_path / "out"
    save_factored(run, model)
    out.mkdir()
    mesh = model.meshes(draw_codes(SPEC, 1))[0]
    save_mesh(tmp_path / "x.ply", mesh)
    save_mesh(out / "x.ply", mesh.replace(vertices=mesh.vertices + [0.0, 0.0, 8.0]))
    (out / "codes.json").write_text('{"hidden": [0]}')
    (out / ".geomface.json").write_text('{"kind": "results"}')
    fit = ["fit", "factored_geometry", str(run)]
    last = ["--out", str(out), "--random-restarts", "1", "--steps", "2", "--quiet"]
    before = {path: path.read_bytes() for path in out.iterdir()}
    for words in (
        [str(out / "x.ply")],
        [str(out / "x.ply"), "--dry-run"],
        [str(out / ".." / "out" / "x.ply"), "--format", "obj", "ply"],
        [str(tmp_path / "x.ply"), "--hide", str(out / "codes.json")],
    ):
        assert main([*fit, *words, *last]) == 1
        assert "is also an input" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in out.iterdir()} == before
    last[1] = str(tmp_path / "new")
    for name, told in ((tmp_path / "x.ply", False), (out / "x.ply", True)):
        assert main([*fit, str(name), *last[:-1]]) == 0
        assert ("a bad fit: x " in "".join(capsys.readouterr())) == told
