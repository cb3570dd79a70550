"""Every visibility backend returns the same integers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.rendering.camera import view_rotation
from geomface.rendering.visibility import BACKENDS, torch_backend

EXACT = ["numba", "torch"]
ALL = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            BACKENDS[name].missing() is not None, reason=f"{name} is not installed"
        ),
    )
    for name in BACKENDS
]
OTHERS = [item for item in ALL if item.values[0] not in EXACT]


def soup(seed: int, count: int, size: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Random triangles, some sharing vertices, on a lattice so that edges meet pixel centres."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-8, int(4 * size) + 8, (2 * count, 2)) / 4
    depth = rng.integers(1, 6, (2 * count, 1)) + rng.random((2 * count, 1)) * (seed % 2)
    faces = rng.integers(0, 2 * count, (count, 3))
    return torch.tensor(np.concatenate([points, depth], 1))[None], torch.tensor(faces)


def grid(count: int, offset: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    axis = offset + np.arange(count, dtype=float)
    xy = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return torch.tensor(np.concatenate([xy, np.ones((len(xy), 1))], 1))[None], torch.tensor(faces)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([(9, 14), (16, 16), (23, 5)]))
def test_torch_and_numba_agree_to_the_last_pixel(seed, perspective, size):
    xyz, faces = soup(seed, 30, max(size))
    found = [BACKENDS[name].face_ids(xyz, faces, *size, perspective=perspective) for name in EXACT]
    assert torch.equal(found[0], found[1])
    assert found[0].dtype == torch.int32


@pytest.mark.parametrize("name", EXACT)
def test_grid_on_pixel_centres_has_no_crack_and_no_double_hit(name):
    xyz, faces = grid(33)
    together = BACKENDS[name].face_ids(xyz, faces, 34, 34)[0] >= 0
    # Every triangle alone, as an image of its own.
    alone, triangle = xyz[0][faces], torch.tensor([[0, 1, 2]])
    if name == "torch":
        ids = torch_backend._draw(alone, triangle, 34, 34, True)
    else:
        ids = BACKENDS[name].face_ids(alone, triangle, 34, 34)
    owners = (ids >= 0).sum(dim=0)
    assert (owners[:32, :32] == 1).all()
    assert owners.sum() == 32 * 32
    assert torch.equal(owners == 1, together)


@pytest.mark.parametrize("name", EXACT)
def test_an_image_does_not_depend_on_its_batch_or_on_the_portions(name, monkeypatch):
    shapes = torch.cat([soup(seed, 40, 20)[0] for seed in range(3)])
    faces = soup(3, 40, 20)[1]
    backend = BACKENDS[name]
    together = backend.face_ids(shapes, faces, 20, 20)
    alone = torch.cat([backend.face_ids(shape[None], faces, 20, 20) for shape in shapes])
    assert torch.equal(together, alone)
    monkeypatch.setattr(torch_backend, "_BOX_BUDGET", 500)
    assert torch.equal(backend.face_ids(shapes, faces, 20, 20), together)
    # All images in one go, as on CUDA.
    if name == "torch":
        assert torch.equal(torch_backend._draw(shapes, faces, 20, 20, True), together)


def test_threads_do_not_change_the_pictures():
    shapes = torch.cat([soup(seed, 40, 20)[0] for seed in range(6)])
    faces = soup(3, 40, 20)[1]
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(BACKENDS["numba"].face_ids(shapes, faces, 20, 20))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])


@pytest.mark.parametrize("name", ALL)
def test_depth_is_interpolated_as_the_camera_says(name):
    """Two planes cross where 1 / z (or z) says so, not where the other would."""
    square = np.array([[0, 0], [64, 0], [64, 8], [0, 8]], float)
    tilted = np.array([100.0, 400.0, 400.0, 100.0])
    flat = np.full(4, 160.0)
    xyz = np.concatenate([np.column_stack([square, tilted]), np.column_stack([square, flat])])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    for perspective, crossing in (
        (True, 64 * (1 / 100 - 1 / 160) / (1 / 100 - 1 / 400)),
        (False, 12.8),
    ):
        ids = BACKENDS[name].face_ids(
            torch.tensor(xyz)[None], faces, 8, 64, perspective=perspective
        )[0]
        # Rows and columns on the border are left out: edges lie on them.
        seen = ids[1:7, 1:63] <= 1
        expected = torch.arange(1, 63) + 0.5 < crossing
        assert (seen == expected).all()


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_seen_is_left_out(name):
    xyz = torch.tensor(
        [
            [1.2, 1.2, 5],
            [14.3, 1.2, 5],
            [1.2, 14.3, 5],
            [3, 3, -1],
            [torch.nan, 2, 5],
            [7.7, 1.2, 5],
        ]
    )[None].double()
    backend = BACKENDS[name]
    behind = torch.tensor([[0, 1, 3], [0, 1, 4], [0, 5, 1]])
    assert (backend.face_ids(xyz, behind, 16, 16) == -1).all()
    ids = backend.face_ids(xyz, torch.cat([behind, torch.tensor([[0, 1, 2]])]), 16, 16)
    assert set(ids.unique().tolist()) == {-1, 3}


@pytest.mark.parametrize("name", ALL)
def test_a_triangle_larger_than_the_picture_fills_it(name):
    xyz = torch.tensor([[-90.0, -90.0, 2.0], [180.0, -90.0, 2.0], [-90.0, 180.0, 2.0]])[None]
    assert (BACKENDS[name].face_ids(xyz, torch.tensor([[0, 1, 2]]), 12, 20) == 0).all()


@pytest.mark.parametrize("name", ALL)
def test_an_empty_view_is_all_background(name):
    xyz = torch.tensor([[-9.0, -9.0, 2.0], [-8.0, -9.0, 2.0], [-9.0, -8.0, 2.0]])[None]
    ids = BACKENDS[name].face_ids(xyz, torch.tensor([[0, 1, 2]]), 6, 7)
    assert ids.shape == (1, 6, 7)
    assert (ids == -1).all()


@pytest.mark.parametrize("name", OTHERS)
def test_other_backends_agree_on_random_poses_of_a_face(name, shared_data):
    from geomface.faces.ict import load_ict

    model = load_ict(shared_data / "ict" / "ict_face.npz")
    points, faces = model.mesh.vertices, torch.tensor(np.array(model.mesh.faces))
    rng = np.random.default_rng(50)
    poses = 50 if name == "open3d" else 2
    size = 256 if name == "open3d" else 96
    lost, differing, covered = 0, 0, 0
    for _ in range(poses):
        turned = (points - points.mean(axis=0)) @ view_rotation(
            *rng.uniform([-80, -40], [80, 40])
        ).T
        depth = 900 - turned[:, 2]
        xy = size / 2 + 2.5 * size * turned[:, :2] * [1, -1] / depth[:, None]
        xyz = torch.tensor(np.column_stack([xy, depth]))[None]
        expected = BACKENDS["numba"].face_ids(xyz, faces, size, size)
        ids = BACKENDS[name].face_ids(xyz, faces, size, size)
        lost += int(((ids >= 0) != (expected >= 0)).sum())
        differing += int((ids != expected).sum())
        covered += int((expected >= 0).sum())
    assert lost == 0
    assert differing <= 0.002 * covered


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"xyz_pixels": torch.zeros(0, 3, 3)}, MeshError, "empty batch"),
        ({"xyz_pixels": torch.zeros(3, 3)}, MeshError, "shape"),
        ({"faces": torch.tensor([[0, 1, 3]])}, MeshError, "0-based"),
        ({"faces": torch.tensor([[0, 1]])}, MeshError, "shape"),
        ({"height": 0}, SettingsError, "pixel"),
        ({"width": 9000}, SettingsError, "8192"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(name, change, error, words):
    arguments = {
        "xyz_pixels": torch.ones(1, 3, 3),
        "faces": torch.tensor([[0, 1, 2]]),
        "height": 4,
        "width": 4,
    }
    with pytest.raises(error, match=words):
        BACKENDS[name].face_ids(**{**arguments, **change})
