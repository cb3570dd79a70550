"""Work on the images of a batch, one a thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Result = TypeVar("Result")


def map_images(
    work: Callable[[int], Result], count: int, *, in_order: bool = False
) -> list[Result]:
    """Return `work` of 0 .. count - 1, on as many threads as torch uses.

    Kernels release the interpreter, so plain threads are enough; numba's own threading layers end
    the process when two threads enter them at once or after a fork.

    Parameters
    ----------
    work : what to do with one image; images must not write to the same place, unless
    in_order : True does one after the other
    """
    workers = 1 if in_order else min(count, torch.get_num_threads())
    if workers == 1:
        return [work(image) for image in range(count)]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, range(count)))
