"""Aligned sets that keep where the face is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.datasets import load_synthetic
from geomface.errors import FileFormatError, SettingsError
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.recognition import Alignment, align_face, load_aligned
from geomface.synthesis import FaceImageSettings

SMALL = Alignment(32, 32)


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("renders") / "set"
    images = FaceImageSettings(identities=2, samples=2, size=64, outputs=("rgb", "alpha"))
    generate_faces(FaceSetSettings(images, folder))
    return folder


def test_masks_lie_over_the_pictures(renders: Path, tmp_path: Path) -> None:
    align_set(AlignedSetSettings(renders, tmp_path / "set", SMALL, part_pictures=3, masked=True))
    faces = load_aligned(tmp_path / "set")
    batch = faces.batch(torch.arange(4))
    masks = batch["masks"].numpy()
    assert masks.shape == (4, 1, 32, 32) and 0 <= masks.min() < 0.01 and masks.max() > 0.99
    # The background of a render is black: what alpha hides is.
    shown = 0.5 * (batch["images"].numpy() + 1)
    assert shown[np.broadcast_to(masks < 0.005, shown.shape)].max() < 0.02
    source = load_synthetic(renders)
    for record, mask in zip(source, masks, strict=True):
        alpha = np.repeat(source.image(record, "alpha")[..., None], 3, axis=2)
        expected = align_face(alpha, record.landmarks, SMALL)[..., 0]
        np.testing.assert_allclose(mask[0], expected, atol=0.5 / 255 + 1e-6)
    part = faces.subset(np.array([3, 1]))
    np.testing.assert_array_equal(part.batch(torch.arange(2))["masks"][0], masks[3])
    align_set(AlignedSetSettings(renders, tmp_path / "bare", SMALL))
    bare = load_aligned(tmp_path / "bare")
    assert "masks" not in bare.batch(torch.arange(1))
    assert set(bare.fingerprint().values()).isdisjoint(faces.fingerprint().values())
    for path in (tmp_path / "set").rglob("masks.npy"):
        path.unlink()
    with pytest.raises(FileFormatError, match=r"masks\.npy"):
        load_aligned(tmp_path / "set")


def test_sets_without_alpha_are_refused(tmp_path: Path) -> None:
    images = FaceImageSettings(identities=1, samples=1, size=64, outputs=("rgb",))
    generate_faces(FaceSetSettings(images, tmp_path / "renders"))
    with pytest.raises(SettingsError, match="output alpha.*1 pictures without"):
        align_set(AlignedSetSettings(tmp_path / "renders", tmp_path / "set", SMALL, masked=True))
    assert not (tmp_path / "set").exists()
