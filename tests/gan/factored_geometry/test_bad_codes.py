"""Codes, factors and model files that cannot be right are refused in a sentence."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from factored_cases import SMALL, sheet_faces

from geomface.errors import FileFormatError, GeomfaceError, SettingsError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.gan.factored_geometry import (
    Codes,
    Factor,
    FactoredModel,
    LatentSpec,
    draw_codes,
    load_factored,
    train_factored,
)
from geomface.learning import ResumeError
from geomface.learning.state import KIND, SCHEMA

SPEC = LatentSpec((Factor("identity", 3), Factor("expression", 2)), 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps."""
    out = tmp_path_factory.mktemp("runs") / "run"
    loop = dataclasses.replace(SMALL.loop, steps=2)
    train_factored(dataclasses.replace(SMALL, loop=loop), sheet_faces(), out)
    return out


@pytest.fixture(scope="module")
def model(run: Path) -> FactoredModel:
    return load_factored(run)


@pytest.mark.parametrize("name", ["type", "images", "a.b", "with/slash", "self", "for", "", "seed"])
def test_factor_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="factor: expected a name"):
        Factor(name, 3)


@pytest.mark.parametrize("dims", [0, -1, 10**11, 1.5, True])
def test_factor_dims_are_bounded(dims: int) -> None:
    with pytest.raises(SettingsError, match="1 to 4096"):
        Factor("identity", dims)
    with pytest.raises(SettingsError, match="noise"):
        LatentSpec((Factor("identity", 2),), 10**11)


@pytest.mark.parametrize("count", [-1, 1.5, None, True, 10**9])
def test_counts_of_draws_are_whole_and_bounded(count: int) -> None:
    with pytest.raises(SettingsError, match="codes to draw: expected a whole number"):
        draw_codes(SPEC, count)


def test_seeds_are_not_negative() -> None:
    with pytest.raises(SettingsError, match="seed: expected a whole number from 0, got -1"):
        draw_codes(SPEC, 2, seed=-1)


@pytest.mark.parametrize(
    "values", ["a", [[np.nan] * 6], [[1e39] * 6], [[1j] * 6], [[1.0] * 5], 3.0]
)
def test_values_that_are_no_codes_are_refused(values: object) -> None:
    with pytest.raises(SettingsError, match="codes: expected"):
        Codes(SPEC, values)  # type: ignore[arg-type]


def test_operations_refuse_what_does_not_fit() -> None:
    codes = draw_codes(SPEC, 3)
    with pytest.raises(SettingsError, match="rows below 3"):
        codes[[9]]
    with pytest.raises(SettingsError, match="interpolate: expected one code or 3, got 2"):
        codes.interpolate(draw_codes(SPEC, 2), 0.5)
    with pytest.raises(SettingsError, match="interpolate: expected codes of 6"):
        codes.interpolate(None, 0.5)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="expression"):
        codes.add(expression=None)  # type: ignore[arg-type]
    assert repr(codes) == "Codes(3: identity 3, expression 2, noise 1)"


def test_no_codes_are_no_faces(model: FactoredModel) -> None:
    assert model.vertices(model.draw(0)).shape == (0, 81, 3)
    assert model.meshes(model.draw(0)) == []
    with pytest.raises(SettingsError, match="expected codes of 11 numbers, got NoneType"):
        model.vertices(None)  # type: ignore[arg-type]


def test_labels_names_and_paths_that_are_none_are_refused(model: FactoredModel) -> None:
    with pytest.raises(SettingsError, match="expression: expected a class"):
        model.draw(1, expression=None)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="one for each of 2 faces, got 1"):
        model.draw(2, expression=["a"])
    with pytest.raises(SettingsError, match="names: expected one for each of 2 faces, got 1"):
        model.meshes(model.draw(2), ["anna"])
    with pytest.raises(FileFormatError, match="expected the path"):
        load_factored(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("deviation", 0.0),
        ("limit", 1e30),
        ("alpha", "x"),
        ("factors", None),
        ("template", None),
        ("noise", "two"),
    ],
)
def test_damaged_headers_are_told(run: Path, tmp_path: Path, entry: str, value: object) -> None:
    (path,) = (run / "checkpoints").iterdir()
    arrays, record = load_tensors(path, kind=KIND, schema=SCHEMA)
    header = record["config"]
    header["config"] = {**header["config"], entry: value}
    damaged = tmp_path / "damaged.safetensors"
    save_tensors(damaged, arrays, kind=KIND, schema=SCHEMA, units=None, config=header)
    with pytest.raises(FileFormatError, match="damaged"):
        load_factored(damaged)


def test_a_class_more_than_codes_is_told(run: Path, tmp_path: Path) -> None:
    (path,) = (run / "checkpoints").iterdir()
    arrays, record = load_tensors(path, kind=KIND, schema=SCHEMA)
    record["config"]["config"]["factors"][1]["classes"].insert(0, "zz")
    damaged = tmp_path / "damaged.safetensors"
    save_tensors(damaged, arrays, kind=KIND, schema=SCHEMA, units=None, config=record["config"])
    with pytest.raises(FileFormatError, match="codes of 4 classes of expression"):
        load_factored(damaged)


def test_classes_that_were_renamed_are_other_data(run: Path) -> None:
    faces = sheet_faces()
    renamed = dataclasses.replace(
        faces, classes={**faces.classes, "expression": ("a", "b", "sadder")}
    )
    with pytest.raises(ResumeError, match="classes of expression"):
        train_factored(SMALL, renamed, run)


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(GeomfaceError):
        train_factored(SMALL, sheet_faces(), out, init_from=tmp_path / "nope.safetensors")
    assert not out.exists()
