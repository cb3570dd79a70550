"""The factored GAN on the kit, its losses in closed form, and what its batches are."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from factored_cases import CASES, SMALL, build_task, sheet_faces
from training_kit import check_lives, check_only_its_own, check_processes_agree, train_and_kill

from geomface.errors import SettingsError
from geomface.gan.factored_geometry import (
    Factor,
    FactoredDiscriminator,
    FactoredSettings,
    GeometryGenerator,
    LatentSpec,
    NetworkSettings,
    load_factored,
    recipe,
    train_factored,
)
from geomface.gan.factored_geometry.layout import alternate_batch, labelled_batch
from geomface.gan.factored_geometry.losses import feature_loss, total_variation
from geomface.gan.factored_geometry.task import prepare_images
from geomface.learning import Draws, ResumeError, read_metrics

LIVES = ("full", "wgan-gp", "three")


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of runs that were killed, and of the same without."""
    folder = tmp_path_factory.mktemp("lives")
    train_and_kill([f"factored_cases:{name}" for name in LIVES], folder)
    return folder


@pytest.mark.parametrize("name", LIVES)
def test_killed_run_ends_as_one_that_was_not(name: str, lives: Path) -> None:
    check_lives(f"factored_cases:{name}", lives)
    lines = read_metrics(lives / name / "lives" / "metrics.jsonl")
    assert len(lines) == 5 and ("penalty/gradient" in lines[0]) == (name == "wgan-gp")


def test_two_processes_are_one(tmp_path: Path) -> None:
    names = ("full", "wgan-gp", "three-labelled", "ac-gan")
    check_processes_agree([f"factored_cases:{name}" for name in names], tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_phases_move_their_own_networks_only(name: str) -> None:
    task = build_task(name)
    metrics = task.step()
    for _ in range(5):
        metrics |= task.step()
    assert all(math.isfinite(float(value)) for value in metrics.values())
    check_only_its_own(task)


def test_arms_leave_out_what_they_say() -> None:
    seen = {}
    for name in CASES:
        task = build_task(name)
        seen[name] = set().union(*(task.step() for _ in range(4)))
    assert {"features/identity", "features/expression"} <= seen["full"]
    assert {"fake/identity", "fake/expression"} <= seen["full"]
    assert not {key for key in seen["no-features"] if key.startswith("features/")}
    assert "features/expression" not in seen["no-expression-classes"]
    assert "real/expression" not in seen["no-expression-classes"]
    assert not {key for key in seen["ac-gan"] if key.startswith("features/")}


def test_each_weight_of_a_loss_moves_the_generator() -> None:
    """With a weight of 0 the first step of the generator is another one."""
    first = {}
    for name in ("full", "no-variation", "no-features", "no-alternate"):
        task = build_task(name)
        task.step()
        first[name] = task.networks["generator"].layers[0].weight.detach().clone()  # type: ignore[union-attr,index]
    for name, weight in first.items():
        assert name == "full" or not torch.equal(weight, first["full"]), name


def spec_of(*sizes: int, noise: int = 2, classes: int = 5) -> LatentSpec:
    names = ("identity", "expression", "weight")
    labels = tuple(f"class{k}" for k in range(classes))
    factors = tuple(Factor(name, size, labels) for name, size in zip(names, sizes, strict=False))
    return LatentSpec(factors, noise)


def tables_of(spec: LatentSpec) -> dict[str, torch.Tensor]:
    return {f.name: torch.randn(len(f.classes), f.dims) for f in spec.factors}


@pytest.mark.parametrize("sizes", [(6, 3), (6, 3, 2)])
def test_partners_share_every_code_but_the_labelled_one(sizes: tuple[int, ...]) -> None:
    spec = spec_of(*sizes)
    tables = tables_of(spec)
    for turn in range(2 * len(sizes)):
        draws = Draws(torch.Generator().manual_seed(turn), 32)
        batch = alternate_batch(spec, tables, draws, turn)
        own = spec.factors[turn % len(sizes)].name
        assert set(batch.labels) == {own}
        assert set(batch.pairs) == {f.name for f in spec.factors} - {own}
        part = batch.codes[:, spec.span(own)]
        assert torch.equal(part, tables[own][batch.labels[own]])
        assert len(batch.labels[own].unique()) > 2
        for name, pairs in batch.pairs.items():
            shared = batch.codes[:, spec.span(name)]
            assert torch.equal(shared[pairs[:, 0]], shared[pairs[:, 1]])
            assert len(shared.unique(dim=0)) == 16
        assert len(batch.codes[:, spec.span("noise")].unique(dim=0)) == 32


def test_without_alternation_all_factors_are_labelled() -> None:
    spec = spec_of(6, 3)
    tables = tables_of(spec)
    batch = labelled_batch(spec, tables, Draws(torch.Generator().manual_seed(0), 32))
    assert set(batch.labels) == {"identity", "expression"}
    for name, pairs in batch.pairs.items():
        assert len(pairs) == 8
        assert torch.equal(batch.labels[name][pairs[:, 0]], batch.labels[name][pairs[:, 1]])
        assert torch.equal(batch.codes[:, spec.span(name)], tables[name][batch.labels[name]])
    alone = labelled_batch(spec, tables, Draws(torch.Generator(), 32), paired=False)
    assert not alone.pairs


def test_feature_loss_in_closed_form() -> None:
    pairs = torch.tensor([[0, 1], [2, 3], [4, 5]])
    same, apart = torch.tensor([1.0, 2.0]), torch.tensor([-2.0, 1.0])
    features = torch.stack([same, 3 * same, same, apart, same, -same])
    assert float(feature_loss(features, pairs[:1])) == pytest.approx(0.0, abs=1e-6)
    assert float(feature_loss(features, pairs[1:2])) == pytest.approx(1.0)
    assert float(feature_loss(features, pairs[2:])) == pytest.approx(2.0)
    assert float(feature_loss(features, pairs)) == pytest.approx(1.0)
    assert float(feature_loss(features, pairs[:0])) == 0.0


def test_total_variation_in_closed_form() -> None:
    assert float(total_variation(torch.full((2, 3, 8, 8), 0.3))) == 0.0
    step = torch.zeros(2, 1, 6, 4)
    step[0, :, :, 2:] = 1.0  # six rows, one step of 1 each, in one image of two
    assert float(total_variation(step)) == 3.0
    assert float(total_variation(step.mT)) == 3.0


@pytest.mark.parametrize("loss", ["features", "variation"])
def test_gradients_by_finite_differences(loss: str) -> None:
    torch.manual_seed(0)
    pairs = torch.tensor([[0, 1], [2, 3]])
    if loss == "features":
        given = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x: feature_loss(x, pairs), given)
    else:
        image = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(total_variation, image)


