"""Phases, streams, optimisers: what a step does, and what a process may lack."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from geomface.errors import SettingsError
from geomface.learning import (
    ArraySet,
    CheckpointError,
    EmaSettings,
    LoopSettings,
    OptimizerSettings,
    ParameterGroup,
    Phase,
    PhasedTask,
    Schedule,
    Stream,
    System,
    class_batches,
    frozen,
    label_loss,
    load_trained,
    open_run,
    train,
)
from geomface.learning.optimizers import make_optimizer, set_rates
from geomface.learning.state import weights_hash
from geomface.learning.stream import StreamReader


class Pair(PhasedTask):
    """Two weights with losses of one forward: a player and an opponent."""

    def __init__(self, group: str) -> None:
        sgd = OptimizerSettings("sgd", lr=1.0, momentum=0.0)
        super().__init__(
            seed=0,
            build=lambda: {"a": nn.Linear(1, 1, bias=False), "b": nn.Linear(1, 1, bias=False)},
            phases=[
                Phase("a", ("a",), self.product, lambda ab: ab, sgd, group=group),
                Phase("b", ("b",), self.product, lambda ab: -ab, sgd, group=group),
            ],
        )
        self.forwards = 0
        with torch.no_grad():
            self.networks["a"].weight.fill_(2.0)
            self.networks["b"].weight.fill_(3.0)

    def product(self) -> torch.Tensor:
        self.forwards += 1
        return self.networks["b"](self.networks["a"](torch.ones(1, 1))).sum()

    def weights(self) -> tuple[float, float]:
        return tuple(float(self.networks[name].weight.detach()) for name in "ab")  # type: ignore[return-value]


def test_simultaneous_phases_share_a_forward_and_see_the_same_weights() -> None:
    together, apart = Pair("both"), Pair("")
    together.step()
    assert together.weights() == (2 - 3, 3 + 2) and together.forwards == 1
    apart.step()
    assert apart.weights() == (2 - 3, 3 + (2 - 3)) and apart.forwards == 2


def test_lazy_phases_and_bad_intervals() -> None:
    phase = Phase("x", (), lambda: None, lambda _: torch.zeros(()), every=3, offset=2)
    assert [step for step in range(9) if phase.is_due(step)] == [2, 5, 8]
    with pytest.raises(SettingsError, match="phase x: expected 0 <= offset < every, got 3 and 3"):
        Phase("x", (), lambda: None, lambda _: torch.zeros(()), every=3, offset=3)


def test_frozen_passes_gradients_through_and_none_to_its_weights() -> None:
    network, image = nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
    frozen(network)(image).sum().backward()
    assert torch.equal(image.grad, network.weight.detach()) and network.weight.grad is None
    assert all(weight.requires_grad for weight in network.parameters())


class Lacking(PhasedTask):
    """The first rows of a batch have no label: with two processes, one has none at all.

    Trained so in `test_toy_system`.
    """

    def __init__(self) -> None:
        columns = {
            "x": torch.linspace(-1, 1, 24).reshape(8, 3),
            "labels": torch.tensor([-1, -1, -1, -1, 0, 1, 0, 1]),
        }
        super().__init__(
            seed=0,
            build=lambda: {"body": nn.Linear(3, 2), "head": nn.Linear(3, 2)},
            streams=[
                Stream(
                    "rows",
                    ArraySet(columns),
                    2,
                    order=lambda shown, _: torch.tensor([shown // 2 % 4, 4 + shown // 2 % 4]),
                )
            ],
            phases=[Phase("all", ("body", "head"), lambda: self.batch("rows"), self.loss)],
        )

    def one_of_each(self, shown: int, _: int) -> torch.Tensor:
        return torch.tensor([shown // 2 % 4, 4 + shown // 2 % 4])

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        body = self.networks["body"](batch["x"]).square().mean()
        loss = label_loss(self.networks["head"](batch["x"]), batch["labels"])
        return body + loss if bool((batch["labels"] >= 0).any()) else body


class Dropped(PhasedTask):
    """Dropout alone, from torch's own generator; killed in `test_toy_system`."""

    def __init__(self) -> None:
        build = lambda: {"line": nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))}  # noqa: E731
        super().__init__(
            seed=0, build=build, phases=[Phase("line", ("line",), self.rows, self.loss)]
        )

    def rows(self) -> torch.Tensor:
        return torch.ones(4, 8)

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        return (self.networks["line"](rows) - 1).square().mean()


def test_streams_of_one_size_differ_by_name() -> None:
    data = ArraySet({"x": torch.arange(50.0)})
    shown = [
        torch.cat([Stream(name, data, 10).take(3, at, 10)["x"] for at in range(0, 50, 10)])
        for name in ("renders", "photos", "renders")
    ]
    assert torch.equal(shown[0], shown[2]) and not torch.equal(shown[0], shown[1])
    assert torch.equal(shown[0].sort()[0], shown[1].sort()[0])


