"""Losses of consistency in closed form, over generators that are known."""

import pytest
import torch

from geomface.errors import SettingsError
from geomface.learning import chain, cycle, gap, self_loss, take_routes, triple_loss


def draws(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    drawn = torch.Generator().manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64, generator=drawn) for shape in shapes]


def test_exact_generators_and_those_of_the_condition_alone_are_consistent() -> None:
    x, s, t, n = draws(*[(4, 3)] * 4)
    identity = x - s  # what an exact renderer keeps

    def exact(images: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return identity.repeat(len(images) // 4, 1) + condition

    assert triple_loss(lambda images, c: c.sin(), x, t, n) == 0
    assert triple_loss(exact, x, t, n) == 0
    torch.testing.assert_close(self_loss(exact, x, t, s), torch.zeros_like(x[0, 0]))


def test_one_that_hands_back_its_input_pays_for_it() -> None:
    """The self loss sees nothing of a network that ignores what it is asked for."""
    x, s, t, n = draws(*[(4, 3)] * 4)
    assert self_loss(lambda images, c: images, x, t, s) == 0
    half = triple_loss(lambda images, c: 0.5 * images + c, x, t, n)
    torch.testing.assert_close(half, (0.5 * t - 0.25 * x).abs().mean())


@pytest.mark.parametrize("power", [1, 2])
def test_routes_are_those_of_steps_one_by_one(power: int) -> None:
    x, s, t, n, w = draws(*[(4, 3)] * 4, (3, 3))
    w.requires_grad_(True)

    def generator(images: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return (images @ w).tanh() + condition

    routes = take_routes(generator, x, t, own=s, following=n)
    made, onward = chain(generator, x, [t, n])
    direct = generator(x, n)
    torch.testing.assert_close(routes.made, made)
    torch.testing.assert_close(routes.direct, direct)
    apart = (onward - direct).abs() ** power
    torch.testing.assert_close(routes.triple_loss(power), apart.mean())
    back = (generator(made, s) - x).abs() ** power
    torch.testing.assert_close(routes.self_loss(power), back.mean())
    # Both ways have gradients.
    found = torch.autograd.grad(routes.triple_loss(power), w)
    torch.testing.assert_close(found, torch.autograd.grad(apart.mean(), w))
    torch.testing.assert_close(triple_loss(generator, x, t, n, power), apart.mean())
    torch.testing.assert_close(self_loss(generator, x, t, s, power), back.mean())


def test_cycles_and_gaps() -> None:
    (x,) = draws((2, 3))
    made, back = cycle(torch.exp, torch.log, x)
    torch.testing.assert_close((made, back), (x.exp(), x))
    assert gap(x, x + 2, 1).item() == pytest.approx(2) and gap(x, x + 2, 2).item() == pytest.approx(
        4
    )


def test_what_was_not_asked_for_is_refused() -> None:
    (x,) = draws((2, 3))
    routes = take_routes(lambda images, c: c, x, x)
    with pytest.raises(SettingsError, match="condition `own`"):
        routes.self_loss()
    with pytest.raises(SettingsError, match="condition `following`"):
        routes.triple_loss()
    with pytest.raises(SettingsError, match="power: expected 1 or 2"):
        gap(x, x, 3)
