"""VAEs of the factors: what is drawn has the population's moments, the same on every machine."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.datasets import load_synthetic
from geomface.errors import FileFormatError, GeomfaceError, SettingsError
from geomface.faces.builtin import load_builtin_face
from geomface.files.records import plain
from geomface.files.settings import settings_from_json
from geomface.learning.errors import DatasetError
from geomface.synthesis import (
    FaceImageSettings,
    FaceSampler,
    FactorVaes,
    FactorVaeSettings,
    IdentitySettings,
    PoseSettings,
    VaeSize,
    fit_factor_vaes,
    load_factor_vaes,
    parse_distribution,
    save_factor_vaes,
)

SMALL = FactorVaeSettings(
    *(VaeSize(6, 32),) * 4, epochs=150, lr=3e-3, halve_every=0.25, kl_rise=0.25
)
MODES = len(load_builtin_face().shape)


def correlated(rows: int, numbers: int) -> np.ndarray:
    """Rows that vary in three directions, with means and one number that never differs."""
    rng = np.random.default_rng(3)
    table = rng.standard_normal((rows, 3)) @ rng.standard_normal((3, numbers))
    table += 0.2 * rng.standard_normal(table.shape) + np.linspace(-2, 2, numbers)
    table[:, 0] = 0.25
    return table


@pytest.fixture(scope="module")
def population() -> dict[str, np.ndarray]:
    poses = np.random.default_rng(1).normal([5, -3, 0], [20, 8, 4], (400, 3))
    return {"identity": correlated(400, MODES), "pose": poses}


@pytest.fixture(scope="module")
def vaes(population: dict[str, np.ndarray]) -> FactorVaes:
    topology = load_builtin_face().mesh.topology_id
    return fit_factor_vaes(population, SMALL, topology_id=topology, about={"people": 400})


def test_what_is_drawn_has_the_moments_of_the_population(
    vaes: FactorVaes, population: dict[str, np.ndarray]
) -> None:
    rows = population["identity"]
    rng = np.random.default_rng(0)
    drawn = np.stack([vaes.draw("identity", rng) for _ in range(2000)])
    assert (drawn[:, 0] == 0.25).all()
    spread = rows.std(axis=0)[1:]
    np.testing.assert_allclose((drawn.mean(axis=0) - rows.mean(axis=0))[1:] / spread, 0, atol=0.12)
    np.testing.assert_allclose(drawn.std(axis=0)[1:] / spread, 1, atol=0.1)
    true, found = (np.corrcoef(table[:, 1:].T) for table in (rows, drawn))
    assert np.abs(found - true).mean() < 0.1 < np.abs(true).mean() / 4
    told = vaes.card["factors"]["identity"]
    assert told["log_likelihood"] > told["log_likelihood_of_bells"] + 0.5 and told["gamma"] < 0.5
    assert told["rows"] == 400 and told["held_out"] == 40 and told["never_differ"] == 1


def test_one_seed_gives_one_file_and_a_file_the_same_draws(
    vaes: FactorVaes, population: dict[str, np.ndarray], tmp_path: Path
) -> None:
    quick = dataclasses.replace(SMALL, epochs=3)
    for name in ("one", "two"):
        again = fit_factor_vaes({"pose": population["pose"]}, quick, seed=4)
        save_factor_vaes(tmp_path / name, again)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    save_factor_vaes(tmp_path / "vae", vaes)
    read = load_factor_vaes(tmp_path / "vae")
    assert read.topology_id == vaes.topology_id and read.card["people"] == 400
    for factor in ("identity", "pose"):
        one, two = (v.draw(factor, np.random.default_rng(9)) for v in (vaes, read))
        np.testing.assert_array_equal(one, two)


def test_bad_populations_are_refused(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3))
    for wrong, error, words in (
        ({}, SettingsError, "expected some of identity"),
        ({"age": rows}, SettingsError, "got age"),
        ({"pose": rows[0]}, DatasetError, "rows of numbers"),
        ({"pose": rows[:19]}, DatasetError, "got 19. Gather more"),
        ({"pose": np.where(rows > 1, np.nan, rows)}, DatasetError, "NaN or infinity in"),
        ({"pose": rows[:, :2]}, DatasetError, "pose: expected 3 numbers a row, got 2"),
        ({"light": rows}, DatasetError, "light: expected 27 numbers a row, got 3"),
        ({"identity": 1e300 * rows}, DatasetError, "numbers up to"),
    ):
        with pytest.raises(error, match=words):
            fit_factor_vaes(wrong, SMALL)
    alike = fit_factor_vaes({"pose": np.ones((40, 3))}, SMALL)
    np.testing.assert_array_equal(alike.draw("pose", np.random.default_rng(0)), np.ones(3))
    (tmp_path / "f.safetensors").write_bytes(b"x" * 50)
    with pytest.raises(FileFormatError):
        parse_distribution(f"vae({tmp_path / 'f.safetensors'})")


def test_sets_of_other_models_and_single_numbers_are_refused(
    vaes: FactorVaes, tmp_path: Path
) -> None:
    path = tmp_path / "vae"
    save_factor_vaes(path, dataclasses.replace(vaes, topology_id="other"))
    given = parse_distribution(f"vae({path})")
    settings = FaceImageSettings(size=32)
    for changed, words in (
        ({"identity": IdentitySettings(given)}, "topology other"),
        ({"pose": PoseSettings(yaw=given)}, "pose yaw: expected a distribution of single"),
    ):
        with pytest.raises(GeomfaceError, match=words):
            FaceSampler(dataclasses.replace(settings, **changed))
    FaceSampler(dataclasses.replace(settings, pose=PoseSettings(joint=given)))  # of no model
    save_factor_vaes(path, vaes)
    people = IdentitySettings(parse_distribution(f"vae({path})"))
    again = dataclasses.replace(settings, identity=people)
    assert settings_from_json(FaceImageSettings, plain(again)) == again
    assert FaceSampler(again).parameters(0, 0).person.coefficients[0] == 0.25
    narrow = fit_factor_vaes({"identity": correlated(40, 7)}, dataclasses.replace(SMALL, epochs=1))
    save_factor_vaes(tmp_path / "narrow", narrow)
    wrong = IdentitySettings(parse_distribution(f"vae({tmp_path / 'narrow'})"))
    with pytest.raises(SettingsError, match=f"expected {MODES} numbers of the identity"):
        FaceSampler(dataclasses.replace(settings, identity=wrong))
    with pytest.raises(SettingsError, match="expected one of pose"):
        FaceSampler(dataclasses.replace(settings, pose=PoseSettings(joint=wrong.coefficients)))


def test_commands_fit_and_draw_the_same_whatever_the_workers(
    population: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "factors", tmp_path / "vae.safetensors"
    folder.mkdir()
    np.save(folder / "pose.npy", population["pose"][:30])
    words = ["synth", "vae", "--factors", str(folder), "--out", str(file)]
    assert main([*words, "--dry-run"]) == 0 and not file.exists()
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["factors"]["pose"]["rows"] == 30 and told["recipe"] == "tiny"
    assert main([*words[:3], str(tmp_path), *words[4:]]) == 1
    assert "expected some of identity.npy" in capsys.readouterr().err
    out = tmp_path / "set"
    draw = ["synth", "faces", "--identities", "4", "--samples", "1", "--size", "32"]
    draw += ["--pose", f"vae({file})", "--part-pictures", "1", "--out", str(out)]
    assert main([*draw, "--workers", "2"]) == 0
    given = PoseSettings(joint=parse_distribution(f"vae({file})"))
    sampler = FaceSampler(FaceImageSettings(size=32, pose=given))
    drawn = [record.parameters["yaw"] for record in load_synthetic(out)]
    assert drawn == [sampler.parameters(n, 0).yaw for n in range(4)] and len(set(drawn)) == 4
    vae = fit_factor_vaes({"pose": population["pose"]}, dataclasses.replace(SMALL, epochs=1))
    save_factor_vaes(file, vae)
    assert main(draw) == 1
    assert "digest was" in capsys.readouterr().err
