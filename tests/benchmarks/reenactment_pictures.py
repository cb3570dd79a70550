"""Figures 2, 4, 5 and 6 of Sanchez & Valstar 2018, by what was trained here.

    python tests/benchmarks/reenactment_pictures.py --study DIR --star DIR --run RUN --to FOLDER

Draws passes.png (Figure 5: the arms of `reenactment_study.py`, after one step and two), colours.png
(Figures 2 and 4: the arms of `reenactment_star.py`) and views.png (Figure 6: people of the study's
test turned by RUN, progressively and from the picture); each where what it is made of is given.
"""

import argparse
import functools
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geomface.faces import load_builtin_face
from geomface.files import save_image
from geomface.gan.landmark_reenactment import (
    FaceFrames,
    StarGenerator,
    contours,
    face_fitter,
    load_reenactor,
    moved,
    pose_face,
)
from geomface.gan.landmark_reenactment.evaluation import move
from geomface.learning import chain
from geomface.learning.data import network_values
from geomface.learning.trained import load_trained

sys.path.insert(0, str(Path(__file__).resolve().parent))

import reenactment_star as star  # noqa: E402
from reenactment_study_data import known_frames  # noqa: E402

SHOWN, FACTOR = 4, 3
YAW = (-30.0, -15.0, 15.0, 30.0)
"""Degrees of the views of Figure 6."""


def far_triplets(frames: FaceFrames, yaw: np.ndarray) -> np.ndarray:
    """Return triplets of people: a frame, the most frontal one, and the one turned furthest away
    from the first.
    """
    rows = []
    for person in np.unique(frames.people):
        own = np.flatnonzero(frames.people == person)
        source = own[np.argmax(np.abs(yaw[own]))]
        following = own[np.argmax(np.abs(yaw[own] - yaw[source]))]
        rows.append((source, own[np.argmin(np.abs(yaw[own]))], following))
    return np.array(rows)


def passes(study: Path, seed: int = 0) -> torch.Tensor:
    """Return Figure 5: landmarks, true frames, and both arms after one step and two."""
    frames, yaw = known_frames("test", study)
    rows = far_triplets(frames, yaw)[5 :: 60 // SHOWN][:SHOWN]
    arms = {arm: load_reenactor(study / "runs" / f"{arm}-{seed}") for arm in ("both", "self")}
    settings = arms["both"].settings
    (source, own), (target, first), (following, second) = (
        frames.look(rows[:, k]) for k in range(3)
    )
    lines = [2 * contours(points, settings.size, 0.5) - 1 for points in (own, first, second)]
    columns = [source, lines[1], target, lines[2], following]
    shown = [torch.cat(columns, dim=3)]
    with torch.no_grad():
        for arm in arms.values():
            once = move(arm.generator, arm.settings, source, own, first)
            twice = move(arm.generator, arm.settings, once, first, second)
            direct = move(arm.generator, arm.settings, source, own, second)
            blank = torch.full_like(source, 1.0)
            shown.append(torch.cat([blank, blank, once, direct, twice], dim=3))
    return torch.cat([torch.cat(list(person), dim=1) for person in zip(*shown, strict=True)], dim=1)


def colors(folder: Path, seed: int = 0) -> torch.Tensor:
    """Return Figures 2 and 4: a face, every colour of it, and each made of the one before."""
    images = network_values(star.faces(folder)["test"][0][:: 400 // SHOWN][:SHOWN])
    rows = []
    for arm in ("self", "triple"):
        generator = load_trained(folder / "runs" / f"{arm}-{seed}", system=star.SYSTEM).fill(
            "generator", StarGenerator(star.CLASSES, 16, 2)
        )
        classes = [torch.full((SHOWN,), k) for k in range(star.CLASSES)]
        with torch.no_grad():
            once = [generator(images, label) for label in classes]
            progressive = chain(generator, images, classes)
        rows.append(torch.cat([images, *once, *progressive], dim=3))
    return torch.cat([torch.cat(list(person), dim=1) for person in zip(*rows, strict=True)], dim=1)


def views(run: Path | None, frames: FaceFrames) -> torch.Tensor:
    """Return Figure 6: faces, frontal in the middle, to both sides; progressively, then at once."""
    reenactor = load_reenactor(run)
    size, fitter = reenactor.settings.size, face_fitter(load_builtin_face())
    sheet = []
    for person in np.unique(frames.people)[: 2 * SHOWN : 2]:
        picture, points = frames.look(np.flatnonzero(frames.people == person)[:1])
        face = pose_face(points[0].double().numpy(), (size, size), fitter, "face")
        ahead = moved(face, 1, frontal=True)
        to = np.concatenate([ahead, *(moved(face, 1, turn=("yaw", 0.0, a)) for a in YAW)])
        targets = torch.from_numpy(reenactor.targets(to)).float()
        step = functools.partial(move, reenactor.generator, reenactor.settings)
        front, *sides = targets.split(1)
        with torch.no_grad():
            middle = step(picture, points, front)
            left, right = [step(middle, front, sides[1])], [step(middle, front, sides[2])]
            left.append(step(left[0], sides[1], sides[0]))
            right.append(step(right[0], sides[2], sides[3]))
            five = (picture.expand(5, -1, -1, -1), points.expand(5, -1, -1), targets)
            at_once = step(*five).split(1)
        order = (1, 2, 0, 3, 4)
        lines = 2 * contours(targets, size, 0.7) - 1
        blank = torch.ones_like(picture)
        sheet += [
            torch.cat([blank, *lines[list(order)].split(1)], dim=3),
            torch.cat([picture, *left[::-1], middle, *right], dim=3),
            torch.cat([blank, *(at_once[k] for k in order)], dim=3),
        ]
    return torch.cat(sheet, dim=2)[0]


def save(path: Path, sheet: torch.Tensor) -> None:
    """Write a sheet in [-1, 1], enlarged."""
    larger = F.interpolate(sheet[None], scale_factor=FACTOR, mode="bicubic")[0].clamp(-1, 1)
    save_image(path, (0.5 * larger + 0.5).permute(1, 2, 0).numpy())
    print(path)


def main() -> None:
    """Draw what is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path)
    parser.add_argument("--star", type=Path)
    parser.add_argument("--run", type=Path, help="run of 64 px; without, the one that ships")
    parser.add_argument("--faces", type=Path, help="set of `synth faces --track` to turn")
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    if given.study is not None:
        save(given.to / "passes.png", passes(given.study))
    if given.star is not None:
        save(given.to / "colours.png", colors(given.star))
    if given.faces is not None:
        from geomface.gan.landmark_reenactment import read_face_frames

        reenactor = load_reenactor(given.run)
        read = read_face_frames([given.faces], reenactor.settings.size, margin=reenactor.margin)
        save(given.to / "views.png", views(given.run, read.frames))


if __name__ == "__main__":
    main()
