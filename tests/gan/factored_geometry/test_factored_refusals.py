"""Codes, settings and files that a factored geometry GAN refuses in a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_factored_use import SPEC, model_of
from torch import nn

from geomface.errors import FileFormatError, SettingsError, TopologyMismatchError
from geomface.gan.factored_geometry.codes import draw_codes
from geomface.gan.factored_geometry.codes_file import (
    generator_identity,
    load_codes,
    save_codes,
)
from geomface.gan.factored_geometry.fitting import FitSettings
from geomface.gan.factored_geometry.model import FactoredModel, load_factored
from geomface.gan.factored_geometry.model_file import save_factored
from geomface.gan.factored_geometry.networks import GeometryGenerator
from geomface.gan.factored_geometry.settings import NetworkSettings
from geomface.learning.randomness import seeded_initialisation


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
    assert FitSettings(steps=np.int64(3), restarts=1000, prior=0, betas=(0.0, 0.5)).steps == 3


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
