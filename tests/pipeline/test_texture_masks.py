"""What a texture of a damaged scan shows, and what its mask says."""

import numpy as np
import pytest

import geomface
from geomface.geometry_image import sample_texels
from geomface.geometry_image.sampling import TexelSampling
from geomface.mesh import Mesh
from geomface.pipeline.texture_masks import mask_texture, small_gaps
from geomface.pipeline.texture_settings import DamageSettings

SIZE = 32
SKIN, CLOTH = (0.7, 0.5, 0.4), (0.1, 0.8, 0.2)


@pytest.fixture(scope="module")
def template() -> Mesh:
    return geomface.unwrap(geomface.load_builtin_face().template).mesh


@pytest.fixture(scope="module")
def sampling(template: Mesh) -> TexelSampling:
    return sample_texels(template, SIZE)


def scan_of(template: Mesh, keep: np.ndarray, covered: np.ndarray) -> Mesh:
    """The template as a scan of skin with cloth, without the triangles of vertices not kept."""
    colors = np.where(covered[:, None], CLOTH, SKIN).astype(np.float32)
    faces = template.faces[keep[template.faces].all(axis=1)]
    return Mesh(template.vertices, faces, colors=colors, name="scan")


def test_an_undamaged_scan_is_complete(template: Mesh, sampling: TexelSampling) -> None:
    everywhere = np.ones(len(template.vertices), bool)
    scan = scan_of(template, everywhere, ~everywhere)
    found = mask_texture(
        template, template.vertices, scan, SIZE, DamageSettings(), covered=None, sampling=sampling
    )
    assert found.valid.all() and found.figures()["complete"]
    np.testing.assert_allclose(found.texture, np.broadcast_to(SKIN, (SIZE, SIZE, 3)), atol=1e-3)


def test_holes_and_covers_are_seen_and_masked(template: Mesh, sampling: TexelSampling) -> None:
    """One half of the forehead is missing, the chin is under cloth."""
    x, y = template.vertices[:, 0], template.vertices[:, 1]
    low, high = np.quantile(y, [0.2, 0.8])
    keep, covered = ~((y > high) & (x > 0)), y < low
    scan = scan_of(template, keep, covered)
    damage = DamageSettings(hole_color=(0.0, 0.0, 1.0))
    found = mask_texture(
        template,
        template.vertices,
        scan,
        SIZE,
        damage,
        covered=covered.astype(np.float64),
        sampling=sampling,
    )
    blue = (found.texture == (0, 0, 1)).all(axis=2)
    green = np.abs(found.texture - CLOTH).max(axis=2) < 0.01
    skin = np.abs(found.texture - SKIN).max(axis=2) < 0.01
    assert blue.any() and green.any()
    assert not found.valid[blue].any() and not found.valid[green].any()
    # What counts as skin looks like skin, but for texels that mix a little cloth.
    assert np.abs(found.texture - SKIN).max(axis=2)[found.valid].max() < 0.07
    assert skin[found.valid].mean() > 0.98
    assert 0.02 < found.hole_share < 0.4 and 0.05 < found.covered_share < 0.5
    smooth = mask_texture(
        template,
        template.vertices,
        scan,
        SIZE,
        DamageSettings(holes="smooth"),
        covered=None,
        sampling=sampling,
    )
    assert not (smooth.texture == (0, 0, 1)).all(axis=2).any() and not smooth.valid.all()


def test_small_gaps_only() -> None:
    skin = np.ones((20, 20), bool)
    skin[2:5, 2:5] = False
    skin[8:18, 8:18] = False
    gaps = ~skin
    closed = small_gaps(gaps, skin, 3.0)
    assert closed[2:5, 2:5].all() and closed.sum() == 9
    assert not small_gaps(gaps, skin, 0.0).any()
    assert not small_gaps(gaps, np.zeros_like(skin), 3.0).any()
    assert small_gaps(gaps, skin, 5.0).sum() == 109
