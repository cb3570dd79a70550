"""Factors gathered from fits: right values in the right order, and sets that are drawn of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.errors import FileFormatError
from geomface.recognition.generator.populations import collect_population
from geomface.synthesis import FaceImageSettings, FaceSampler, IdentitySettings, PoseSettings
from geomface.synthesis.distribution_text import parse_distribution
from geomface.synthesis.settings import ExpressionSettings, LightSettings

SAMPLER = FaceSampler(FaceImageSettings(identities=3, size=32))


def figures(number: int) -> dict:
    item = SAMPLER.parameters(number, 0)
    names = SAMPLER.expression_names(number)
    return {
        "shape": item.person.coefficients.tolist(),
        "expression": dict(zip(names, item.expression.tolist(), strict=True)),
        "light": item.light.tolist(),
        "camera": {"degrees": {"yaw": item.yaw, "pitch": item.pitch, "roll": item.roll}},
        "topology_id": "face",
    }


@pytest.fixture
def fits(tmp_path: Path) -> Path:
    folder = tmp_path / "fits"
    several = figures(0) | {"pictures": {"a": figures(0), "b": figures(1)}}
    for name, record in (("one", several), ("two", figures(2))):
        (folder / name).mkdir(parents=True)
        (folder / name / "fit.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_rows_are_those_of_the_fits_and_pictures_are_drawn_of_them(
    fits: Path, tmp_path: Path
) -> None:
    out = tmp_path / "factors"
    assert main(["synth", "factors", "--fits", str(fits), "--out", str(out)]) == 0
    found = collect_population(fits)
    assert found.names == ("one/a", "one/b", "two") and found.identity.shape[0] == 2
    rows = {name: np.load(out / f"{name}.npy") for name in ("identity", "pose", "light")}
    np.testing.assert_array_equal(rows["light"][2].reshape(9, 3), figures(2)["light"])

    def drawn(name: str):
        return parse_distribution(f"empirical({out / name}.npy)")

    settings = FaceImageSettings(
        identities=8,
        size=32,
        identity=IdentitySettings(drawn("identity")),
        pose=PoseSettings(joint=drawn("pose")),
        light=LightSettings(coefficients=drawn("light")),
        expression=ExpressionSettings("weights", weights=drawn("expression")),
    )
    sampler = FaceSampler(settings, SAMPLER.model)
    item = sampler.parameters(5, 0)
    assert [item.yaw, item.pitch, item.roll] in rows["pose"].tolist()
    assert item.light.ravel().tolist() in rows["light"].tolist()
    assert item.person.coefficients.tolist() in rows["identity"].tolist()
    assert item.expression.tolist() in np.load(out / "expression.npy").tolist()


def test_what_is_no_fit_is_refused(fits: Path, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="got none"):
        collect_population(tmp_path / "nothing")
    place = fits / "two" / "fit.json"
    place.write_text(json.dumps(figures(2) | {"topology_id": "other"}), encoding="utf-8")
    with pytest.raises(FileFormatError, match="different ones"):
        collect_population(fits)
    for record in ({"light": [1.0]}, {"shape": None}, {"camera": {}}):
        place.write_text(json.dumps(figures(2) | record), encoding="utf-8")
        with pytest.raises(FileFormatError, match="Fit the picture again"):
            collect_population(fits)
