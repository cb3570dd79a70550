"""Faces that a model holds exactly, in random poses and sizes: how far `model project` ends off.

    python tests/benchmarks/model_projection.py [--model M] [--count 100] [--seed 0]

Prints the worst and the mean vertex in the model's millimetres, the most steps and the time. The
last row is of faces with 2 mm of noise at every vertex, which no model holds: the distance to the
face without it.
"""

import argparse
import time

import numpy as np
from scipy.spatial.transform import Rotation

from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Similarity
from geomface.model_files import load_model
from geomface.statistics.projection import ModelProjector


def main() -> None:
    """Draw, place, project, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = (load_builtin_face() if options.model is None else load_model(options.model)).shape
    projector, rng = ModelProjector(model), np.random.default_rng(options.seed)
    print(f"{'noise, mm':>10}{'worst, mm':>12}{'mean, mm':>12}{'steps':>7}{'s a face':>10}")
    for noise in (0.0, 2.0):
        worst, mean, steps, seconds = 0.0, 0.0, 0, 0.0
        for _ in range(options.count):
            turn = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
            size = float(np.exp(rng.uniform(-7, 7)))
            pose = Similarity(size, turn, rng.normal(0, 500, 3))
            face = model.reconstruct(rng.standard_normal(len(model)))
            mesh = pose.apply(face + noise * rng.standard_normal(face.shape))
            began = time.perf_counter()
            found = projector.project(mesh)
            seconds += time.perf_counter() - began
            miss = np.linalg.norm(found.vertices - pose.apply(face), axis=1) / size
            worst, mean = max(worst, float(miss.max())), mean + float(miss.mean()) / options.count
            steps = max(steps, found.steps)
        print(f"{noise:10g}{worst:12.2g}{mean:12.2g}{steps:7d}{seconds / options.count:10.3f}")


if __name__ == "__main__":
    main()