def test_parameters_are_those_of_the_paper() -> None:
    spec = LatentSpec(FactoredSettings().factors, 5)
    generator = GeometryGenerator(NetworkSettings(), spec.size, 0.1)
    assert sum(item.numel() for item in generator.parameters()) == 3_453_824 + 3  # and a bias
    factors = tuple(dataclasses.replace(f, classes=("a", "b")) for f in spec.factors)
    narrow = NetworkSettings(64, 8, 16, features=None)
    heads = FactoredDiscriminator(narrow, factors)(torch.zeros(2, 3, 64, 64), ["identity"])
    assert heads.features["identity"].shape == (2, 2048)
    assert heads.score is not None and heads.score.shape == (2,)
    assert heads.logits["identity"].shape == (2, 2)


def test_trained_run_needs_no_data(tmp_path: Path) -> None:
    faces = sheet_faces()
    settings = dataclasses.replace(SMALL, loop=dataclasses.replace(SMALL.loop, steps=4))
    train_factored(settings, faces, tmp_path / "run")
    model = load_factored(tmp_path / "run")
    data = prepare_images(settings, faces)
    assert model.spec.factor("expression").classes == ("a", "b", "c")
    assert np.array_equal(model.template.mesh.vertices, data.template.mesh.vertices)
    codes = model.draw(3, seed=1, expression=["c", "a", "c"])
    assert np.array_equal(codes.part("expression")[[0, 2]], model.fixed["expression"][[2, 2]])
    vertices = model.vertices(codes)
    assert vertices.shape == (3, 81, 3)
    task = build_task("full")
    for _ in range(4):
        task.step()
    with torch.no_grad():
        images = task.networks["generator_ema"](torch.from_numpy(codes.values))
    assert torch.equal(images, torch.from_numpy(model.images(codes)))
    meshes = model.meshes(codes)
    assert meshes[0].topology_id == faces.template.mesh.topology_id and meshes[0].unit == "mm"
    with pytest.raises(ResumeError):
        train_factored(dataclasses.replace(settings, noise=3), faces, tmp_path / "run")


def test_bad_settings_are_told_in_a_sentence() -> None:
    with pytest.raises(SettingsError, match="expected 1 to 4096, got 0"):
        Factor("identity", 0)
    with pytest.raises(SettingsError, match="each once"):
        FactoredSettings(factors=(Factor("a", 1), Factor("a", 2)))
    with pytest.raises(SettingsError, match="power of two"):
        NetworkSettings(size=48)
    with pytest.raises(SettingsError, match="pairs of faces"):
        FactoredSettings(batch=31)
    with pytest.raises(SettingsError, match="recipe"):
        recipe("fast")
    with pytest.raises(SettingsError, match="arm"):
        recipe("tiny", arm="none")  # type: ignore[arg-type]
    spec = spec_of(6, 3)
    with pytest.raises(SettingsError, match="factors identity, expression, got 'age'"):
        spec.span("age")
