"""The arm of attributes: networks, one training, and what its accuracy counts."""

import dataclasses
import math

import pytest
import torch
from training_kit import check_only_its_own

from geomface.gan.landmark_reenactment.star_networks import StarDiscriminator, StarGenerator
from geomface.gan.landmark_reenactment.star_task import (
    AttributeChange,
    StarSettings,
    attribute_accuracy,
)
from geomface.learning import ArraySet, ComputeSettings

SMALL = StarSettings(16, 4, 1, batch=4, every=2, compute=ComputeSettings("cpu"))


def build_task(settings: StarSettings = SMALL) -> AttributeChange:
    drawn = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 3, 16, 16), generator=drawn).byte()
    data = ArraySet({"images": images, "labels": torch.arange(12) % 3})
    return AttributeChange(settings, data, 3)


def test_networks_are_those_of_the_paper() -> None:
    generator, judge = StarGenerator(5), StarDiscriminator(8, 128)
    counts = [sum(w.numel() for w in network.parameters()) for network in (generator, judge)]
    assert counts == [8_430_528, 44_786_624]  # as the released code counts them
    scores, logits = judge(torch.zeros(2, 3, 128, 128))
    assert scores.shape == (2,) and logits.shape == (2, 8)


@pytest.mark.parametrize("triple", [10.0, 0.0])
def test_it_trains(triple: float) -> None:
    task = build_task(dataclasses.replace(SMALL, triple=triple))
    metrics = task.step() | task.step()
    assert all(math.isfinite(float(value)) for value in metrics.values())
    assert ("triple_consistency" in metrics) == (triple > 0) and "self_consistency" in metrics
    assert task.samples().shape == (1, 3, 7 * 16, 6 * 16)
    check_only_its_own(task)


def test_accuracy_counts_what_was_asked_for() -> None:
    images = torch.zeros(50, 3, 4, 4)

    def obeys(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(labels, 3).float()[:, :, None, None].expand(-1, 3, 4, 4)

    def once(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Obeys, but hands back what it has made."""
        return torch.where(x.amax(dim=(1, 2, 3), keepdim=True) > 0, x, obeys(x, labels))

    for made, second in ((obeys, 1.0), (once, 0.0)):
        made.classes = 3  # type: ignore[attr-defined]
        found = attribute_accuracy(made, lambda x: x[:, :, 0, 0], images)  # type: ignore[arg-type]
        assert found == {"first": 1.0, "second": second}
