"""Mixups: the grid by counts, partners without replacement, ratios that a resumed run draws too."""

import numpy as np
import pytest
import torch

from geomface.errors import SettingsError
from geomface.recognition import (
    MixupSettings,
    blend_domains,
    domain_ratio,
    draw_identity_mixes,
    one_hot,
    phi_grid,
)


def test_grids_have_exact_counts_and_values() -> None:
    assert len(phi_grid()) == 21 and len(phi_grid(0.6, 1.0, 0.05)) == 9
    assert len(phi_grid(0.6, 1.0, 0.04)) == 11 and phi_grid(1.0, 1.0, 0.05).tolist() == [1.0]
    np.testing.assert_allclose(phi_grid(), np.arange(21) / 20, rtol=0, atol=1e-15)
    with pytest.raises(SettingsError, match="from 0.6 to 1.0, got 0.15"):
        phi_grid(0.6, 1.0, 0.15)
    for low, high, step in ((0.5, 0.4, 0.05), (-0.1, 1.0, 0.05), (0.0, 1.0, 0.0)):
        with pytest.raises(SettingsError):
            MixupSettings(low, high, step)


def test_partners_are_others_and_none_comes_twice_before_all_came() -> None:
    for identity in (0, 4, 9):
        mixes = draw_identity_mixes(identity, 10, 20, seed=1)
        for part in (mixes.partners[:9], mixes.partners[9:18]):
            assert sorted(part) == [other for other in range(10) if other != identity]
        again = draw_identity_mixes(identity, 10, 7, seed=1)
        assert (again.partners == mixes.partners[:7]).all()
        assert (again.ratios == mixes.ratios[:7]).all()
    assert (draw_identity_mixes(4, 10, 20, seed=2).partners != mixes.partners).any()
    assert len(draw_identity_mixes(0, 2, 0, seed=0).partners) == 0
    with pytest.raises(SettingsError, match="2 or more, got 1"):
        draw_identity_mixes(0, 1, 5, seed=0)
    with pytest.raises(SettingsError, match="0 to 4, got 5"):
        draw_identity_mixes(5, 5, 5, seed=0)


def test_ratios_are_of_the_grid_and_each_as_likely() -> None:
    settings = MixupSettings(0.6)
    drawn = np.concatenate(
        [draw_identity_mixes(k, 50, 90, seed=0, settings=settings).ratios for k in range(50)]
    )
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == settings.grid.tolist()
    assert np.abs(counts / len(drawn) - 1 / 9).max() < 0.02
    steps = [domain_ratio(0, step) for step in range(400)]
    assert set(steps) == set(phi_grid()) and steps[70] == domain_ratio(0, 70)
    assert [domain_ratio(1, step) for step in range(400)] != steps


def test_domains_are_blended_with_their_targets() -> None:
    one, other = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    first, second = one_hot(torch.tensor([0, 1])), one_hot(torch.tensor([2, -1]))
    pictures, targets = blend_domains(0.75, (one, first), (other, first))
    assert (pictures == 0.25).all() and targets.masses.tolist() == [[1.0, 0.0]] * 2
    assert blend_domains(1.0, (one, first), (other, second))[1].masses.tolist() == [[1, 0], [1, 0]]
    with pytest.raises(SettingsError, match="batches of one shape"):
        blend_domains(0.5, (one, first), (other[:, :, 1:], second))
