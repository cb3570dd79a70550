"""Identity mixup: with whom, and at which ratio, each picture of a person is mixed."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.ranges import NOT_NEGATIVE, require_number
from geomface.synthesis.mixup_ratios import MixupSettings
from geomface.synthesis.streams import stream


@dataclasses.dataclass(frozen=True, eq=False)
class IdentityMixes:
    """With whom the pictures of a person are mixed.

    Parameters
    ----------
    partners : (S,) int64, the other person in each picture
    ratios : (S,) float64, the share of the person; the partner has the rest

    Example
    -------
    >>> from geomface.recognition import IdentityMixes, draw_identity_mixes
    >>> isinstance(draw_identity_mixes(3, 10, 4, seed=1), IdentityMixes)
    True
    """

    partners: IndexArray
    ratios: FloatArray


def draw_identity_mixes(
    identity: int,
    identities: int,
    samples: int,
    *,
    seed: int,
    settings: MixupSettings | None = None,
) -> IdentityMixes:
    """Return partners and ratios of all pictures of a person.

    alpha = phi alpha_identity + (1 - phi) alpha_partner

    All other people come once before any comes twice. A function of the seed and the person; with
    more samples, the first ones stay.

    Parameters
    ----------
    identity : number of the person, from 0
    identities : people in the set
    samples : pictures of the person
    seed : of the set
    settings : ratios, default 0, 0.05, ..., 1

    Raises
    ------
    SettingsError : fewer than two people, or a person who is not of the set

    Source
    ------
    Qiu et al. 2021, SynFace, Eq. 2; partners without replacement as in their code.

    Example
    -------
    >>> from geomface.recognition import draw_identity_mixes
    >>> mixes = draw_identity_mixes(3, 10, 4, seed=1)
    >>> len(set(mixes.partners.tolist()) - {3})
    4
    """
    require_number("identities to mix", identities, "[2, inf)", whole=True)
    require_number("samples", samples, NOT_NEGATIVE, whole=True)
    if not 0 <= identity < identities:
        raise SettingsError(
            f"identity mixup: expected a person of 0 to {identities - 1}, got {identity}."
        )
    others = identities - 1
    rng = stream(seed, "identity mixup partners", identity)
    rounds = [rng.permutation(others) for _ in range(-(-samples // others))]
    partners = np.concatenate([np.empty(0, np.int64), *rounds])[:samples]
    grid = (settings or MixupSettings()).grid
    drawn = stream(seed, "identity mixup ratios", identity).integers(len(grid), size=samples)
    return IdentityMixes(partners + (partners >= identity), grid[drawn])
