"""Silhouettes: the covered area, its gradient, and where the surface is said to end."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from render_scenes import flat_camera, polygon, shoelace, sphere, star

from geomface.mesh import Mesh
from geomface.rendering.differentiable import Renderer, RenderSettings, look_at_face
from geomface.rendering.differentiable.silhouette_edges import silhouette_crossings

SIZE = 64


def alpha_of(mesh: Mesh, vertices: torch.Tensor, camera=None, size: int = SIZE) -> torch.Tensor:
    renderer = Renderer(mesh, RenderSettings(height=size, width=size))
    return renderer.render(vertices, camera or flat_camera(size), outputs=("alpha",)).alpha


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(8, 24, 30), (9, 10, 30), (24, 26, 30)]))
def test_the_gradient_of_the_covered_area_is_the_shoelace_gradient(seed, kind):
    """Convex-like and spiky polygons, and the same cut into triangles far below a pixel."""
    count, low, high = kind
    corners = star(np.random.default_rng(seed), count, low, high)
    exact = torch.tensor(corners, requires_grad=True)
    area = shoelace(exact)
    area.backward()
    for rings in (0, 30):
        mesh = polygon(corners, rings=rings)
        vertices = torch.tensor(mesh.vertices[None]).requires_grad_()
        alpha = alpha_of(mesh, vertices)
        alpha.sum().backward()
        found = vertices.grad[0, :, :2]
        expected = torch.zeros_like(found)
        expected[:count] = exact.grad
        cosine = (found * expected).sum() / found.norm() / expected.norm()
        assert cosine > 0.99
        assert abs(found.norm() / expected.norm() - 1) < 0.05
        assert abs(alpha.detach().sum() / area.detach() - 1) < 0.01
        assert (found[count:] == 0).all(), "edges inside the surface are no silhouette"
        assert (vertices.grad[..., 2] == 0).all()
        assert 0 <= alpha.min() <= alpha.max() <= 1


def test_a_shift_of_three_pixels_is_recovered_from_the_mask_alone():
    corners = star(np.random.default_rng(1), 11, 14, 20)
    mesh = polygon(corners, rings=2)
    vertices = torch.tensor(mesh.vertices[None])
    truth = torch.tensor([3.0, -2.0, 0.0], dtype=torch.float64)
    target = alpha_of(mesh, vertices + truth).detach()
    shift = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([shift], lr=0.2)
    for step in range(80):
        optimizer.param_groups[0]["lr"] = 0.2 * 0.95**step
        optimizer.zero_grad()
        ((alpha_of(mesh, vertices + shift) - target) ** 2).sum().backward()
        optimizer.step()
    assert (shift.detach() - truth).abs().max() < 0.05


def test_a_sphere_covers_its_disk_and_grows_as_it_does():
    """Folds, not boundaries: no edge of a closed mesh is a boundary."""
    mesh = sphere(48)
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    vertices = torch.tensor(mesh.vertices[None])
    alpha = alpha_of(mesh, scale * vertices, flat_camera(SIZE, scale=0.3))
    radius = 0.3 * 80.0
    assert abs(float(alpha.detach().sum()) / (np.pi * radius**2) - 1) < 0.005
    alpha.sum().backward()
    assert abs(float(scale.grad) / (2 * np.pi * radius**2) - 1) < 0.02


def test_an_occluder_is_found_over_another_surface():
    """A small square before a large one: the near edge blends, the far surface is the partner."""
    square = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    near = np.concatenate([10.3 * square, np.full((4, 1), 50.0)], 1)
    far = np.concatenate([25.4 * square, np.zeros((4, 1))], 1)
    mesh = Mesh(np.concatenate([near, far]), np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]))
    colors = torch.zeros(1, 8, 3, dtype=torch.float64)
    colors[:, :4] = 1.0
    vertices = torch.tensor(mesh.vertices[None]).requires_grad_()
    renderer = Renderer(mesh, RenderSettings(height=SIZE, width=SIZE, color_space="linear"))
    result = renderer.render(vertices, flat_camera(SIZE), colors=colors)
    # White of the near square alone: 20.6^2 pixels, and the edge gradient of that area.
    # One-dimensional coverage misses the corners' second-order share, 4 (0.3)^2 at most.
    assert abs(float(result.rgb[..., 0].detach().sum()) - 20.6**2) < 0.4
    result.rgb[..., 0].sum().backward()
    gradient = vertices.grad[0]
    assert (gradient[4:] == 0).all(), "the far square's edges bound black against black"
    assert (gradient[:4, :2] * torch.tensor(square) > 0).all()
    assert (
        abs(float((gradient[:4, :2] * torch.tensor(10.3 * square)).sum()) / (2 * 20.6**2) - 1)
        < 0.05
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_the_compiled_search_finds_what_the_plain_one_finds(seed, weak):
    rng = np.random.default_rng(seed)
    mesh = sphere(10)
    wobble = rng.normal(0, 5, (2, len(mesh.vertices), 3))
    shapes = mesh.vertices * rng.uniform(0.6, 1.2, (2, 1, 3)) + wobble
    camera = look_at_face(
        40,
        40,
        yaw=torch.tensor([20.0, -70.0]),
        distance=500,
        field_of_view=25,
        weak=weak,
        dtype=torch.float64,
    )
    renderer = Renderer(mesh, RenderSettings(height=40, width=40))
    tables = renderer.topology
    xyz = camera.project(torch.tensor(shapes))
    ids = renderer.render(torch.tensor(shapes), camera, outputs=("face_id",)).face_id
    both = [
        silhouette_crossings(
            ids, xyz, tables.faces, tables.neighbours, camera.perspective, compiled=compiled
        )
        for compiled in (True, False)
    ]
    rows = [sorted(zip(*(field.tolist() for field in found), strict=True)) for found in both]
    assert len(rows[0]) > 30
    assert rows[0] == rows[1]


def test_crossings_lie_between_their_pixels():
    mesh = sphere(20)
    camera = look_at_face(48, 48, yaw=30.0, distance=400, field_of_view=30, dtype=torch.float64)
    renderer = Renderer(mesh, RenderSettings(height=48, width=48))
    vertices = torch.tensor(mesh.vertices[None])
    xyz = camera.project(vertices)
    ids = renderer.render(vertices, camera, outputs=("face_id",)).face_id
    tables = renderer.topology
    found = silhouette_crossings(ids, xyz, tables.faces, tables.neighbours, True)
    assert (ids.reshape(-1)[found.near] >= 0).all()
    for near, far, a, b, horizontal in zip(*(field.tolist() for field in found), strict=True):
        assert abs(far - near) == (1 if horizontal else 48)
        centre = np.array([near % 48 + 0.5, near // 48 + 0.5])
        along, across = (0, 1) if horizontal else (1, 0)
        p, q = xyz[0, a, :2].numpy(), xyz[0, b, :2].numpy()
        share = (centre[across] - p[across]) / (q[across] - p[across])
        assert 0 <= share <= 1
        t = (p[along] + share * (q[along] - p[along]) - centre[along]) * np.sign(far - near)
        assert -1e-9 <= t <= 1 + 1e-9
        assert abs(q[across] - p[across]) >= abs(q[along] - p[along])


def test_without_antialias_pixels_are_all_or_nothing():
    mesh = polygon(star(np.random.default_rng(2), 9, 20, 28))
    vertices = torch.tensor(mesh.vertices[None]).requires_grad_()
    renderer = Renderer(mesh, RenderSettings(height=SIZE, width=SIZE, antialias="none"))
    result = renderer.render(vertices, flat_camera(SIZE), outputs=("alpha", "face_id"))
    assert torch.equal(result.alpha, (result.face_id >= 0).double())
    assert not result.alpha.requires_grad


@pytest.mark.parametrize("compiled", [True, False])
def test_the_blend_is_differentiable_to_the_last_digit(compiled):
    """Central differences of a weighted picture while no crossing changes."""
    mesh = polygon(star(np.random.default_rng(3), 7, 14, 20), rings=1)
    vertices = torch.tensor(mesh.vertices[None]).requires_grad_()
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(1, 48, 48, 3, generator=generator, dtype=torch.float64)
    colors = torch.rand(1, len(mesh.vertices), 3, generator=generator, dtype=torch.float64)
    background = torch.rand(1, 48, 48, 3, generator=generator, dtype=torch.float64)
    renderer = Renderer(mesh, RenderSettings(height=48, width=48, compiled=compiled))

    def energy(shape: torch.Tensor) -> torch.Tensor:
        result = renderer.render(
            shape, flat_camera(48), colors=colors, background=background, outputs=("rgb",)
        )
        return (result.rgb * mix).sum()

    (gradient,) = torch.autograd.grad(energy(vertices), vertices)
    direction = torch.randn(vertices.shape, generator=generator, dtype=torch.float64)
    direction[..., 2] = 0
    step = 1e-6
    with torch.no_grad():
        numeric = (energy(vertices + step * direction) - energy(vertices - step * direction)) / (
            2 * step
        )
    assert abs(float(numeric / (gradient * direction).sum()) - 1) < 1e-6
