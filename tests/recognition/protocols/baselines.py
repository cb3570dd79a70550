"""What faces were told apart by before networks: eigenfaces, local binary patterns, pixels."""

import numpy as np
from skimage.feature import local_binary_pattern
from sklearn.decomposition import PCA

from geomface.metrics import unit_rows

PATTERNS = 59
"""Uniform patterns of eight neighbours, and one for all others."""


def standardized(pictures: np.ndarray) -> np.ndarray:
    """Return grey pictures (N, H, W) as rows of mean 0 and length 1: light and contrast go."""
    rows = pictures.reshape(len(pictures), -1).astype(np.float64)
    return unit_rows(rows - rows.mean(axis=1, keepdims=True))


def eigenface_scores(
    pictures: np.ndarray, people: np.ndarray, rows: np.ndarray, components: tuple[int, ...]
) -> np.ndarray:
    """Return cosines (len(components), P) of whitened eigenfaces, fitted to other people only.

    The components of a pair are those of the pictures of everyone but the one or two in it (Turk &
    Pentland 1991; whitened and compared by cosine, as is best for recognition: Beveridge et al.
    2005).
    """
    # All fits are within the span of the pictures: turned into it, their components are the same.
    left, sizes, _ = np.linalg.svd(standardized(pictures), full_matrices=False)
    faces = left * sizes
    scores = np.empty((len(components), len(rows)))
    pairs = np.sort(people[rows], axis=1)
    for pair in np.unique(pairs, axis=0):
        others = ~np.isin(people, pair)
        model = PCA(max(components), whiten=True, svd_solver="full").fit(faces[others])
        which = np.flatnonzero((pairs == pair).all(axis=1))
        codes = {row: model.transform(faces[row : row + 1])[0] for row in np.unique(rows[which])}
        one, two = (np.stack([codes[row] for row in rows[which, side]]) for side in (0, 1))
        for place, count in enumerate(components):
            product = unit_rows(one[:, :count]) * unit_rows(two[:, :count])
            scores[place, which] = product.sum(axis=1)
    return scores


def pattern_histograms(pictures: np.ndarray, *, cell: int = 16, radius: float = 2.0) -> np.ndarray:
    """Return histograms (N, cells, 59) of uniform local binary patterns, each of sum 1.

    Source: Ahonen, Hadid, Pietikäinen 2006, LBP(8,2) u2; their windows are 18 x 21 of 130 x 150.
    """
    count, height, width = pictures.shape
    found = []
    for picture in pictures:
        # Of whole numbers: equal neighbours should be equal.
        levels = np.round(255 * picture).astype(np.uint8)
        codes = local_binary_pattern(levels, 8, radius, "nri_uniform").astype(np.int64)
        cells = codes[: height // cell * cell, : width // cell * cell]
        cells = cells.reshape(height // cell, cell, width // cell, cell).swapaxes(1, 2)
        flat = cells.reshape(-1, cell * cell)
        found.append([np.bincount(part, minlength=PATTERNS) for part in flat])
    return np.array(found) / (cell * cell)


def chi_square_scores(histograms: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return -sum (a - b)^2 / (a + b) of pairs (P, 2) of histograms."""
    scores = np.empty(len(rows))
    for start in range(0, len(rows), 512):
        a, b = (histograms[rows[start : start + 512, side]] for side in (0, 1))
        total = a + b
        terms = np.divide((a - b) ** 2, total, out=np.zeros_like(total), where=total > 0)
        scores[start : start + 512] = -terms.sum(axis=(1, 2))
    return scores
