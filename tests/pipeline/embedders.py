"""An embedder for tests that worker processes can read: a random projection of a small picture."""

from pathlib import Path

import numpy as np

from geomface.errors import FileFormatError
from geomface.recognition.alignment.reference import Alignment


class RandomEmbedder:
    """Descriptors of 16 numbers."""

    alignment = Alignment(56, 48)

    def embed(self, aligned: np.ndarray) -> np.ndarray:
        """Return (N, 16) of length 1."""
        cells = aligned.reshape(len(aligned), 7, 8, 6, 8, 3).mean(axis=(2, 4)).reshape(-1, 126)
        rows = (cells - 0.5) @ np.random.default_rng(5).normal(size=(126, 16))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


RANDOM = Path("random")


def load_random(path: Path) -> RandomEmbedder:
    """Read nothing; another path is refused."""
    if path != RANDOM:
        raise FileFormatError(f"{path}: not an embedder.")
    return RandomEmbedder()
