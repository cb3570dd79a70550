"""The translation on the kit, its gradients against ones taken one by one, its closed forms."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import nn
from training_kit import check_lives, check_only_its_own, check_processes_agree, train_and_kill
from translation_cases import CASES, SMALL, build_data, build_embedder, build_task

from geomface.errors import SettingsError
from geomface.gan.render_to_photo import NetworkSettings, RenderToPhoto, TranslationSettings, recipe
from geomface.gan.render_to_photo.losses import (
    balance_measure,
    input_loss,
    picture_errors,
    reconstruction_errors,
)
from geomface.learning import BeganBalance, DatasetError, SetMemory, scale_gradient
from geomface.learning.optimizers import make_optimizer, set_rates

LIVES = ("full", "paper", "reconstruction")


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of runs that were killed, and of the same without."""
    folder = tmp_path_factory.mktemp("lives")
    train_and_kill([f"translation_cases:{name}" for name in LIVES], folder)
    return folder


@pytest.mark.parametrize("name", LIVES)
def test_killed_run_ends_as_one_that_was_not(name: str, lives: Path) -> None:
    """What is dropped at random goes on as if nothing had happened."""
    check_lives(f"translation_cases:{name}", lives)


def test_two_processes_are_one(tmp_path: Path) -> None:
    """Centroids, balances and what is dropped are those of the whole batch."""
    names = ("full", "paper")
    check_processes_agree([f"translation_cases:{name}" for name in names], tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_phases_move_their_own_networks_only(name: str) -> None:
    task = build_task(name)
    metrics = task.step() | task.step()
    assert all(math.isfinite(float(value)) for value in metrics.values())
    assert ("identity" in metrics) == (name not in ("no-identity", "cyclegan"))
    assert ("balance/pairs" in metrics) == (name not in ("no-pairs", "no-cycle", "cyclegan"))
    assert all(math.isfinite(value) for value in task.evaluate().values())
    check_only_its_own(task)


@pytest.mark.parametrize("name", ["full", "reconstruction"])
def test_each_network_gets_the_gradient_of_its_own_objective(name: str) -> None:
    """One backward pass a game against each objective differentiated on its own."""
    torch.set_default_dtype(torch.float64)
    try:
        task = build_task(name)
        task._balance("photographs").k.fill_(0.3)
        task._balance("renders").k.fill_(0.7)
        task._balance("pairs").k.fill_(0.2)
        task.networks["people"].centroids.normal_(generator=torch.Generator().manual_seed(1))
        task.networks["generator"].eval()  # drops nothing, so that both see the same pictures
        draws = task._generators["view"].get_state()
        centroids = task.networks["people"].centroids.clone()
        made = task._translate()
        found = {}
        for phase in task.phases:
            loss, _ = phase.loss(made)  # type: ignore[misc]
            named = {f"{n}.{k}": w for n in phase.networks for k, w in weights_of(task, n).items()}
            slopes = torch.autograd.grad(loss, list(named.values()), retain_graph=True)
            found |= dict(zip(named, slopes, strict=True))
        task._generators["view"].set_state(draws)
        task.networks["people"].centroids.copy_(centroids)
        for network, objective in objectives(task).items():
            named = weights_of(task, network)
            slopes = torch.autograd.grad(objective, list(named.values()), retain_graph=True)
            for (key, _), slope in zip(named.items(), slopes, strict=True):
                torch.testing.assert_close(
                    found[f"{network}.{key}"], slope, rtol=1e-9, atol=1e-14, msg=f"{network}.{key}"
                )
    finally:
        torch.set_default_dtype(torch.float32)


def weights_of(task: RenderToPhoto, network: str) -> dict[str, nn.Parameter]:
    return dict(task.networks[network].named_parameters())


def objectives(task: RenderToPhoto) -> dict[str, torch.Tensor]:
    """The four objectives of learned.md 2.3, written out, with k of 0.3, 0.7 and 0.2."""
    nets = task.networks
    generate, invert = nets["generator"], nets["inverse"]
    judge_r, judge_s = nets["photographs_discriminator"], nets["renders_discriminator"]
    x, r = task.batch("renders"), task.batch("photographs")["images"]
    pair = task.batch("pairs")
    y = generate(x["images"])
    back = invert(y)
    l_g, l_back = (y - judge_r(y)).abs().mean(), (back - judge_s(back)).abs().mean()
    l_cyc = (back - x["images"]).abs().mean()
    l_pair = (pair["renders"] - invert(pair["photographs"])).abs().mean()
    l_id = (x["masks"] * (x["images"] - y).abs()).mean()
    l_rec = (generate(pair["renders"]) - pair["photographs"]).abs().mean()
    weight = task.settings.weights.reconstruction
    return {
        "generator": l_g
        + 0.5 * l_cyc
        + task.settings.weights.identity
        * task._identity_loss(dataclasses.replace(task._translate(), translated=y))
        + 0.1 * l_id
        + weight * l_rec,
        "inverse": l_back + 0.5 * l_cyc + 0.5 * (l_pair - 0.2 * l_cyc),
        "photographs_discriminator": (r - judge_r(r)).abs().mean() - 0.3 * l_g,
        "renders_discriminator": (x["images"] - judge_s(x["images"])).abs().mean() - 0.7 * l_back,
    }


def test_losses_have_their_finite_differences() -> None:
    drawn = torch.Generator().manual_seed(0)
    first, second = (
        torch.rand(2, 3, 4, 4, dtype=torch.float64, generator=drawn, requires_grad=True)
        for _ in range(2)
    )
    mask = torch.rand(2, 1, 4, 4, dtype=torch.float64, generator=drawn)
    judge = nn.Conv2d(3, 3, 3, padding=1).double()
    check = torch.autograd.gradcheck
    assert check(picture_errors, (first, second))
    assert check(lambda x, y: input_loss(x, y, mask), (first, second))
    assert check(lambda x: reconstruction_errors(judge, x), first)
    memory = SetMemory(3, 4).double()
    memory.centroids.copy_(torch.rand(3, 4, generator=drawn))
    rows = torch.rand(5, 4, dtype=torch.float64, generator=drawn, requires_grad=True)
    assert check(lambda f: memory.loss(f, torch.tensor([0, 1, 2, 2, -1])), rows)


def test_balances_have_their_closed_form() -> None:
    balance = BeganBalance(gamma=0.5, rate=0.001)
    balance.k.fill_(0.2)
    real, fake = torch.ones(4), torch.full((4,), 0.3)
    balance.update(real, fake)
    assert balance.k.item() == pytest.approx(0.2002)
    assert balance_measure(real.mean(), fake.mean(), 0.5).item() == pytest.approx(1.2)
    for worst, expected in ((1e6, 1.0), (-1e6, 0.0)):
        balance.update(torch.full((4,), worst), fake)
        assert balance.k.item() == expected


def test_a_judge_takes_its_share_on_the_same_way_back() -> None:
    judge, factor = nn.Conv2d(3, 3, 3), torch.tensor(-0.25)
    images = torch.rand(2, 3, 5, 5, requires_grad=True)
    plain = torch.autograd.grad(judge(images).square().sum(), [images, *judge.parameters()])
    scaled = torch.autograd.grad(
        scale_gradient(judge, factor)(images).square().sum(), [images, *judge.parameters()]
    )
    torch.testing.assert_close(scaled[0], plain[0])
    for one, other in zip(scaled[1:], plain[1:], strict=True):
        torch.testing.assert_close(one, factor * other)


def test_the_input_counts_on_the_face_only() -> None:
    images, translated = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert input_loss(images, translated, mask).item() == pytest.approx(0.125)
    assert input_loss(images, translated).item() == pytest.approx(0.5)


def test_balances_move_and_stay_in_their_range() -> None:
    task = build_task("full")
    seen = [task.step() for _ in range(12)]
    for game in ("photographs", "renders", "pairs"):
        values = [float(metrics[f"balance/{game}"]) for metrics in seen]
        assert all(0 <= value <= 1 for value in values), game
        # That of the pairs waits until the way back is better than half of what G' makes of them.
        assert game == "pairs" or len(set(values)) > 1, game
    assert task.networks["people"].centroids.abs().sum() > 0


def test_samples_do_not_depend_on_chance() -> None:
    task = build_task("full")
    first = task.samples()
    assert first.shape == (1, 3, 48, 96) and torch.equal(first, task.samples())


def test_rates_are_halved_down_to_the_floor() -> None:
    settings = recipe("paper")
    assert settings.horizon == 248_000 and settings.networks == NetworkSettings()
    optimizer = make_optimizer(settings.adam(), {"a": nn.Parameter(torch.zeros(1))})
    rates = {}
    for step in (0, 128_000, 192_000, 224_000, 240_000, 247_000):
        set_rates(optimizer, settings.adam(), step / settings.horizon)
        rates[step] = optimizer.param_groups[0]["lr"]
    halves = [8e-5, 4e-5, 2e-5, 1e-5, 5e-6, 5e-6]
    assert list(rates.values()) == pytest.approx(halves)
    printed = recipe("paper", variant="paper").adam()
    set_rates(optimizer, printed, 247_500 / settings.horizon)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(8e-5 / 128)


@pytest.mark.parametrize("name", ["recipe", "arm", "variant"])
def test_unknown_names_are_refused(name: str) -> None:
    given = {"name": "tiny", **({"name": "x"} if name == "recipe" else {name: "x"})}
    with pytest.raises(SettingsError, match=f"{name}: expected one of"):
        recipe(**given)  # type: ignore[arg-type]


def test_data_that_do_not_fit_are_refused() -> None:
    data, embedder = build_data(), build_embedder()
    change = dataclasses.replace
    bare = type(data.renders)({"images": data.renders.columns["images"]})  # type: ignore[attr-defined]
    one = type(data.renders)({"images": data.renders.columns["images"][:1]})  # type: ignore[attr-defined]
    cases = {
        "expected pictures of 32 pixels.*got 16x16": (
            change(SMALL, networks=change(SMALL.networks, size=32)),
            data,
        ),
        "expected two people or more": (SMALL, change(data, people=1)),
        "pairs: expected some, got none": (SMALL, build_data(pairs=False)),
        "masks that show where the face is": (SMALL, change(data, renders=bare)),
    }
    for told, (settings, given) in cases.items():
        with pytest.raises(DatasetError, match=told):
            RenderToPhoto(settings, given, embedder)
    with pytest.raises(DatasetError, match="photographs: expected 2 pictures or more, got 1"):
        change(data, photographs=one)
    with pytest.raises(DatasetError, match="square pictures, got 20x18"):
        change(data, alignment=embedder.alignment)


def test_without_an_embedder_people_do_not_count() -> None:
    task = RenderToPhoto(SMALL, build_data())
    assert "identity" not in task.step() and "people" not in task.networks
    assert isinstance(task.settings, TranslationSettings)
