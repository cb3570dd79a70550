"""Rows in memory that stand in for drawn files."""

import numpy as np

from geomface.learning.fingerprint import Fingerprint, fingerprint_rows


class DrawnRows:
    """What `DrawnSet` offers."""

    def __init__(self, **columns: np.ndarray) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        return {name: column[indices] for name, column in self.columns.items()}

    def column(self, name: str) -> np.ndarray:
        return self.columns[name]

    def fingerprint(self) -> Fingerprint:
        return fingerprint_rows(self.columns)
