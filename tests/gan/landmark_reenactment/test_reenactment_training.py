"""The reenactment on the kit, its gradients against ones taken one by one, its closed forms."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from reenactment_cases import (
    CASES,
    SMALL,
    build_data,
    build_embedder,
    build_frames,
    build_task,
)
from training_kit import check_lives, check_only_its_own, check_processes_agree, train_and_kill

from geomface.errors import FileFormatError, SettingsError
from geomface.gan.landmark_reenactment import (
    PRESETS,
    CropEmbedder,
    LandmarkReenactment,
    prepare_data,
    recipe,
)
from geomface.gan.landmark_reenactment.losses import (
    feature_loss,
    gram,
    judge_loss,
    perceptual_loss,
    variation,
)
from geomface.gan.landmark_reenactment.triplets import batch_order
from geomface.learning import DatasetError, VggFeatures, load_vgg
from geomface.learning.consistency import gap
from geomface.learning.optimizers import make_optimizer, set_rates
from geomface.recognition import five_points
from geomface.recognition.alignment.warp import similarity_2d

LIVES = ("both", "paper", "warp")


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of runs that were killed, and of the same without."""
    folder = tmp_path_factory.mktemp("lives")
    train_and_kill([f"reenactment_cases:{name}" for name in LIVES], folder)
    return folder


@pytest.mark.parametrize("name", LIVES)
def test_killed_run_ends_as_one_that_was_not(name: str, lives: Path) -> None:
    check_lives(f"reenactment_cases:{name}", lives)


def test_two_processes_are_one(tmp_path: Path) -> None:
    """Which batches are still, and how these move, is decided for the whole batch."""
    check_processes_agree([f"reenactment_cases:{name}" for name in LIVES], tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_phases_move_their_own_networks_only(name: str) -> None:
    task = build_task(name)
    metrics = task.step() | task.step()
    assert all(math.isfinite(float(value)) for value in metrics.values())
    assert ("self_consistency" in metrics) == (name not in ("triple", "none"))
    assert ("triple_consistency" in metrics) == (name not in ("self", "none"))
    assert {"identity", "perceptual"} <= metrics.keys()
    assert task.evaluate()["held_out/first"] > 0
    check_only_its_own(task)


@pytest.mark.parametrize("name", ["both", "warp"])
def test_both_players_get_the_gradients_of_their_own_objectives(name: str) -> None:
    """One forward for both against each pass by itself."""
    torch.set_default_dtype(torch.float64)
    try:
        task = build_task(name)
        batch = task.batch("triplets")
        moved = task._move()
        generate, judge = task.networks["generator"], task.networks["discriminator"]
        s, t, n = (batch[f"{frame}_points"] for frame in ("source", "target", "next"))
        x, wanted, use = batch["source"], batch["target"], task.settings.weights
        made = generate(x, task.condition(t, s))
        embed = task.networks["embedder"]
        who = embed(x, batch["source_points"]).detach()
        objective = (
            -use.adversarial * judge(made).mean()
            + use.pixel * (made - wanted).abs().mean()
            + use.self_consistency * (generate(made, task.condition(s, t)) - x).abs().mean()
            + use.triple_consistency
            * gap(generate(made, task.condition(n, t)), generate(x, task.condition(n, s)))
            + use.identity * feature_loss(embed(made, batch["target_points"]), who)
            + use.perceptual
            * perceptual_loss(task.networks["features"](made), task.networks["features"](wanted))
            + use.variation * variation(made)
        )
        judged = (1 - judge(wanted)).relu().mean() + (1 + judge(made.detach())).relu().mean()
        for name, phase, expected in (
            ("generator", task.phases[0], objective),
            ("discriminator", task.phases[1], judged),
        ):
            loss, _ = phase.loss(moved)  # type: ignore[misc]
            torch.testing.assert_close(loss, expected)
            weights = list(task.networks[name].parameters())
            found = torch.autograd.grad(loss, weights, retain_graph=True)
            # Biases before a norm have no gradient but rounding.
            torch.testing.assert_close(
                found,
                torch.autograd.grad(expected, weights, retain_graph=True),
                atol=1e-9,
                rtol=1e-6,
            )
    finally:
        torch.set_default_dtype(torch.float32)


def test_hinges_have_their_signs() -> None:
    real, fake = torch.ones(4), -torch.ones(4)
    assert judge_loss("hinge", real, fake) == 0
    assert judge_loss("printed", real, fake) == 4
    scores = torch.zeros(2, requires_grad=True)
    (slope,) = torch.autograd.grad(judge_loss("printed", scores[:1], scores[1:]), scores)
    assert slope.tolist() == [1, -1]  # it wants what is made to score high, as the generator does


def test_losses_have_their_closed_forms() -> None:
    one = torch.tensor([[1.0, 0.0]])
    for other, expected in (([2.0, 0.0], 0), ([0.0, 1.0], 1), ([-1.0, 0.0], 2)):
        assert feature_loss(one, torch.tensor([other])).item() == pytest.approx(expected)
    assert variation(torch.full((1, 3, 5, 5), 0.3)) == 0
    column = torch.zeros(1, 1, 4, 5)
    column[..., 2] = 1
    assert variation(column).item() == pytest.approx(8 / 16)
    maps = torch.rand(2, 3, 4, 4)
    assert perceptual_loss({"relu3_3": maps}, {"relu3_3": maps}).item() < 1e-5
    torch.testing.assert_close(gram(maps)[0, 0, 1], (maps[0, 0] * maps[0, 1]).sum() / 48)
    apart = perceptual_loss({"a": maps}, {"a": maps + 0.5})
    assert apart.item() == pytest.approx(0.5)


def test_crops_are_looked_at_as_aligned() -> None:
    embedder = build_embedder()
    drawn = np.random.default_rng(3)
    points = torch.from_numpy(drawn.uniform(3, 12, (2, 68, 2)))
    y, x = torch.meshgrid(*[torch.arange(16.0)] * 2, indexing="ij")
    places = torch.stack([x, y, x + y]).repeat(2, 1, 1, 1).double()
    torch.set_default_dtype(torch.float64)
    try:
        seen = CropEmbedder(embedder).look(places, points)
    finally:
        torch.set_default_dtype(torch.float32)
    for k in range(2):
        there = similarity_2d(embedder.alignment.points, five_points(points[k].numpy() + 0.5))
        shown = there[:, :2] @ [9.5, 10.5] + there[:, 2] - 0.5
        np.testing.assert_allclose(seen[k, :2, 10, 9], shown.clip(0, 15), atol=1e-9)


def test_batches_are_paired_or_not() -> None:
    data = build_data()
    order = batch_order(data, 0.5, seed=0, name="x")
    kinds = []
    for shown in range(0, 160, 4):
        rows = order(shown, 4)
        assert torch.equal(rows, order(shown, 4))
        still = rows >= data.paired
        assert still.all() or not still.any()
        kinds.append(bool(still[0]))
    assert 8 < sum(kinds) < 32
    assert not (batch_order(data, 0.0, seed=0, name="x")(0, 4) >= data.paired).any()


def test_people_are_held_out() -> None:
    frames = build_frames()
    data = prepare_data(frames, held_out=0.3)
    assert data.held_out is not None and data.stills > 0
    shown = set(frames.people[data.shown.rows.ravel()])
    measured = set(frames.people[data.held_out.rows.ravel()])
    assert shown and measured and not shown & measured
    stills = prepare_data(frames.subset(frames.groups >= 5))
    assert stills.paired == 0 and "still pictures only" in stills.notes[0]
    with pytest.raises(DatasetError, match="something left to train on"):
        prepare_data(frames, held_out=0.9999)


def test_samples_do_not_depend_on_chance() -> None:
    task = build_task("both")
    first = task.samples()
    assert first.shape == (1, 3, 5 * 16, 6 * 16) and torch.equal(first, task.samples())


def test_rates_fall_linearly_to_their_floor() -> None:
    settings = recipe("paper")
    assert settings.weights == PRESETS["paper"] and settings.networks.size == 128
    optimizer = make_optimizer(settings.adam(), {"a": torch.nn.Parameter(torch.zeros(1))})
    rates = []
    for step in (0, 100_000, 200_000, 300_000):
        set_rates(optimizer, settings.adam(), step / settings.horizon)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 1e-6])