def test_reading_ahead_changes_nothing() -> None:
    data = ArraySet({"x": torch.arange(30.0)})

    def augment(batch, draws):
        return {"x": batch["x"] + draws.normal()}

    plain, ahead = (Stream("s", data, 4, augment=augment, prefetch=p) for p in (False, True))
    reader = StreamReader(ahead, 1)
    for shown, count in [(0, 4), (4, 4), (8, 6), (14, 6), (3, 6)]:
        assert torch.equal(reader.read(shown, count)["x"], plain.take(1, shown, count)["x"])


def test_balanced_batches_hold_their_classes() -> None:
    labels = torch.tensor([0] * 7 + [1] * 2 + [2] * 5 + [-1] * 4 + [3])
    order = class_batches(labels, 2, 3, seed=0, name="people")
    seen = []
    for start in range(0, 24, 6):
        batch = order(start, 6)
        assert torch.equal(batch, order(start, 6))
        classes = labels[batch].reshape(2, 3)
        assert (classes == classes[:, :1]).all() and classes[0, 0] != classes[1, 0]
        for label, rows in zip(classes[:, 0], batch.reshape(2, 3), strict=True):
            assert len(set(rows.tolist())) == min(3, int((labels == label).sum()))
        seen += classes[:, 0].tolist()
    assert sorted(seen[:4]) == sorted(seen[4:]) == [0, 1, 2, 3]
    with pytest.raises(SettingsError, match="at least the 5 classes of a batch, got 4"):
        class_batches(labels, 5, 1, seed=0, name="people")


def test_schedules() -> None:
    cosine = Schedule("cosine", warm_up=0.1, floor=0.01)
    assert cosine.rate(0.05) == 0.5 and cosine.rate(0.5) == pytest.approx(0.5)
    assert cosine.rate(0.0) == cosine.rate(1.0) == 0.01
    settle = Schedule("linear", begin=0.5, floor=0.05)
    assert [settle.rate(share) for share in (0.2, 0.75, 1.0, 2.0)] == [1.0, 0.5, 0.05, 0.05]
    halving = Schedule("steps", milestones=(0.2, 0.4, 0.6, 0.8, 0.9), factor=0.5, floor=0.0625)
    assert [halving.rate(share) for share in (0.1, 0.2, 0.7, 0.8, 1.0)] == [
        1,
        0.5,
        0.125,
        0.0625,
        0.0625,
    ]
    with pytest.raises(SettingsError, match="constant, linear, cosine or steps"):
        Schedule("poly")  # type: ignore[arg-type]


def test_groups_of_weights_have_their_own_rates() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    weights = {f"net.{name}": weight for name, weight in network.named_parameters()}
    groups = (ParameterGroup("net.1.", lr_factor=10.0, weight_decay=0.0),)
    settings = OptimizerSettings(
        "sgd", lr=0.1, weight_decay=0.5, groups=groups, schedule=Schedule("linear")
    )
    optimizer = make_optimizer(settings, weights)
    set_rates(optimizer, settings, 0.5)
    found = [(len(g["params"]), g["lr"], g["weight_decay"]) for g in optimizer.param_groups]
    assert found == [(2, 0.5, 0.0), (2, 0.05, 0.5)]


def test_ema_settings() -> None:
    assert EmaSettings(0.9999, warm_up=True).at(0, 8) == 0.1
    assert EmaSettings(0.9, warm_up=True).at(10**6, 8) == 0.9
    assert EmaSettings(half_life_images=1000).at(0, 10) ** 100 == pytest.approx(0.5)


def test_phases_of_a_group_need_one_forward() -> None:
    phases = [
        Phase(name, ("x",), forward, lambda _: torch.zeros(()), group="g")
        for name, forward in [("a", lambda: 1), ("b", lambda: 2)]
    ]
    with pytest.raises(SettingsError, match="phases of g: expected one forward, got several"):
        PhasedTask(seed=0, build=lambda: {"x": nn.Linear(1, 1)}, phases=phases)


class Judged(PhasedTask):
    """A line judged by a network that nobody trains."""

    def __init__(self, judge: float) -> None:
        super().__init__(
            seed=0,
            build=lambda: {"line": nn.Linear(2, 1), "judge": nn.Linear(1, 1)},
            phases=[Phase("line", ("line",), lambda: torch.ones(3, 2), self.loss)],
        )
        self.networks["judge"].weight.data.fill_(judge)
        self.state.frozen["judge"] = weights_hash(self.networks["judge"])  # type: ignore[index]

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        return self.networks["judge"](self.networks["line"](rows)).square().mean()


def test_a_run_goes_on_with_its_frozen_networks_only(tmp_path: Path) -> None:
    system, loop = System("judged"), LoopSettings(4, 2, 4, 2)
    task = Judged(2.0)
    result = train(task, open_run(tmp_path, {}, system=system), loop)
    assert "judge" not in load_trained(result.checkpoint, system=system).arrays
    assert load_trained(tmp_path, system=system).frozen == task.state.frozen
    train(Judged(2.0), open_run(tmp_path, {}, system=system), dataclasses.replace(loop, steps=6))
    with pytest.raises(CheckpointError, match="the frozen network 'judge' that the run began with"):
        train(Judged(3.0), open_run(tmp_path, {}, system=system), loop)
