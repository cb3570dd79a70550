"""Closed mouths: do the lips of a registered face meet, and do they cross?

    python tests/benchmarks/closed_mouths.py DATA [--count 20]

DATA holds ict/ and james/. Registers the built-in face and the ICT template onto the real scan and
onto simulated scans of closed mouths (people of the ICT face at rest; people of the built-in face
with its lips brought together), and prints the largest distance between opposite landmarks of the
inner lips (61-67, 62-66, 63-65), the pairs of triangles of upper and lower lip that cross, and the
95th percentile of the distance to the scan from the part of the narrow face that the fit shows.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.faces.builtin import load_builtin_face
from geomface.faces.ict import load_ict
from geomface.mesh import Landmarks, Mesh, fit_similarity
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.mesh.normals import vertex_normals
from geomface.registration import NonRigidRegistration, register
from geomface.registration.mouth import find_lips
from geomface.registration.template_terms import exposure
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import simulate_scan
from geomface.statistics import MorphableModel

OPPOSITE = np.array([[61, 67], [62, 66], [63, 65]])
OPEN_MM = 1.5


def lips_together(model: MorphableModel) -> MorphableModel:
    """Return the model with the lips of its mean moved together until they touch."""
    mean = model.shape.mean.copy()
    lips = find_lips(mean, model.mesh.faces, model.template.landmarks)
    middle = 0.5 * (mean[lips.upper] + mean[lips.lower])
    inner = np.abs(mean[:, 0]) < 15.0
    upper, lower = (mean[(lips.side == side) & inner, 1] for side in (1, -1))
    near = np.linalg.norm(mean[:, None] - middle[None, ::3], axis=2).min(axis=1)
    shift = 0.5 * (upper.min() - lower.max()) * np.exp(-((near / 12.0) ** 2))
    above = mean[:, 1] > np.interp(mean[:, 0], middle[:, 0], middle[:, 1])
    mean[:, 1] += np.where(above, -shift, shift)
    return dataclasses.replace(model, shape=dataclasses.replace(model.shape, mean=mean))


def lip_crossings(vertices: FloatArray, upper: IndexArray, lower: IndexArray) -> int:
    """Count pairs of triangles, one of each lip, that cut through each other."""
    first, second = vertices[upper], vertices[lower]
    pairs = np.argwhere(
        (first.min(axis=1)[:, None] <= second.max(axis=1)[None]).all(axis=2)
        & (second.min(axis=1)[None] <= first.max(axis=1)[:, None]).all(axis=2)
    )
    cut = np.zeros(len(pairs), bool)
    for one, two in (
        (first[pairs[:, 0]], second[pairs[:, 1]]),
        (second[pairs[:, 1]], first[pairs[:, 0]]),
    ):
        for corner in range(3):
            cut |= _cuts(one[:, corner], one[:, (corner + 1) % 3], two)
    return int(cut.sum())


def _cuts(start: FloatArray, end: FloatArray, triangle: FloatArray) -> np.ndarray:
    """Say which segments pass through the inside of their triangles."""

    def volume(a, b, c, d):
        return np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)

    a, b, c = triangle[:, 0], triangle[:, 1], triangle[:, 2]
    sides = volume(a, b, c, start) * volume(a, b, c, end)
    turns = [np.sign(volume(start, end, *edge)) for edge in ((a, b), (b, c), (c, a))]
    return (sides < 0) & (np.abs(sum(turns)) == 3)


class Judge:
    """Measures fits of one template."""

    def __init__(self, template) -> None:
        self.solver = NonRigidRegistration(template)
        lips = find_lips(template.mesh.vertices, template.mesh.faces, template.landmarks)
        self.marks = template.landmarks.vertices[:, 0]
        self.narrow = np.zeros(len(self.solver.rest), bool)
        self.narrow[template.regions["narrow_face"]] = True
        side = lips.side.copy()
        side[lips.upper], side[lips.lower] = 1, -1
        faces = template.mesh.faces
        self.upper, self.lower = (faces[(side[faces] == way).all(axis=1)] for way in (1, -1))

    def __call__(self, scan: Mesh, landmarks: Landmarks) -> tuple[float, ...]:
        began = time.perf_counter()
        found = register(self.solver, scan, landmarks)
        seconds = time.perf_counter() - began
        vertices = found.mesh.vertices
        ends = vertices[self.marks[OPPOSITE]]
        gap = float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).max())
        crossed = lip_crossings(vertices, self.upper, self.lower)
        # What a closed mouth hides is not measured against its outside.
        rest, faces = self.solver.rest, self.solver.faces
        upright = fit_similarity(vertices, rest).apply(vertices)
        normals = vertex_normals(upright, faces, weighting="area")
        visible = self.narrow & (exposure(upright, faces, normals) >= 2)
        distances = ClosestPointIndex(scan).query(vertices[visible]).distances
        return (
            gap,
            crossed + found.rim_crossings,
            float(np.percentile(distances, 95)),
            found.flips,
            seconds,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--templates", nargs="*", default=["builtin", "ict"])
    arguments = parser.parse_args()
    ict = load_ict(arguments.data / "ict" / "ict_face.npz")
    builtin = load_builtin_face()
    people = {"ict": ict, "builtin": lips_together(builtin)}
    folder = arguments.data / "james"
    items = {
        "james": (
            load_mesh(folder / "james.obj", texture=False),
            load_landmarks(folder / "james.landmarks.json"),
        )
    }
    settings = ScanSettings(expression=0.0)
    index = 0
    while len(items) <= arguments.count:
        name = list(people)[len(items) % 2]
        scan = simulate_scan(
            people[name], rng=np.random.default_rng([14, index]), settings=settings
        )
        index += 1
        # Some people of the ICT face rest with open lips.
        ends = scan.truth["landmarks"][OPPOSITE]
        apart = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean()
        if name == "builtin" or apart < OPEN_MM:
            items[f"{name} {index}"] = (scan.mesh, scan.landmarks)
    templates = {
        "builtin": builtin.template,
        "ict": load_template(arguments.data / "ict" / "template.obj"),
    }
    for name in arguments.templates:
        judge, rows = Judge(templates[name]), []
        for label, (scan, landmarks) in items.items():
            rows.append(judge(scan, landmarks))
            gap, crossings, p95, flips, seconds = rows[-1]
            print(
                f"{name:8s} on {label:12s} gap {gap:5.2f} mm  crossings {crossings:3d}  "
                f"p95 {p95:.2f} mm  flips {flips}  {seconds:.2f} s",
                flush=True,
            )
        gaps, crossings = np.array(rows)[:, 0], np.array(rows)[:, 1]
        print(
            f"{name}: gap <= 0.6 mm in {(gaps <= 0.6).sum()} of {len(gaps)}, worst "
            f"{gaps.max():.2f} mm; crossings in {(crossings > 0).sum()}"
        )


if __name__ == "__main__":
    main()