@pytest.mark.parametrize("name", ["recipe", "arm", "weights"])
def test_unknown_names_are_refused(name: str) -> None:
    given = {"name": "tiny", **({"name": "x"} if name == "recipe" else {name: "x"})}
    with pytest.raises(SettingsError, match=f"{name}: expected one of"):
        recipe(**given)  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused() -> None:
    other = dataclasses.replace(SMALL, networks=dataclasses.replace(SMALL.networks, size=32))
    with pytest.raises(DatasetError, match="expected crops of 32 pixels.*got 16"):
        LandmarkReenactment(other, build_data())
    with pytest.raises(SettingsError, match="game: expected one of"):
        dataclasses.replace(SMALL, game="x")


def test_a_vgg_is_read_by_torchvisions_names(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "vgg.safetensors"
    network = VggFeatures(16)
    maps = network(torch.zeros(1, 3, 32, 32))
    assert {name: tuple(item.shape[1:]) for name, item in maps.items()} == {
        "relu1_2": (64, 32, 32),
        "relu2_2": (128, 16, 16),
        "relu3_3": (256, 8, 8),
        "relu4_3": (512, 4, 4),
    }
    assert sorted(network.taken) == [3, 8, 15, 22] and sorted(VggFeatures(19).taken) == [
        3,
        8,
        15,
        24,
    ]
    save_file(network.state_dict(), str(path))
    again = load_vgg(path)
    torch.testing.assert_close(again(torch.ones(1, 3, 32, 32)), network(torch.ones(1, 3, 32, 32)))
    save_file({"x": torch.zeros(2)}, str(path))
    with pytest.raises(FileFormatError, match="VGG-16 or VGG-19.*got x"):
        load_vgg(path)
    path.write_bytes(b"no")
    with pytest.raises(FileFormatError, match="cannot be read"):
        load_vgg(path)
