"""Surfaces to unwrap: symmetric quad masks, random triangulated disks, and broken ones."""

import numpy as np

from geomface.mesh import Mesh, Template


def bump(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A face-like height, even in x, that rises two units on a base of two."""
    nose = 0.8 * np.exp(-12.0 * (x**2 + (y - 0.1) ** 2))
    return 1.2 * np.sqrt(np.maximum(2.6 - x**2 - y**2, 0.0)) + nose


def quad_mask(count: int = 16, holes: bool = True, rows: int | None = None) -> Template:
    """A bilaterally symmetric quad mask over [-1, 1]^2, with eye holes and a mouth.

    With an even number of columns there are vertices on the midline.
    """
    columns, rows = count, rows or count + 1
    x = np.linspace(-1.0, 1.0, columns + 1)
    x = 0.5 * (x - x[::-1])
    y = np.linspace(-1.0, 1.0, rows + 1)
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
    vertices = np.stack([grid_x, grid_y, bump(grid_x, grid_y)], axis=-1).reshape(-1, 3)
    index = np.arange(len(vertices)).reshape(rows + 1, columns + 1)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    quads = quads.reshape(-1, 4)
    if holes:
        center = vertices[quads].mean(axis=1)
        eye = np.hypot((np.abs(center[:, 0]) - 0.42) / 0.2, (center[:, 1] - 0.35) / 0.14) < 1.0
        mouth = np.hypot(center[:, 0] / 0.35, (center[:, 1] + 0.45) / 0.12) < 1.0
        quads = quads[~(eye | mouth)]
        used, inverse = np.unique(quads, return_inverse=True)
        vertices, quads = vertices[used], inverse.reshape(-1, 4)
    place = vertices[:, 0], vertices[:, 1]
    regions = {
        "eyes": np.flatnonzero(np.hypot(np.abs(place[0]) - 0.42, place[1] - 0.35) < 0.33),
        "mouth": np.flatnonzero(np.hypot(0.7 * place[0], place[1] + 0.45) < 0.33),
        "middle": np.flatnonzero(np.hypot(place[0], place[1]) < 0.6),
    }
    return Template(Mesh(vertices, quads=quads, name="mask"), regions=regions)


def random_disk(
    rng: np.random.Generator,
    *,
    rim: int = 40,
    inner: int = 150,
    holes: int = 1,
    height: float = 1.0,
) -> Mesh:
    """A Delaunay triangulation of random points in an ellipse, lifted to a bumpy surface."""
    from scipy.spatial import Delaunay

    turn = np.sort(rng.uniform(0.0, 2.0 * np.pi, rim))
    radius = np.sqrt(rng.uniform(0.0, 0.92, inner))
    angle = rng.uniform(0.0, 2.0 * np.pi, inner)
    points = np.concatenate(
        [
            np.stack([np.cos(turn), np.sin(turn)], axis=1),
            radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1),
        ]
    )
    faces = Delaunay(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, k]] for k in range(3))
    turned = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    faces[turned] = faces[turned][:, ::-1]
    for _ in range(holes):
        faces = without_a_star(faces, rng)
    used, inverse = np.unique(faces, return_inverse=True)
    points, faces = points[used], inverse.reshape(-1, 3).astype(np.int64)
    phase = rng.uniform(0.0, 2.0 * np.pi, 4)
    lift = np.sin(3.0 * points[:, 0] + phase[0]) * np.cos(2.5 * points[:, 1] + phase[1])
    lift = lift + 0.5 * np.sin(7.0 * points[:, 0] + 5.0 * points[:, 1] + phase[2])
    vertices = np.concatenate([points * [1.0, 1.3], height * lift[:, None]], axis=1)
    return Mesh(vertices, faces, name="disk")


def without_a_star(faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Remove the triangles around a vertex that is two edges away from every boundary."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    keys = {tuple(edge) for edge in edges.tolist()}
    rim = np.unique([edge for edge in keys if edge[::-1] not in keys])
    near = np.unique(faces[np.isin(faces, rim).any(axis=1)])
    free = np.setdiff1d(np.unique(faces), near)
    if not len(free):
        return faces
    return faces[~(faces == rng.choice(free)).any(axis=1)]


def planar_grid(count: int, rng: np.random.Generator | None = None) -> Mesh:
    """A flat triangulated square [0, 1]^2, inner vertices moved at random when `rng` is given."""
    step = np.linspace(0.0, 1.0, count + 1)
    y, x = np.meshgrid(step, step, indexing="ij")
    points = np.stack([x, y], axis=-1).reshape(-1, 2)
    inner = ((points > 0) & (points < 1)).all(axis=1)
    if rng is not None:
        points[inner] += rng.uniform(-0.25, 0.25, (int(inner.sum()), 2)) / count
    index = np.arange(len(points)).reshape(count + 1, count + 1)
    corners = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    a, b, c, d = (corner.ravel() for corner in corners)
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    vertices = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
    return Mesh(vertices, faces, name="square")


def armed_star(arms: int, length: int) -> Mesh:
    """A fan with `arms` strips of `length` quads: more dead ends than a square has corners."""
    ring = 2 * arms
    turn = 2.0 * np.pi * np.arange(ring) / ring
    vertices = [[0.0, 0.0, 0.0]] + [[np.cos(t), np.sin(t), 0.0] for t in turn]
    faces = [[0, 1 + k, 1 + (k + 1) % ring] for k in range(ring)]
    for arm in range(arms):
        left, right = 1 + 2 * arm, 2 + 2 * arm
        middle = turn[2 * arm] + np.pi / ring
        out = 0.6 * np.array([np.cos(middle), np.sin(middle), 0.0])
        for _ in range(length):
            start = len(vertices)
            vertices += [(np.array(vertices[left]) + out).tolist()]
            vertices += [(np.array(vertices[right]) + out).tolist()]
            faces += [[left, start, right], [right, start, start + 1]]
            left, right = start, start + 1
    return Mesh(np.array(vertices), np.array(faces, np.int64), name="star")
