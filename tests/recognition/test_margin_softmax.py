"""Margin softmax with soft targets: its closed forms, its gradient, what it refuses."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from geomface.errors import SettingsError
from geomface.recognition import (
    MarginHead,
    MarginSettings,
    SoftTargets,
    arcface,
    blend,
    cosface,
    margin_loss,
    margin_strength,
    mix,
    one_hot,
    sphereface,
)
from geomface.recognition.margins.margin_cosine import margin_cosine

FIRST, SECOND, THIRD = torch.tensor([0, 3, 5, 1]), torch.tensor([2, 1, 0, 4]), torch.arange(4) + 6


def cosines(rows: int = 4, classes: int = 11) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    drawn = 2.0 * torch.rand(rows, classes, generator=generator, dtype=torch.float64) - 1.0
    return drawn.requires_grad_()


def one_head(c: torch.Tensor, labels: torch.Tensor, phi: torch.Tensor, s: float) -> torch.Tensor:
    """Logits of a head with a margin at one class of each row, as the released code makes them."""
    here = F.one_hot(labels, c.shape[1]).bool()
    return s * torch.where(here, phi, c)


def additive(c: torch.Tensor, m: float) -> torch.Tensor:
    """ArcFace as released, with "easy margin" off."""
    phi = c * math.cos(m) - (1 - c * c).sqrt() * math.sin(m)
    return torch.where(c > math.cos(math.pi - m), phi, c - math.sin(math.pi - m) * m)


def check(loss: torch.Tensor, expected: torch.Tensor, c: torch.Tensor) -> None:
    torch.testing.assert_close(loss, expected)
    slopes = [torch.autograd.grad(item, c, retain_graph=True)[0] for item in (loss, expected)]
    torch.testing.assert_close(*slopes)


def spherical(c: torch.Tensor) -> torch.Tensor:
    """SphereFace's for m = 4, of Chebyshev's polynomial; k counts the turns."""
    angle = torch.arccos(c.detach())
    k = torch.floor(4 * angle / math.pi)
    return (1 - 2 * (k % 2)) * (8 * c**4 - 8 * c**2 + 1) - 2 * k


@pytest.mark.parametrize(
    ("settings", "phi"),
    [
        (arcface(), lambda c: additive(c, 0.5)),
        (arcface(2.0, scale=64.0), lambda c: additive(c, 2.0)),
        (cosface(0.4), lambda c: c - 0.4),
        (sphereface(4.0), spherical),
        (MarginSettings(m2=0.3, m3=0.2), lambda c: additive(c, 0.3) - 0.2),
    ],
)
@pytest.mark.parametrize("mode", ["mass_scaled", "full"])
def test_one_class_a_row_is_the_plain_margin_loss(
    settings: MarginSettings, phi: Callable[[torch.Tensor], torch.Tensor], mode: str
) -> None:
    c = cosines()
    settings = MarginSettings(settings.m1, settings.m2, settings.m3, settings.scale, mode)  # type: ignore[arg-type]
    expected = F.cross_entropy(one_head(c, FIRST, phi(c), settings.scale), FIRST)
    check(margin_loss(c, one_hot(FIRST), settings), expected, c)


def test_mixed_targets_are_the_blend_of_three_heads() -> None:
    c, psi, weights = cosines(), 0.6, (0.3, 0.7)
    phi, labels = additive(c, 0.5), (FIRST, SECOND, THIRD)
    masses = (psi * weights[0], psi * weights[1], 1 - psi)
    heads = [one_head(c, item, phi, 30.0) for item in labels]
    synthetic = weights[0] * heads[0] + weights[1] * heads[1]
    logits = psi * synthetic + (1 - psi) * heads[2]
    expected = torch.stack(
        [mass * F.cross_entropy(logits, item) for mass, item in zip(masses, labels, strict=True)]
    ).sum()
    targets = blend(psi, mix(FIRST, SECOND, weights[0]), one_hot(THIRD))
    torch.testing.assert_close(targets.masses, torch.tensor([masses]).expand(4, 3))
    targets = SoftTargets(targets.classes, torch.tensor([masses], dtype=torch.float64).expand(4, 3))
    check(margin_loss(c, targets, arcface()), expected, c)


def test_the_whole_margin_for_each_target() -> None:
    c = cosines()
    both = F.one_hot(FIRST, 11).bool() | F.one_hot(SECOND, 11).bool()
    shares = torch.log_softmax(30 * torch.where(both, additive(c, 0.5), c), dim=1)
    first, second = (shares.gather(1, item[:, None]) for item in (FIRST, SECOND))
    expected = -(0.25 * first + 0.75 * second).mean()
    check(margin_loss(c, mix(FIRST, SECOND, 0.25), MarginSettings(mode="full")), expected, c)


def test_no_margin_is_cross_entropy_and_warm_up_leads_from_it() -> None:
    c, targets = cosines(), one_hot(FIRST)
    plain = F.cross_entropy(30 * c, FIRST)
    check(margin_loss(c, targets, arcface(0.0)), plain, c)
    check(margin_loss(c, targets, arcface(), 0.0), plain, c)
    settings = arcface(warm_up=4)
    strengths = [margin_strength(settings, step) for step in range(6)]
    assert strengths == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0] and margin_strength(arcface(), 0) == 1.0
    losses = [margin_loss(c, targets, settings, item).item() for item in strengths]
    assert sorted(losses) == losses and losses[0] < losses[3]


def test_the_printed_triple_gives_the_target_no_gradient() -> None:
    c = torch.linspace(-1, 1, 9, dtype=torch.float64)
    assert (margin_cosine(c, 0.0, 0.5, 0.0)[1] == 0).all()
    assert (margin_cosine(c, 1.0, 0.5, 0.0)[1] > 0).all()
    with pytest.raises(SettingsError, match=r"meant as \(1, m2, 0\)"):
        MarginSettings(0.0, 0.5, 0.0)


@pytest.mark.parametrize("settings", [arcface(), sphereface(), sphereface(4.0), cosface()])
@pytest.mark.parametrize("mass", [1.0, 0.3])
def test_the_gradient_is_right_near_the_ends(settings: MarginSettings, mass: float) -> None:
    near = torch.tensor([1 - 1e-3, 1 - 1e-6, 1e-6 - 1, 1e-3 - 1, 0.2], dtype=torch.float64)
    c = torch.cat([near[:, None], 0.1 * cosines(5, 6)], dim=1).detach().requires_grad_()
    targets = mix(torch.zeros(5, dtype=torch.int64), torch.arange(5) + 1, mass)
    targets = SoftTargets(targets.classes, targets.masses.double())
    assert torch.autograd.gradcheck(
        lambda item: margin_loss(item, targets, settings), (c,), eps=1e-9, atol=1e-4, rtol=1e-3
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("settings", [arcface(), sphereface(), sphereface(2.0), cosface()])
def test_the_ends_and_what_rounding_puts_beyond_them_are_finite(
    settings: MarginSettings, dtype: torch.dtype
) -> None:
    ends = torch.tensor([1.0, -1.0, 1.0 + 3e-7, -1.0 - 3e-7], dtype=dtype)
    phi, slope = margin_cosine(ends, settings.m1, settings.m2, settings.m3)
    assert torch.isfinite(phi).all() and torch.isfinite(slope).all() and (slope > 0).all()
    if settings.m2 == 0:  # a finite limit: m1^2
        limit = torch.full_like(ends, settings.m1**2)
        rows = slice(None) if settings.m1 % 1 == 0 else slice(0, None, 2)
        torch.testing.assert_close(slope[rows], limit[rows], rtol=1e-3, atol=0)
    c = torch.stack([ends, torch.zeros_like(ends)], dim=1).requires_grad_()
    margin_loss(c, one_hot(torch.zeros(4, dtype=torch.int64)), settings).backward()
    assert c.grad is not None and torch.isfinite(c.grad).all()


def test_a_descriptor_at_its_centre_gets_a_gradient_of_bounded_length() -> None:
    """The slope in the cosine grows without end there; times sin(t) it is sin(t + m)."""
    centre = F.normalize(torch.randn(64, generator=torch.Generator().manual_seed(0)), dim=0)
    for distance in (0.0, 1e-7, 1e-5, 1e-3):
        x = (centre + distance * torch.ones(64)).requires_grad_()
        c = F.linear(F.normalize(x, dim=0)[None], torch.stack([centre, -centre]))
        margin_loss(c, one_hot(torch.tensor([0])), arcface(2.5)).backward()
        assert x.grad is not None and float(x.grad.norm()) <= 30.0


def test_empty_slots_and_unknown_rows_count_for_nothing() -> None:
    c = cosines()
    wide = torch.cat([FIRST[:, None], torch.full((4, 2), -1)], dim=1)
    masses = torch.tensor([[1.0, 0.0, 0.0]]).repeat(4, 1)
    plain = margin_loss(c, one_hot(FIRST), arcface())
    check(margin_loss(c, SoftTargets(wide, masses), arcface()), plain, c)
    check(margin_loss(c, SoftTargets(wide.flip(1), masses.flip(1)), arcface()), plain, c)
    some = FIRST.clone()
    some[2] = -1
    known = torch.tensor([0, 1, 3])
    expected = margin_loss(c[known], one_hot(FIRST[known]), arcface())
    check(margin_loss(c, one_hot(some), arcface()), expected, c)
    nobody = margin_loss(c, one_hot(torch.full((4,), -1)), arcface())
    nobody.backward()
    assert nobody.item() == 0.0 and c.grad is not None and not c.grad.any()


def test_a_class_of_both_parents_has_one_slot() -> None:
    targets = blend(0.25, mix(FIRST, SECOND, 0.5), one_hot(FIRST))
    assert targets.classes[0].tolist() == [0, 2, -1]
    assert targets.masses[0].tolist() == [0.875, 0.125, 0.0]
    assert mix(FIRST, FIRST, 0.3).masses.tolist() == [[1.0, 0.0]] * 4
    ratios = torch.tensor([0.0, 1.0, 0.5, 0.25])
    assert mix(FIRST, SECOND, ratios).masses[:, 0].tolist() == ratios.tolist()


def test_ten_thousand_people_fit_and_half_precision_does_not_blur_them() -> None:
    torch.manual_seed(0)
    head, features = MarginHead(10_000, 64), torch.randn(8, 64, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = head(features.bfloat16())
    assert found.dtype == torch.float32 and found.shape == (8, 10_000)
    expected = F.cosine_similarity(features.bfloat16().float()[:, None], head.weight[None], dim=2)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    loss = margin_loss(found, one_hot(torch.arange(8)), arcface())
    loss.backward()
    assert math.isfinite(loss.item()) and head.weight.grad is not None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SoftTargets(FIRST, torch.ones(4)), "classes .B, K. int64"),
        (lambda: SoftTargets(FIRST[:, None].int(), torch.ones(4, 1)), "int64"),
        (lambda: SoftTargets(FIRST[:, None], torch.ones(4, 1).int()), "floating masses"),
        (lambda: SoftTargets(FIRST[:, None], 0.5 * torch.ones(4, 1)), "sum to 1.*in row 0"),
        (lambda: SoftTargets(FIRST[:, None], torch.full((4, 1), math.nan)), "sum to 1"),
        (lambda: one_hot(torch.tensor([-2])), "Number the people from 0"),
        (lambda: SoftTargets(torch.zeros(1, 2).long(), torch.full((1, 2), 0.5)), "class twice"),
        (lambda: mix(FIRST, SECOND, 1.5), "ratio: expected 0 to 1"),
        (lambda: blend(0.5, one_hot(FIRST), one_hot(FIRST[:2])), "got 4 and 2"),
        (lambda: margin_loss(cosines(3), one_hot(FIRST), arcface()), "one row for each target"),
        (lambda: margin_loss(cosines(4, 5), one_hot(FIRST), arcface()), "0 to 4, got 5"),
        (lambda: margin_loss(cosines(), one_hot(FIRST), arcface(), 2.0), "strength: expected 0"),
        (lambda: MarginHead(1, 4), "classes: expected"),
        (lambda: arcface(-0.1), "m2: expected 0 to 3"),
        (lambda: arcface(scale=0.0), "scale: expected a positive"),
        (lambda: MarginSettings(mode="half"), "mode: expected mass_scaled or full"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make()
