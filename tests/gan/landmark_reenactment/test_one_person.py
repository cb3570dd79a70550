"""Frames of different people in one group are found, those of one person are not."""

import numpy as np

import geomface as gf
from geomface.gan.landmark_reenactment import Frame, collect_frames
from geomface.gan.landmark_reenactment.one_person import mixed_groups
from geomface.recognition import load_embedder


def test_a_group_of_two_people_is_told_by_the_names_of_its_frames():
    settings = gf.FaceImageSettings(identities=4, samples=6, size=64, track=2, preset="photo")
    batch = gf.FaceSampler(settings).batch([(who, k) for who in range(4) for k in range(6)])

    def frames(groups):
        rows = zip(batch.parameters, batch.images["rgb"], batch.landmarks, groups, strict=True)
        return collect_frames(
            [
                Frame(f"{item.identity}/{item.sample}", image, marks, group, group, item.sample)
                for item, image, marks, group in rows
            ],
            48,
        )

    embedder = load_embedder()
    apart = np.repeat(np.arange(4), 6)
    assert mixed_groups(frames(apart), embedder) == ()
    assert mixed_groups(frames(np.arange(24)), embedder) == ()
    together = np.repeat([0, 1, 2, 2], 6)  # persons 2 and 3 by mistake in one folder
    (note,) = mixed_groups(frames(together), embedder)
    assert "2/" in note and "3/" in note and "different people" in note
