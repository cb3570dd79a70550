"""Frames of faces as commands read them: with progress, and with what failed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.cli.run import Run
from geomface.errors import SettingsError

if TYPE_CHECKING:
    from geomface.gan.landmark_reenactment import FaceFrames

_TOLD = 5
"""Frames that failed, told one by one."""


def read_frames(
    faces: Sequence[Path],
    videos: Sequence[Path],
    size: int,
    margin: float,
    run: Run,
    *,
    every: int = 1,
) -> "FaceFrames":
    """Read the frames of sets, folders and videos; what fails is noted."""
    from geomface.gan.landmark_reenactment import read_face_frames

    if not (faces or videos):
        raise SettingsError("--faces: expected folders of faces, or --videos, got neither.")
    with run.progress("read", 1) as step:
        read = read_face_frames(
            faces,
            size,
            margin,
            videos=videos,
            every=every,
            on_frame=lambda done, total, name: step(done, name, total),
        )
    for name, why in read.failed[:_TOLD]:
        run.note(f"{name}: {why}")
    if len(read.failed) > _TOLD:
        run.note(f"{len(read.failed) - _TOLD} more frames could not be used")
    return read.frames
