"""The batch layout of alternate training: which codes are labelled, which rows share one."""

import dataclasses
from collections.abc import Mapping

import torch

from geomface.gan.factored_geometry.codes import LatentSpec
from geomface.learning import Draws


@dataclasses.dataclass(frozen=True, eq=False)
class CodeBatch:
    """Codes of a batch for the generator, and what is known of them.

    Parameters
    ----------
    codes : (N, D)
    labels : {factor: (N,) int64}, of factors whose codes are those of a label
    pairs : {factor: (P, 2) int64}, rows that share this factor's code
    """

    codes: torch.Tensor
    labels: Mapping[str, torch.Tensor]
    pairs: Mapping[str, torch.Tensor]


def alternate_batch(
    spec: LatentSpec, fixed: Mapping[str, torch.Tensor], draws: Draws, turn: int
) -> CodeBatch:
    """Draw a batch in which one factor is labelled, in turns, and partners share all the others.

    Rows 2i and 2i + 1 are partners: their labels are drawn apart, their codes of all other factors
    are one random code; the noise is always drawn apart. A factor without classifier has no labels,
    so that its turn draws its codes apart.

    Parameters
    ----------
    spec : of the codes
    fixed : {factor: (K, d)} the code of each label
    draws : of an even number of rows
    turn : counts the batches of this use

    Source
    ------
    Abrevaya et al. 2019, section 4.1.3; for more than two factors the turns go round.
    """
    own = spec.factors[turn % len(spec.factors)]
    labels, pairs, parts = {}, {}, []
    partners = None
    for factor in spec.factors:
        if factor is not own:
            parts.append(draws.normal(factor.dims)[0::2].repeat_interleave(2, dim=0))
            partners = torch.arange(len(parts[-1]), device=parts[-1].device).reshape(-1, 2)
            pairs[factor.name] = partners
        elif factor.classified:
            labels[factor.name] = draws.integers(len(factor.classes))
            parts.append(fixed[factor.name][labels[factor.name]])
        else:
            parts.append(draws.normal(factor.dims))
    return CodeBatch(torch.cat([*parts, draws.normal(spec.noise)], dim=1), labels, pairs)


def labelled_batch(
    spec: LatentSpec, fixed: Mapping[str, torch.Tensor], draws: Draws, *, paired: bool = True
) -> CodeBatch:
    """Draw a batch in which every factor with a classifier is labelled: no alternate training.

    Partners share one factor's code each, the factors in turns over the pairs.

    Parameters
    ----------
    spec, fixed, draws : as `alternate_batch`
    paired : False draws all rows apart
    """
    rows = draws.ranks.shard(draws.count) if draws.ranks.count > 1 else torch.arange(draws.count)
    whose = (rows[0::2] // 2) % len(spec.factors)  # the factor that a pair shares
    labels, pairs, parts = {}, {}, []
    for place, factor in enumerate(spec.factors):
        if factor.classified:
            drawn = draws.integers(len(factor.classes))
        else:
            drawn = draws.normal(factor.dims)
        if paired:
            sharing = torch.nonzero(whose == place).flatten().to(drawn.device)
            drawn = drawn.index_copy(0, 2 * sharing + 1, drawn[2 * sharing])
            pairs[factor.name] = torch.stack([2 * sharing, 2 * sharing + 1], dim=1)
        if factor.classified:
            labels[factor.name] = drawn
            drawn = fixed[factor.name][drawn]
        parts.append(drawn)
    return CodeBatch(torch.cat([*parts, draws.normal(spec.noise)], dim=1), labels, pairs)
