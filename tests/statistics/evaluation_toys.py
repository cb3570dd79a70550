"""Gaussians whose measures are known in closed form."""

import numpy as np

from geomface.statistics import LinearModel

# Mean length of m independent normal numbers of deviation 1.
MEAN_LENGTH = np.array([0.0, np.sqrt(2 / np.pi), np.sqrt(np.pi / 2), np.sqrt(8 / np.pi)])


class AxisToy:
    """Each mode moves one vertex along one axis; the three of a vertex have one deviation."""

    def __init__(self, deviations=(4.0, 2.0, 1.0)):
        self.deviations = np.asarray(deviations)
        self.vertices = len(deviations)
        mean = np.arange(3.0 * self.vertices).reshape(-1, 3) ** 2
        columns = np.diag(np.repeat(self.deviations, 3))
        self.model = LinearModel(mean, columns.reshape(self.vertices, 3, -1))

    def draw(self, rng, count):
        noise = rng.standard_normal((count, self.vertices, 3))
        return self.model.mean + noise * self.deviations[:, None]

    def described(self, k):
        """Number of axes of each vertex that k modes reach."""
        return np.clip(k - 3 * np.arange(self.vertices), 0, 3)

    def mean_residual(self, k):
        """Expected mean vertex distance between a face and its projection on k modes."""
        return float((self.deviations * MEAN_LENGTH[3 - self.described(k)]).mean())

    def mean_spread(self, k):
        """Expected mean vertex distance between a sample of k modes and the mean."""
        return float((self.deviations * MEAN_LENGTH[self.described(k)]).mean())


def translations(steps, points=5):
    """Meshes that are one shape moved along (1, 2, 2) / 3 by each step."""
    shape = np.random.default_rng(3).standard_normal((points, 3))
    return shape + np.asarray(steps)[:, None, None] * np.array([1.0, 2.0, 2.0]) / 3.0


def flat_grid(size=6):
    """A flat triangulated grid in the plane z = 0."""
    x, y = np.meshgrid(np.arange(float(size)), np.arange(float(size)))
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(size * size)], axis=1)
    corner = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    one = np.stack([corner, corner + 1, corner + size + 1], axis=1)
    two = np.stack([corner, corner + size + 1, corner + size], axis=1)
    return vertices, np.concatenate([one, two])
