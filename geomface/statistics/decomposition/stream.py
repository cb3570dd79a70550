"""Rows that come in blocks, again at each pass."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from geomface.errors import MeshError, SettingsError
from geomface.statistics.decomposition.centring import (
    Centring,
    column_means,
    first_bad_row,
    floats,
)

PIECE_ENTRIES = 1 << 23
MOST_ROWS = 512
FEWEST_ROWS = 16

BlockSource = Callable[[], Iterable[np.ndarray]]


class BlockStream:
    """All rows of a source of blocks, minus a shift, in pieces that suit matrix products.

    The shift is the mean of the first block until somebody sets a better one. The dtype is that
    of the first block.
    """

    def __init__(self, source: BlockSource) -> None:
        if not callable(source):
            raise SettingsError(
                "blocks: expected a function without arguments that returns the blocks anew at "
                f"each call, got {type(source).__name__}. Several passes are made over them."
            )
        self.source = source
        self.shift = np.zeros(0)
        self.dtype = np.dtype(np.float64)
        self.checked = False

    def _blocks(self) -> Iterator[np.ndarray]:
        for index, block in enumerate(self.source()):
            block = floats(block, f"block {index}")
            if self.shift.size and block.shape[1] != len(self.shift):
                raise MeshError(
                    f"block {index}: expected {len(self.shift)} columns as in the blocks before, "
                    f"got {block.shape[1]}. All rows have one length."
                )
            if not len(block):
                continue
            bad = None if self.checked else first_bad_row(block)
            if bad is not None:
                raise MeshError(
                    f"block {index}: row {bad} holds NaN or infinity. Repair or remove it first."
                )
            if not self.shift.size:
                self.shift, self.dtype = column_means(block), block.dtype
            yield block

    def pieces(self) -> Iterator[np.ndarray]:
        """Yield shifted rows (h, D); a piece is valid until the next one.

        Raises
        ------
        MeshError : no blocks, blocks of differing width, NaN or infinity in the first pass.
        """
        buffer, centring, filled = np.zeros((0, 0)), None, 0
        for block in self._blocks():
            if centring is None:
                size = len(self.shift)
                height = max(FEWEST_ROWS, min(MOST_ROWS, PIECE_ENTRIES // size))
                buffer = np.empty((height, size), self.dtype)
                centring = Centring(self.shift, self.dtype)
            start = 0
            while start < len(block):
                taken = min(len(buffer) - filled, len(block) - start)
                into = buffer[filled : filled + taken]
                centring.subtract(block[start : start + taken], into)
                start, filled = start + taken, filled + taken
                if filled == len(buffer):
                    yield buffer
                    filled = 0
        if centring is None:
            raise MeshError(
                "blocks: got no rows. Give a function that returns the blocks anew at each call."
            )
        self.checked = True
        if filled:
            yield buffer[:filled]
