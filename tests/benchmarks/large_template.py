"""Time and memory of one registration with a template of about 50,000 vertices.

    python tests/benchmarks/large_template.py DATA

The ICT template is refined (every triangle into sixteen) and decimated to 100,000 triangles; the
scan is scan00. Prints preparation and fitting time, peak memory and the surface distance.
"""

import argparse
import resource
import time
from pathlib import Path

import igl
import numpy as np
import trimesh
from scipy.spatial import KDTree

from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.registration import NonRigidRegistration, register


def refined(template: Template, triangles: int) -> Template:
    vertices, faces = template.mesh.vertices, template.mesh.faces
    for _ in range(2):
        vertices, faces = trimesh.remesh.subdivide(vertices, faces)
    vertices, faces, *_ = igl.decimate(vertices, faces.astype(np.int64), triangles)
    _, nearest = KDTree(vertices).query(template.landmarks.positions(template.mesh.vertices))
    mesh = Mesh(vertices, np.asarray(faces), name="refined template")
    return Template(mesh, LandmarkEmbedding.on_vertices(np.asarray(nearest)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    small = load_template(arguments.data / "ict" / "template.obj")
    scan = load_mesh(arguments.data / "scans" / "scan00.ply")
    landmarks = load_landmarks(arguments.data / "scans" / "scan00.landmarks.json")
    for name, template in (("ICT", small), ("refined", refined(small, 100_000))):
        began = time.perf_counter()
        solver = NonRigidRegistration(template)
        prepared = time.perf_counter() - began
        result = register(solver, scan, landmarks)
        distances = ClosestPointIndex(scan).query(result.mesh.vertices).distances
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name:8s} {len(template.mesh.vertices):6d} vertices: prepared in {prepared:.2f} s, "
            f"fitted in {result.seconds:.2f} s, peak memory so far {peak:.0f} MB, "
            f"median surface distance {np.median(distances):.2f} mm, flips {result.flips}"
        )


if __name__ == "__main__":
    main()
