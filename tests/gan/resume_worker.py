"""Runs in its own process: trains every case to its tenth step and past it, then dies hard.

usage: python resume_worker.py FOLDER. One forked child a case kills itself with SIGKILL in the
middle of step 13, when the checkpoint of step 10 is the newest.
"""

import os
import signal
import sys
from pathlib import Path

import torch
from resume_cases import CASES, build_data

from geomface.gan.progressive_texture.task import TextureGan
from geomface.gan.progressive_texture.training import train_texture_gan


def main(folder: Path) -> None:
    """Fork a child for each case and wait for its death."""
    torch.set_num_threads(1)
    # What the first step imports, it imports here, once for all children.
    first = CASES["dcgan-hinge"]
    TextureGan(first, build_data(first)).step()
    loss = TextureGan._g_loss

    def deadly(task: TextureGan, fake: torch.Tensor) -> torch.Tensor:
        if task.steps == 12:
            os.kill(os.getpid(), signal.SIGKILL)
        return loss(task, fake)

    TextureGan._g_loss = deadly  # type: ignore[method-assign]
    for name, settings in CASES.items():
        child = os.fork()
        if child == 0:
            train_texture_gan(settings, build_data(settings), folder / name)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WTERMSIG(status) != signal.SIGKILL:
            raise SystemExit(f"{name}: the child was not killed")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
