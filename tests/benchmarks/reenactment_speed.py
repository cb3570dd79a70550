"""A track of 100 frames through `geomface sample landmark_reenactment`, as a user has it.

    python tests/benchmarks/reenactment_speed.py RUN_OR_MODEL [--frames 100] [--threads 2]
        [--repeat 3] [--ways as-it-is fit] [--show-progress]

Wall clock from the start of the command to its end, the best of --repeat: Python and torch are
loaded, picture, landmarks and model read, and PNG frames, sheet, GIF and MP4 written. The track is
of a person who does not exist, the picture is of another.

as-it-is   landmarks as they are given
fit        the 3D model is fitted to the picture and to every frame, the face keeps its shape
found      a video without landmarks: these are found in every frame, then fitted; takes minutes
turn       no track: the face's own 3D model turns
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import geomface as gf
from geomface.files import save_image
from geomface.files.videos import save_video
from geomface.gan.landmark_reenactment import load_reenactor
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks

SIDE, POSE = 128, 10
"""Pixels of picture and video, and frames from one drawn pose to the next."""
WAYS = ("as-it-is", "fit", "found", "turn")


def write_inputs(folder: Path, frames: int) -> None:
    """Write a picture with its landmarks, and a track and a video of somebody else."""
    settings = gf.FaceImageSettings(2, frames, SIDE, seed=11, preset="photo", track=POSE)
    sampler = gf.FaceSampler(settings)
    first = sampler.batch([(0, 0)])
    save_image(folder / "face.png", first.images["rgb"][0])
    marks = first.landmarks[0].astype(np.float64)
    save_pixel_landmarks(folder / "face.landmarks.json", PixelLandmarks(marks))
    moving = sampler.batch([(1, moment) for moment in range(frames)])
    np.save(folder / "track.npy", moving.landmarks.astype(np.float64))
    levels = (255.0 * moving.images["rgb"].clip(0.0, 1.0) + 0.5).astype(np.uint8)
    save_video(folder / "video.mp4", list(levels))


def timed(words: list[str], threads: int) -> tuple[float, str]:
    """Return how long a command takes, and what it tells on the way."""
    use = dict(os.environ, OMP_NUM_THREADS=str(threads), NUMBA_NUM_THREADS=str(threads))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "geomface", *words], env=use, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(done.stderr)
    return seconds, done.stderr


def main() -> None:
    """Time every way."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["as-it-is", "fit"])
    parser.add_argument("--show-progress", action="store_true", help="print what is told on it")
    options = parser.parse_args()
    size = load_reenactor(options.model).settings.size
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_inputs(folder, options.frames)
        moves = {
            "as-it-is": ["--track", str(folder / "track.npy"), "--as-it-is"],
            "fit": ["--track", str(folder / "track.npy")],
            "found": ["--track", str(folder / "video.mp4")],
            "turn": ["--turn", "yaw", "-30", "30", "--frames", str(options.frames)],
        }
        words = ["sample", "landmark_reenactment", str(options.model), "--mp4", "--device", "cpu"]
        words += ["--image", str(folder / "face.png"), "--out", str(folder / "out")]
        for way in options.ways:
            best, told = np.inf, ""
            for _ in range(options.repeat):
                shutil.rmtree(folder / "out", ignore_errors=True)
                seconds, told = timed([*words, *moves[way]], options.threads)
                best = min(best, seconds)
            print(
                f"{way:8s}  {options.frames} frames of {size} px in {best:.2f} s: "
                f"{options.frames / best:.1f} frames a second",
                flush=True,
            )
            if options.show_progress:
                print(told)


if __name__ == "__main__":
    main()
