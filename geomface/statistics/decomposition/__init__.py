"""Principal component analysis of row matrices: exact, dual, randomized, streamed in blocks."""

from geomface.statistics.decomposition.blocks import decompose_blocks
from geomface.statistics.decomposition.result import Decomposition
from geomface.statistics.decomposition.rows import decompose_rows

__all__ = ["Decomposition", "decompose_blocks", "decompose_rows"]
