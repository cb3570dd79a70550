"""Heads of a family that the detector may not know: landmarks found, and what registration makes.

    python tests/benchmarks/foreign_heads.py [--family anny] [--heads 40] [--upright]
        [--weights FILE] [--registration N] [--peers meshmonk trimesh]

--family is any model file of closed heads with 68 landmarks, by default MakeHuman's heads as the
package anny carries them. Each head is a random person with an expression and a deformation outside
the model, scanned from all around: new vertices and triangles, noise, any pose (--upright: as it
stands) and unit. A head is right where its inner landmarks lie within 6 mm (mean), refused where
the detector says that it found no face, else silently wrong. --registration fits a template cut
from the family's mean face to the first N heads, from 68 landmarks with 1 mm of noise an axis and
from those that are found, and prints the error of the seen inner face; the peers start from the
given landmarks. All errors are millimetres of the head.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
from registration import _peers
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from geomface.errors import GeomfaceError, LandmarkError
from geomface.faces.eyes import LEFT, RIGHT, eye_behind_lids
from geomface.landmarks import LandmarkDetector, NetworkDetector
from geomface.landmarks.views import View, render_geometry
from geomface.landmarks.weights import load_detector
from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import connected_components
from geomface.model_files import load_model
from geomface.registration import NonRigidRegistration, register
from geomface.registration.evaluate import correspondence_error
from geomface.rendering.camera import view_rotation
from geomface.scans.damage import icosphere
from geomface.scans.fields import random_displacement
from geomface.scans.remesh import refine, resample
from geomface.scans.surround import add_surround
from geomface.statistics import MorphableModel

INNER = slice(17, 68)
RIGHT_MM = 6.0
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}
VERTICES = 20_000


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """A scan of a closed head, and the truth in its pose and unit.

    Parameters
    ----------
    scan : the mesh
    vertices : (V, 3) of the model
    landmarks : (68, 3)
    mm : millimetres a unit
    """

    scan: Mesh
    vertices: np.ndarray
    landmarks: np.ndarray
    mm: float


def draw_head(model: MorphableModel, index: int, *, upright: bool = False) -> Head:
    """Draw a person and scan them from all around."""
    rng = np.random.default_rng([1407, index])
    embedding = model.template.landmarks
    assert embedding is not None
    person = model.vertices(model.sample_identity(rng), model.sample_expression(rng))
    count = len(person)
    body, faces = add_surround(person, model.mesh.faces, embedding.positions(person))
    body = body + random_displacement(body, 90.0, 1.2, rng, count=count)
    truth = body[:count]
    marks = embedding.positions(truth)
    sphere, triangles = icosphere(3)
    for lids in (marks[RIGHT], marks[LEFT]):
        eye = eye_behind_lids(lids, size=0.42, gap=0.7)
        faces = np.vstack([faces, triangles + len(body)])
        body = np.vstack([body, eye[:3] + eye[3] * sphere])
    faces = _outer(body, faces)
    fine, faces = refine(body, faces, np.full(len(body), 1.2))
    points = resample(fine, faces, np.ones(len(fine)), VERTICES, rng, smallest=40)
    scan = np.einsum("nk,nkc->nc", points.weights, fine[points.corners])
    noise = rng.uniform(0.05, 0.4) * rng.standard_normal(len(scan))
    scan = scan + noise[:, None] * vertex_normals(scan, points.faces)
    turn = np.eye(3) if upright else Rotation.random(rng=rng).as_matrix()
    unit = list(UNITS)[int(rng.integers(len(UNITS)))]
    shift, factor = rng.uniform(-200, 200, 3), 1.0 / UNITS[unit]
    placed = [factor * (item @ turn.T + shift) for item in (scan, truth, marks)]
    mesh = Mesh(placed[0], points.faces, unit=unit, name=f"head{index:02d}")
    return Head(mesh, placed[1], placed[2], UNITS[unit])


def _outer(body: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the triangles that can be seen from somewhere outside."""
    normals = vertex_normals(body, faces)
    centre, extent = body.mean(axis=0), 1.05 * float(np.linalg.norm(np.ptp(body, axis=0)))
    seen = np.zeros(len(faces), bool)
    for pitch in (-45.0, 0.0, 45.0):
        for yaw in range(0, 360, 45):
            view = View(view_rotation(yaw, pitch), centre, extent)
            ids = render_geometry(body, faces, normals, view, size=600)[1]
            seen[ids[ids >= 0]] = True
    # Small triangles between seen ones own no pixel.
    touched = np.zeros(len(body), bool)
    touched[faces[seen]] = True
    return faces[seen | touched[faces].all(axis=1)]


