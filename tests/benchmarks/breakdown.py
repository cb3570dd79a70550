"""Breakdown of the registration: damaged simulated scans, and another topology.

    python tests/benchmarks/breakdown.py DATA [--count 40]

DATA holds ict/. Simulates scans of the ICT face with 30 % missing surface, 10 % outlier lumps,
5 of 68 landmarks wrong by 20 mm, and a starting pose that is wrong by 15 degrees; prints how many
registrations end with a narrow-face mean below 2.5 mm. Then registers the built-in face onto the
ICT neutral and prints the surface distance.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from geomface.errors import GeomfaceError
from geomface.faces.builtin import load_builtin_face
from geomface.faces.ict import load_ict
from geomface.mesh import Landmarks, Similarity, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_template
from geomface.registration import NonRigidRegistration, register
from geomface.registration.evaluate import correspondence_error
from geomface.registration.start import similarity_from_landmarks
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import SimulatedScan, simulate_scan

LIMIT_MM = 2.5
WORST = {
    "missing_fraction": 0.3,
    "outlier_fraction": 0.1,
    "wrong_landmarks": 5,
    "residual_pose_degrees": 15.0,
}
CASES = {"plain": {}, **{name: {name: value} for name, value in WORST.items()}, "all": WORST}


def wrong_start(template: Template, scan: SimulatedScan) -> Similarity:
    """Return the landmark similarity, turned about the face by the scan's residual rotation."""
    placed = template.landmarks.positions(template.mesh.vertices)
    start = similarity_from_landmarks(placed, scan.landmarks)
    centre = scan.landmarks.points.mean(axis=0)
    rotation = scan.truth["residual_rotation"]
    return Similarity(1.0, rotation, centre - rotation @ centre).compose(start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--cases", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    model = load_ict(arguments.data / "ict" / "ict_face.npz")
    template = load_template(arguments.data / "ict" / "template.obj")
    region = template.regions["narrow_face"]
    solver = NonRigidRegistration(template)
    for case in arguments.cases:
        settings = ScanSettings(**CASES[case])
        errors, seconds = [], []
        for index in range(arguments.count):
            scan = simulate_scan(model, rng=np.random.default_rng([7, index]), settings=settings)
            began = time.perf_counter()
            try:
                start = wrong_start(template, scan)
                result = register(solver, scan.mesh, scan.landmarks, start=start)
            except GeomfaceError as problem:
                print(f"{case} {index}: {problem}")
                errors.append(np.inf)
                continue
            seconds.append(time.perf_counter() - began)
            truth = scan.truth["vertices"]
            error = correspondence_error(
                result.mesh.vertices / scan.truth["scale"],
                truth / scan.truth["scale"],
                template.mesh.faces,
                region=region,
            )
            errors.append(error.mean)
        good = np.array(errors) < LIMIT_MM
        print(
            f"{case:24s} success {good.mean():6.1%}  median {np.median(errors):.2f} mm  "
            f"worst {np.max(errors):.2f} mm  {np.median(seconds):.2f} s",
            flush=True,
        )
    face = load_builtin_face()
    result = register(
        face.template,
        template.mesh,
        Landmarks(template.landmarks.positions(template.mesh.vertices)),
    )
    distances = ClosestPointIndex(template.mesh).query(result.mesh.vertices).distances
    print(
        f"built-in face onto the ICT neutral: median {np.median(distances):.3f} mm, "
        f"p95 {np.percentile(distances, 95):.2f} mm, flips {result.flips}, "
        f"rim crossings {result.rim_crossings}"
    )


if __name__ == "__main__":
    main()
