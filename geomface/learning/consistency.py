"""Losses of consistency over any generator G(x, condition): what two ways to one place differ by.

A condition is anything of a row a sample: a map, a label, a vector.
"""

import dataclasses
from collections.abc import Callable, Sequence

import torch

from geomface.errors import SettingsError

Translate = Callable[[torch.Tensor], torch.Tensor]
"""Pictures to pictures."""
Generate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Pictures and conditions to pictures."""


@dataclasses.dataclass(frozen=True, eq=False)
class Routes:
    """Where one and two steps lead; all by one generator, and all with gradients.

    Parameters
    ----------
    images : x
    made : G(x; t), at the target
    returned : G(G(x; t); s), back at the condition s of x itself, where it was asked for
    onward, direct : G(G(x; t); n) and G(x; n), at what follows, where it was asked for
    """

    images: torch.Tensor
    made: torch.Tensor
    returned: torch.Tensor | None = None
    onward: torch.Tensor | None = None
    direct: torch.Tensor | None = None

    def self_loss(self, power: int = 1) -> torch.Tensor:
        """Return how far the way back ends from the start, mean |G(G(x; t); s) - x|^p.

        Source
        ------
        Choi et al. 2018 (StarGAN); Sanchez & Valstar 2018, Eq. 6. Alone it teaches a network to
        hide its input in what it makes, and to hand it back whatever is asked for next.
        """
        return gap(_asked(self.returned, "own"), self.images, power)

    def triple_loss(self, power: int = 1) -> torch.Tensor:
        """Return how far two steps end from one, mean |G(G(x; t); n) - G(x; n)|^p.

        Zero for any generator whose result depends on the condition alone, and for one that is
        exact. Both ways have gradients.

        Source
        ------
        Sanchez & Valstar 2018, Eq. 7; p is 2 in print and 1 in the released code.
        """
        onward, direct = (_asked(item, "following") for item in (self.onward, self.direct))
        return gap(onward, direct, power)


def take_routes(
    generator: Generate,
    images: torch.Tensor,
    target: torch.Tensor,
    *,
    own: torch.Tensor | None = None,
    following: torch.Tensor | None = None,
    direct: torch.Tensor | None = None,
) -> Routes:
    """Return what a generator makes in one step and in two.

    Steps that do not wait for each other are one batch: the rows of a batch must not see each other
    in the generator, as they do in batch norm.

    Parameters
    ----------
    generator : G
    images : x, (N, ...)
    target : conditions t, (N, ...)
    own : conditions s of the images themselves, for the self loss
    following : conditions n, for the triple loss
    direct : conditions n as seen from x, where they are others than from G(x; t)

    Example
    -------
    >>> x, t, n = torch.zeros(2, 3), torch.ones(2, 3), torch.full((2, 3), 2.0)
    >>> routes = take_routes(lambda x, c: x + c, x, t, following=n)
    >>> routes.triple_loss().item()
    1.0
    """
    count = len(images)
    if following is None:
        made, once = generator(images, target), None
    else:
        conditions = torch.cat([target, following if direct is None else direct])
        made, once = generator(torch.cat([images, images]), conditions).split(count)
    asked = [item for item in (own, following) if item is not None]
    if not asked:
        return Routes(images, made)
    further = generator(torch.cat([made] * len(asked)), torch.cat(asked)).split(count)
    returned = None if own is None else further[0]
    return Routes(images, made, returned, None if following is None else further[-1], once)


def self_loss(
    generator: Generate,
    images: torch.Tensor,
    target: torch.Tensor,
    own: torch.Tensor,
    power: int = 1,
) -> torch.Tensor:
    """Return `Routes.self_loss` of a generator."""
    return take_routes(generator, images, target, own=own).self_loss(power)


def triple_loss(
    generator: Generate,
    images: torch.Tensor,
    target: torch.Tensor,
    following: torch.Tensor,
    power: int = 1,
) -> torch.Tensor:
    """Return `Routes.triple_loss` of a generator."""
    return take_routes(generator, images, target, following=following).triple_loss(power)


def chain(
    generator: Generate, images: torch.Tensor, conditions: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """Return what k steps lead to, each from where the last one ended: x_k = G(x_(k-1); c_k).

    Example
    -------
    >>> one = torch.ones(1)
    >>> [item.item() for item in chain(lambda x, c: x + c, one, [one, 2 * one])]
    [2.0, 4.0]
    """
    made: list[torch.Tensor] = []
    for condition in conditions:
        made.append(generator(made[-1] if made else images, condition))
    return made


def cycle(
    there: Translate, back: Translate, images: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return G(x) and G'(G(x)); the loss of the cycle is the gap of the second to x.

    Source
    ------
    Zhu et al. 2017 (CycleGAN).
    """
    made = there(images)
    return made, back(made)


def gap(first: torch.Tensor, second: torch.Tensor, power: int = 1) -> torch.Tensor:
    """Return mean |a - b|^p over all elements; `power` is 1 or 2.

    Raises
    ------
    SettingsError : another power
    """
    if power == 1:
        return torch.nn.functional.l1_loss(first, second)
    if power == 2:
        return torch.nn.functional.mse_loss(first, second)
    raise SettingsError(f"power: expected 1 or 2, got {power!r}.")


def _asked(images: torch.Tensor | None, condition: str) -> torch.Tensor:
    if images is None:
        raise SettingsError(
            f"consistency: expected the condition `{condition}` for this loss, got none. Give it "
            "to take_routes."
        )
    return images