def face_template(model: MorphableModel) -> tuple[Template, np.ndarray, np.ndarray]:
    """Cut the face of the mean head; return the template, its vertices and its inner ones."""
    embedding, mesh = model.template.landmarks, model.mesh
    assert embedding is not None
    marks = embedding.positions(mesh.vertices)
    outer = np.zeros(len(mesh.vertices), bool)
    outer[_outer(mesh.vertices, mesh.faces)] = True
    near = cKDTree(marks).query(mesh.vertices)[0]
    front = mesh.vertices[:, 2] > marks[[0, 16], 2].mean() - 5.0
    keep = outer & front & (near < 38.0)
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    label = connected_components(faces, len(mesh.vertices))[1]
    faces = faces[label[faces[:, 0]] == np.bincount(label[faces[:, 0]]).argmax()]
    kept = np.unique(faces)
    place = np.full(len(mesh.vertices), -1)
    place[kept] = np.arange(len(kept))
    moved = _embed(marks, mesh.vertices[kept], place[faces], embedding)
    inner = np.flatnonzero(cKDTree(marks[INNER]).query(mesh.vertices[kept])[0] < 20.0)
    template = Template(Mesh(mesh.vertices[kept], place[faces], name="face"), moved)
    return template, kept, inner


def _embed(marks, vertices, faces, embedding) -> LandmarkEmbedding:
    found = ClosestPointIndex((vertices, faces)).query(marks)
    return LandmarkEmbedding(faces[found.faces], found.barycentric, embedding.scheme)


def detect_all(heads: list[Head], detector: LandmarkDetector) -> list[Landmarks | None]:
    """Print a row a head and the sums; return what was found."""
    found, inner, all68, refused, wrong = [], [], [], 0, 0
    for head in heads:
        began = time.perf_counter()
        try:
            landmarks = detector.detect(head.scan).landmarks
        except LandmarkError as error:
            refused += 1
            found.append(None)
            print(f"{head.scan.name} refused: {error}", flush=True)
            continue
        miss = head.mm * np.linalg.norm(landmarks.points - head.landmarks, axis=1)
        mean = float(miss[INNER].mean())
        wrong += mean > RIGHT_MM
        if mean <= RIGHT_MM:
            inner.append(mean)
            all68.append(float(miss.mean()))
        found.append(landmarks)
        seconds = time.perf_counter() - began
        print(
            f"{head.scan.name} 68 {miss.mean():7.2f} inner {mean:7.2f} {seconds:6.1f} s", flush=True
        )
    means = [np.mean(row or [np.nan]) for row in (inner, all68)]
    print(
        f"right {len(inner)} of {len(heads)}, silently wrong {wrong}, refused {refused}; "
        f"right ones: inner {means[0]:.2f} mm (worst {max(inner, default=np.nan):.2f}), "
        f"68 {means[1]:.2f} mm"
    )
    return found


def register_all(
    heads: list[Head], found: list[Landmarks | None], model: MorphableModel, peers: list[str]
) -> None:
    """Print the error of the seen inner face a head, and the means."""
    template, kept, inner = face_template(model)
    solver, faces = NonRigidRegistration(template), template.mesh.faces
    table: dict[str, list[float]] = {}
    for index, (head, landmarks) in enumerate(zip(heads, found, strict=True)):
        rng = np.random.default_rng([1408, index])
        noisy = head.landmarks + rng.standard_normal((68, 3)) / head.mm
        given = Landmarks(noisy, unit=head.scan.unit)
        truth = head.vertices[kept]
        seen = head.mm * ClosestPointIndex(head.scan).query(truth).distances < 1.0
        results = {}
        for name, marks in (("given", given), ("found", landmarks)):
            if marks is None:
                continue
            try:
                fitted = register(solver, head.scan, marks).mesh
                results[name] = UNITS[fitted.unit] * fitted.vertices
            except GeomfaceError as error:
                print(f"{head.scan.name} {name} refused: {error}")
        if peers:
            scaled = head.scan.replace(vertices=head.mm * head.scan.vertices, unit="mm")
            marks = Landmarks(head.mm * noisy)
            for name, vertices, _ in _peers(peers, template, scaled, marks):
                results[name] = vertices
        row = f"{head.scan.name}"
        for name, vertices in results.items():
            error = correspondence_error(vertices, head.mm * truth, faces, region=inner, seen=seen)
            table.setdefault(name, []).append(error.seen_mean)
            row += f"  {name} {error.seen_mean:.2f}"
        print(row, flush=True)
    print("MEAN " + "  ".join(f"{name} {np.mean(row):.2f}" for name, row in table.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="anny", help="a model file; anny is the package")
    parser.add_argument("--heads", type=int, default=40)
    parser.add_argument("--upright", action="store_true")
    parser.add_argument("--weights", type=Path, help="default: the detector that ships")
    parser.add_argument("--registration", type=int, default=0)
    parser.add_argument("--peers", nargs="*", default=[], choices=["meshmonk", "trimesh"])
    arguments = parser.parse_args()
    source = "anny" if arguments.family == "anny" else "auto"
    model = load_model(arguments.family, source=source)
    heads = [draw_head(model, index, upright=arguments.upright) for index in range(arguments.heads)]
    detector = LandmarkDetector(NetworkDetector(load_detector(arguments.weights)))
    found = detect_all(heads, detector)
    count = arguments.registration
    if count:
        register_all(heads[:count], found[:count], model, arguments.peers)


if __name__ == "__main__":
    main()
