"""Shapes from rendered pictures with known truth: several pictures of a person, and strong light.

    python tests/benchmarks/picture_shapes.py several [--people 20] [--pictures 5]
    python tests/benchmarks/picture_shapes.py strong-light [--people 20] [--preset photo]
        [--size 227] [--seed 9] [--first 0] [--workers 1] [--sheets DIR] [--without hair glasses]
        [--relief 0]

Both draw people with `FaceSampler`, add 1 px noise to the landmarks, and print mean distances to
the true face on the region `narrow_face` after rigid alignment, and with the size free.

- several: the neutral shape of `fit_image` on every picture by itself (mean over a person's
  pictures), of `fit_images` on all of them at once, and of the mean face;
- strong-light: one picture a person with eyeballs, the main light 60 to 80 % of all, the focal
  length known: the face of `fit_image`, of the fit to the landmarks alone, and the mean face.

`--without` takes things of the photo preset away, by their name in `PhotoSettings`. People are
faces of the model unless `--relief` gives them a shape that no fit of the model can reach.
"""

import argparse
import dataclasses
import functools
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import geomface as gf
from geomface.files import save_image
from geomface.fitting import fit_landmarks_2d
from geomface.fitting.rendering import PictureFitter, fit_image, fit_images
from geomface.fitting.rendering.sheet import fit_sheet
from geomface.synthesis.distributions import Constant, Uniform
from geomface.synthesis.settings import IdentitySettings, LightSettings, PhotoSettings

SEEDS = {"several": 12, "strong-light": 9}
PHOTO_NUMBERS = ("blur", "noise", "sharpening")


@functools.cache
def fitter() -> PictureFitter:
    return PictureFitter(gf.load_builtin_face())


@functools.cache
def sampler(options: tuple) -> gf.FaceSampler:
    what, people, pictures, size, seed, preset, without, relief = options
    away = {name: Constant(0.0) if name in PHOTO_NUMBERS else 0 for name in without}
    light = LightSettings(share=Uniform(0.6, 0.8)) if what == "strong-light" else None
    return gf.FaceSampler(
        gf.FaceImageSettings(
            identities=people,
            samples=pictures,
            size=size,
            seed=seed,
            preset=preset,
            identity=IdentitySettings(relief=relief),
            light=light or LightSettings(),
            photo=dataclasses.replace(PhotoSettings(), **away),
        )
    )


def errors(found: np.ndarray, true: np.ndarray) -> list[float]:
    """Return the mean distance after rigid alignment, and with the size free, mm."""
    region = fitter().model.template.regions["narrow_face"]
    moves = [gf.fit_similarity(found[region], true[region], scale=free) for free in (False, True)]
    return [
        float(np.linalg.norm(move.apply(found[region]) - true[region], axis=1).mean())
        for move in moves
    ]


def noisy(points: np.ndarray, seed: list[int]) -> np.ndarray:
    return points.astype(float) + np.random.default_rng(seed).standard_normal(points.shape)


def several(options: tuple, sheets: Path | None, person: int) -> list[float]:
    """Return errors of single pictures, of all at once, of the mean face, and seconds."""
    people = sampler(options)
    batch = people.batch([(person, k) for k in range(options[2])])
    images = list(batch.images["rgb"])
    marks = [noisy(points, [person, k]) for k, points in enumerate(batch.landmarks)]
    rest = dataclasses.replace(
        batch.parameters[0], expression=np.zeros_like(batch.parameters[0].expression)
    )
    true, model = people.vertices(rest), fitter().model
    began = time.process_time()
    alone = [fit_image(*pair, fitter()) for pair in zip(images, marks, strict=True)]
    between = time.process_time()
    joint = fit_images(images, marks, fitter())
    seconds = [between - began, time.process_time() - between]
    single = np.mean([errors(model.vertices(fit.shape), true) for fit in alone], axis=0)
    return [*single, *errors(joint.mesh.vertices, true), *errors(model.mesh.vertices, true),
            *seconds]  # fmt: skip


def strong_light(options: tuple, sheets: Path | None, person: int) -> list[float]:
    """Return errors of the picture, of its landmarks alone, of the mean face, and seconds."""
    people = sampler(options)
    batch = people.batch([(person, 0)])
    image, focal = batch.images["rgb"][0], batch.cameras[0].focal
    marks, true = noisy(batch.landmarks[0], [2, person]), people.vertices(batch.parameters[0])
    began = time.process_time()
    fit = fit_image(image, marks, fitter(), focal_px=focal)
    seconds = [time.process_time() - began, 0.0]
    alone = fit_landmarks_2d(
        fitter().landmarks, marks, image.shape[:2], camera="perspective", focal_px=focal
    )
    if sheets is not None:
        save_image(sheets / f"{person}.png", fit_sheet(image, fit, height=200))
    return [*errors(fit.mesh.vertices, true), *errors(alone.mesh.vertices, true),
            *errors(fitter().model.mesh.vertices, true), *seconds]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(SEEDS))
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--preset", choices=("plain", "photo"), default="plain")
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--size", type=int, default=227)
    parser.add_argument("--seed", type=int)
    parser.add_argument(
        "--relief", type=float, default=0.0, help="of people's own, see synth faces"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sheets", type=Path, help="folder for a sheet of every fit")
    given = parser.parse_args()
    seed = SEEDS[given.what] if given.seed is None else given.seed
    end = given.first + given.people
    options = (given.what, end, given.pictures, given.size, seed, given.preset,
               tuple(given.without), given.relief)  # fmt: skip
    if given.sheets is not None:
        given.sheets.mkdir(parents=True, exist_ok=True)
    job = functools.partial(
        several if given.what == "several" else strong_light, options, given.sheets
    )
    rows = []
    with ProcessPoolExecutor(given.workers) as pool:
        for person, row in enumerate(pool.map(job, range(given.first, end)), given.first):
            rows.append(row)
            print(person, " ".join(f"{value:.2f}" for value in row), flush=True)
    table = np.array(rows)
    mean = table.mean(axis=0)
    names = ("one picture", "all at once", "mean face")
    found, other = 2, 0
    if given.what == "strong-light":
        names, found, other = ("picture", "landmarks alone", "mean face"), 0, 2
    for k, name in enumerate(names):
        print(f"{name:16} {mean[2 * k]:.2f} mm, size free {mean[2 * k + 1]:.2f} mm")
    for k, title in enumerate(("rigid", "size free")):
        gain = 1 - table[:, found + k] / table[:, other + k]
        draws = np.random.default_rng(0).integers(0, len(table), (2000, len(table)))
        ratios = table[draws, found + k].sum(axis=1) / table[draws, other + k].sum(axis=1)
        low, high = np.percentile(1 - ratios, (2.5, 97.5))
        print(f"{title}: {1 - mean[found + k] / mean[other + k]:.0%} lower ({low:.0%} to {high:.0%}"
              f", people: {np.mean(gain > 0):.0%} lower)")  # fmt: skip
    print(f"seconds of the processor: {mean[-2]:.1f}, {mean[-1]:.1f}")


if __name__ == "__main__":
    main()
