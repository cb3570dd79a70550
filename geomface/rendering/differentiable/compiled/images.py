"""Work on the images of a batch, one a thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch


def for_each_image(work: Callable[[int], object], count: int, *, in_order: bool = False) -> None:
    """Call `work` with 0 .. count - 1, on as many threads as torch uses.

    Kernels release the interpreter, so plain threads are enough; numba's own threading layers end
    the process when two threads enter them at once or after a fork.

    Parameters
    ----------
    work : what to do with one image; images must not write to the same place, unless
    in_order : True does one after the other
    """
    workers = 1 if in_order else min(count, torch.get_num_threads())
    if workers == 1:
        for image in range(count):
            work(image)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, range(count)):
            pass


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    """Return the contiguous numpy array of a tensor, without its gradient."""
    return tensor.detach().contiguous().numpy()
