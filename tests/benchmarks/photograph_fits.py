"""Fits to photographs without hands: who can be told apart by them.

    python tests/benchmarks/photograph_fits.py DATA [--every 5] [--workers 2] [--sheet P.png]

Finds the landmarks of every N-th picture of each person of DATA/orl/orl_dev.npz with the detector
that ships, fits the built-in face, and prints how many were fitted, the median distance of the
fitted landmarks to those found (in % of the distance of the eyes), the seconds a picture by the
clock (the fit) and of the processor (landmarks and fit, one thread), and the area under the curve
of telling pairs of one person from pairs of two by the cosine of coefficients: of the shape alone,
of the skin alone, and of both.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import geomface as gf
from geomface.errors import GeomfaceError
from geomface.files import save_image
from geomface.fitting.rendering.sheet import fit_sheet
from geomface.metrics.verification import ScoreCurve

RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)


def fitted(job: tuple[int, np.ndarray]) -> dict | str:
    """Return what is known of one picture, or why it was refused."""
    person, image = job
    began = time.process_time()
    try:
        points = gf.detect_photograph_landmarks(image).faces[0].points
        fit = gf.fit_image(image)
    except GeomfaceError as error:
        return str(error)
    eyes = np.linalg.norm(points[RIGHT_EYE].mean(0) - points[LEFT_EYE].mean(0))
    return {
        "person": person,
        "residual": 100 * fit.landmark_px["median"] / eyes,
        "seconds": fit.seconds,
        "processor": time.process_time() - began,
        "shape": fit.shape,
        "skin": fit.albedo,
        "sheet": fit_sheet(image, fit, height=160),
    }


def told_apart(codes: np.ndarray, people: np.ndarray) -> float:
    """Return the area under the curve over all pairs; codes are centred on their mean."""
    codes = codes - codes.mean(axis=0)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    first, second = np.triu_indices(len(codes), 1)
    scores, same = (codes[first] * codes[second]).sum(axis=1), people[first] == people[second]
    curve = ScoreCurve(scores, same)
    return curve.auc(curve.same, curve.other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    with np.load(options.data / "orl" / "orl_dev.npz") as stored:
        images = stored["images"]
    jobs = [(who, one) for who, own in enumerate(images) for one in own[:: options.every]]
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(fitted, jobs))
    done = [one for one in results if isinstance(one, dict)]
    for refused in (one for one in results if isinstance(one, str)):
        print(f"refused: {refused}")
    people = np.array([one["person"] for one in done])
    residual = np.array([one["residual"] for one in done])
    print(f"fitted {len(done)} of {len(jobs)}, landmarks median {np.median(residual):.2f} % of the "
          f"distance of the eyes (worst {residual.max():.2f} %), "
          f"{np.mean([one['seconds'] for one in done]):.1f} s each, "
          f"{np.mean([one['processor'] for one in done]):.1f} s of the processor")  # fmt: skip
    shape, skin = (np.stack([one[name] for one in done]) for name in ("shape", "skin"))
    both = np.concatenate([shape, skin], axis=1)
    for name, codes in (("shape", shape), ("skin", skin), ("both", both)):
        print(f"pairs told apart by {name}: AUC {told_apart(codes, people):.3f}")
    if options.sheet:
        width = min(one["sheet"].shape[1] for one in done)
        save_image(options.sheet, np.concatenate([one["sheet"][:, :width] for one in done[:12]]))


if __name__ == "__main__":
    main()
