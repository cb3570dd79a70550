"""The stages between visibility and light: exact values, gradients, compiled against plain."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st
from render_scenes import sphere

from geomface.errors import SettingsError
from geomface.mesh.normals import vertex_normals as numpy_normals
from geomface.rendering.differentiable import look_at_face
from geomface.rendering.differentiable.attributes import interpolate, interpolate_uv
from geomface.rendering.differentiable.barycentrics import barycentric_weights
from geomface.rendering.differentiable.fragments import fragments_of
from geomface.rendering.differentiable.normals import first_without_area, unit, vertex_normals
from geomface.rendering.differentiable.textures import check_texture, sample_texture
from geomface.rendering.visibility import BACKENDS

SIZE = 20
MESH = sphere(8)
FACES = torch.tensor(np.array(MESH.faces))
BOTH = pytest.mark.parametrize("compiled", [False, True])


def scene(seed: int = 0, *, weak: bool = False, compiled: bool = False, batch: int = 2):
    """Bent spheres, projected and seen: vertices, camera, xyz, fragments; float64."""
    rng = np.random.default_rng(seed)
    shapes = MESH.vertices * rng.uniform(0.8, 1.2, (batch, 1, 3)) + rng.normal(0, 1, (batch, 1, 3))
    vertices = torch.tensor(shapes)
    camera = look_at_face(
        SIZE, SIZE, yaw=30.0, distance=400, field_of_view=36, weak=weak, dtype=torch.float64
    )
    xyz = camera.project(vertices)
    ids = BACKENDS["numba"].face_ids(xyz, FACES, SIZE, SIZE, perspective=camera.perspective)
    return vertices, camera, xyz, fragments_of(ids, FACES, torch.float64, compiled=compiled)


@BOTH
@pytest.mark.parametrize("weak", [False, True])
def test_weights_are_those_of_the_point_that_the_ray_hits(weak, compiled):
    vertices, camera, xyz, fragments = scene(weak=weak, compiled=compiled)
    weights, outside = barycentric_weights(xyz, fragments, camera.perspective)
    assert (weights.sum(0) - 1).abs().max() < 1e-12
    points = interpolate(vertices, fragments, weights)
    for image in range(2):
        rows = fragments.image == image
        seen = camera.project(points[:, rows].T[None])[0]
        centres = torch.stack([fragments.x, fragments.y], 1)[rows]
        assert (seen[:, :2] - centres).abs().max() < 1e-9
        depth = interpolate(xyz[..., 2:], fragments, weights)[0, rows]
        assert (depth - seen[:, 2]).abs().max() < 1e-9
    assert outside.all(), "a closed sphere shows its outside only"
    assert weights.min() > -1e-3


@BOTH
@pytest.mark.parametrize("weak", [False, True])
def test_weights_have_exact_gradients(weak, compiled):
    _, camera, xyz, fragments = scene(weak=weak, compiled=compiled)
    few = fragments.pixel[::9]
    ids = torch.full_like(fragments.face_ids, -1).reshape(-1)
    ids[few] = fragments.face_ids.reshape(-1)[few]
    fragments = fragments_of(
        ids.reshape(fragments.face_ids.shape), FACES, torch.float64, compiled=compiled
    )
    # Only the vertices that are read, so that the check stays small.
    used = torch.unique(fragments.corners)

    def weights(values: torch.Tensor) -> torch.Tensor:
        return barycentric_weights(
            xyz.index_copy(1, used, values), fragments, camera.perspective
        ).weights

    start = xyz[:, used].clone().requires_grad_()
    assert torch.autograd.gradcheck(weights, (start,), atol=1e-6, nondet_tol=0.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.booleans(), st.sampled_from([torch.float32, torch.float64]))
def test_compiled_stages_are_the_plain_ones(seed, weak, dtype):
    vertices, camera, xyz, _ = scene(seed, weak=weak)
    ids = scene(seed, weak=weak)[3].face_ids
    generator = torch.Generator().manual_seed(seed)
    texture = torch.rand(1, 9, 7, 3, generator=generator, dtype=torch.float64)
    uv_table, uv_faces = torch.tensor(np.array(MESH.uv)), torch.tensor(np.array(MESH.uv_faces))
    found = []
    for compiled, kind in ((False, torch.float64), (True, dtype)):
        inputs = [item.to(kind).requires_grad_() for item in (vertices, xyz, texture, uv_table)]
        fragments = fragments_of(ids, FACES, kind, compiled=compiled)
        weights = barycentric_weights(inputs[1], fragments, camera.perspective).weights
        normals = vertex_normals(inputs[0], FACES, compiled=compiled)
        smooth = unit(interpolate(normals, fragments, weights), compiled=compiled)
        uv = interpolate_uv(inputs[3], uv_faces, fragments, weights)
        color = sample_texture(inputs[2], uv, fragments)
        normals = normals.flatten()[None].expand(3, -1)
        values = torch.cat([weights, normals, smooth, uv.repeat(2, 1)[:3], color], 1)
        mix = torch.linspace(-1, 1, values.numel(), dtype=kind).reshape(values.shape)
        gradients = torch.autograd.grad((values * mix.sin()).sum(), inputs)
        found.append((values.detach(), *gradients))
    bound = 1e-11 if dtype == torch.float64 else 3e-4
    for plain, compiled_one in zip(*found, strict=True):
        assert (plain - compiled_one).abs().max() < bound * max(float(plain.abs().max()), 1.0)


def test_a_sliver_has_a_bounded_gradient():
    for compiled in (False, True):
        xyz = torch.tensor(
            [[[2.5, 2.5, 9.0], [3.5, 2.5, 9.0], [4.5, 2.5, 9.0]]], requires_grad=True
        )
        ids = torch.full((1, 6, 6), -1, dtype=torch.int32)
        ids[0, 2, 3] = 0
        fragments = fragments_of(ids, torch.tensor([[0, 1, 2]]), torch.float32, compiled=compiled)
        weights = barycentric_weights(xyz, fragments, True).weights
        weights[1].sum().backward()
        assert torch.isfinite(weights).all()
        assert torch.isfinite(xyz.grad).all()


@BOTH
def test_normals_are_those_of_the_mesh_room(compiled):
    vertices = scene()[0]
    found = vertex_normals(vertices, FACES, compiled=compiled)
    for shape, normals in zip(vertices, found, strict=True):
        expected = numpy_normals(shape.numpy(), MESH.faces, weighting="area")
        assert np.abs(expected - normals.numpy()).max() < 1e-12


@BOTH
def test_normals_have_exact_gradients(compiled):
    points = torch.tensor(sphere(4).vertices[None] + 0.0).requires_grad_()
    faces = torch.tensor(np.array(sphere(4).faces))
    assert torch.autograd.gradcheck(
        lambda shape: vertex_normals(shape, faces, compiled=compiled), (points,)
    )


@BOTH
def test_a_vertex_without_triangles_has_no_normal_and_no_gradient(compiled):
    points = torch.rand(1, 4, 3, dtype=torch.float64, requires_grad=True)
    normals = vertex_normals(points, torch.tensor([[0, 1, 2]]), compiled=compiled)
    (unit(normals[0].T.contiguous(), compiled=compiled) ** 2).sum().backward()
    assert (normals[0, 3] == 0).all()
    assert torch.isfinite(points.grad).all()


def test_triangles_without_area_are_found():
    points = torch.rand(2, 5, 3, dtype=torch.float64)
    faces = torch.tensor([[0, 1, 2], [2, 3, 4], [0, 3, 4]])
    assert first_without_area(points, faces) is None
    points[1, 4] = points[1, 3]
    assert first_without_area(points, faces) == (1, 1, 2)


@BOTH
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(5, 4), (1, 6), (7, 1), (1, 1)]))
def test_texture_reads_are_those_of_grid_sample(compiled, seed, size):
    _, camera, xyz, fragments = scene(compiled=compiled)
    generator = torch.Generator().manual_seed(seed)
    texture = torch.rand(2, *size, 3, generator=generator, dtype=torch.float64)
    uv = 1.4 * torch.rand(2, len(fragments.x), generator=generator, dtype=torch.float64) - 0.2
    found = sample_texture(texture, uv, fragments)
    for image in range(2):
        rows = fragments.image == image
        place = torch.stack([2 * uv[0, rows] - 1, 1 - 2 * uv[1, rows]], -1)[None, None]
        expected = functional.grid_sample(
            texture[image : image + 1].permute(0, 3, 1, 2),
            place,
            align_corners=False,
            padding_mode="border",
        )[0, :, 0]
        assert (found[:, rows] - expected).abs().max() < 1e-12


@BOTH
def test_texture_reads_have_exact_gradients(compiled):
    fragments = scene(compiled=compiled)[3]
    generator = torch.Generator().manual_seed(1)
    texture = torch.rand(1, 4, 3, 3, generator=generator, dtype=torch.float64).requires_grad_()
    uv = torch.rand(2, len(fragments.x), generator=generator, dtype=torch.float64)
    # Away from texel centres, where a bilinear read has a kink.
    uv = (0.05 + 0.9 * uv).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda t, p: sample_texture(t, p, fragments)[:, ::11], (texture, uv)
    )


def test_the_top_left_texel_is_at_u_0_v_1():
    texture = torch.zeros(1, 4, 4, 3)
    texture[0, 0, 0] = 1.0
    fragments = scene()[3]
    uv = torch.tensor([[0.125], [0.875]]).expand(2, len(fragments.x))
    assert (sample_texture(texture, uv, fragments) == 1).all()


@pytest.mark.parametrize(
    ("texture", "words"),
    [
        (torch.zeros(1, 8, 8, 4), "alpha"),
        (torch.zeros(1, 3, 8, 8), "channels last"),
        (torch.zeros(1, 8, 8, 1), "3 channels"),
        (torch.zeros(8, 8, 3), "batch, height, width"),
        (torch.zeros(0, 8, 8, 3), "batch, height, width"),
        (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), "255"),
        (np.zeros((1, 8, 8, 3)), "ndarray"),
    ],
)
def test_a_texture_of_the_wrong_kind_is_refused(texture, words):
    with pytest.raises(SettingsError, match=words):
        check_texture(texture)


def test_plain_stages_have_second_derivatives():
    vertices, camera, xyz, fragments = scene()

    def energy(points: torch.Tensor) -> torch.Tensor:
        weights = barycentric_weights(points, fragments, camera.perspective).weights
        return (interpolate(points, fragments, weights)[2] ** 2).mean()

    start = xyz[:1].repeat(2, 1, 1).requires_grad_()
    (first,) = torch.autograd.grad(energy(start), start, create_graph=True)
    (second,) = torch.autograd.grad((first**2).sum(), start)
    direction = torch.randn(start.shape, generator=torch.Generator().manual_seed(2)).double()
    step = 1e-6

    def squared(points: torch.Tensor) -> float:
        moved = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy(moved), moved)
        return float((slope**2).sum())

    numeric = (squared(start + step * direction) - squared(start - step * direction)) / (2 * step)
    assert abs(numeric - float((second * direction).sum())) < 1e-6 * abs(numeric)
