"""Fitting a morphable model: to the simulated scans, and to landmarks in an image.

    python tests/benchmarks/model_fitting.py DATA [--images 30] [--scans 0 1 2]

DATA holds ict/ and scans/. Fits the ICT model to each scan without any correspondence (landmarks
give the start), alone and as the start of a registration, and prints the narrow-face error. Then
draws faces, projects their 68 landmarks into images of 256 px with 1 px noise, fits, and prints
the error of the pose and of the shape beside that of the mean face (after rigid alignment).
"""

import argparse
import time
from pathlib import Path

import numpy as np

from geomface.faces.ict import load_ict
from geomface.fitting import (
    ImageFitter,
    ModelRegistration,
    ScanFitter,
    fit_landmarks_2d,
    fit_scan,
    register_with_model,
    shape_prior,
)
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.mesh.similarity import fit_similarity
from geomface.registration import NonRigidRegistration, register
from geomface.rendering.camera import view_rotation


def scans(data: Path, indices: list[int], model, region) -> None:
    """Print the error of each way to use the model on each scan."""
    fitter, joint = ScanFitter(model), ModelRegistration(model)
    template = load_template(data / "ict" / "template.obj")
    solver, prior = NonRigidRegistration(template), shape_prior(model)
    rows = []
    for index in indices:
        scan = load_mesh(data / "scans" / f"scan{index:02d}.ply")
        landmarks = load_landmarks(data / "scans" / f"scan{index:02d}.landmarks.json")
        with np.load(data / "scans" / f"scan{index:02d}.truth.npz") as stored:
            truth = stored["vertices"].astype(np.float64)
        row = []
        for run in (
            lambda *given: fit_scan(fitter, *given),
            lambda *given: register_with_model(joint, *given),
            lambda *given: register(solver, *given, prior=prior),
            lambda *given: register(solver, *given),
        ):
            began = time.perf_counter()
            mesh = run(scan, landmarks).mesh
            seconds = time.perf_counter() - began
            error = np.linalg.norm(mesh.vertices - truth, axis=1)[region].mean()
            row += [error, seconds]
        rows.append(row)
        print(f"scan{index:02d}" + "".join(f"{value:9.2f}" for value in row))
    print("mean  " + "".join(f"{value:9.2f}" for value in np.mean(rows, axis=0)))


def images(count: int, face, region) -> None:
    """Print pose and shape errors of fits to projected landmarks."""
    embedding = face.template.landmarks
    fitter = ImageFitter(face)
    for camera in ("weak-perspective", "perspective"):
        poses, ours, mean_face, seconds = [], [], [], []
        for index in range(count):
            rng = np.random.default_rng([31, index])
            truth = face.vertices(face.sample_identity(rng), face.sample_expression(rng))
            rotation = view_rotation(rng.uniform(-40, 40), rng.uniform(-15, 15))
            points = (embedding.positions(truth) - truth.mean(axis=0)) @ rotation.T
            if camera == "perspective":
                depth = 700.0 - points[:, 2]
                xy = 128 + 460.0 * points[:, :2] * [1, -1] / depth[:, None]
            else:
                xy = 128 + 0.7 * points[:, :2] * [1, -1]
            xy = xy + rng.standard_normal(xy.shape)
            began = time.perf_counter()
            fit = fit_landmarks_2d(
                fitter,
                xy,
                (256, 256),
                camera=camera,
                focal_px=460.0 if camera == "perspective" else None,
            )
            seconds.append(time.perf_counter() - began)
            turn = fit.camera.rotation @ rotation.T
            poses.append(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
            for errors, found in ((ours, fit.mesh.vertices), (mean_face, face.mesh.vertices)):
                move = fit_similarity(found[region], truth[region], scale=True)
                errors.append(np.linalg.norm(move.apply(found) - truth, axis=1)[region].mean())
        print(
            f"{camera:18s} pose mean {np.mean(poses):.2f} median {np.median(poses):.2f} degrees, "
            f"shape {np.mean(ours):.2f} mm, mean face {np.mean(mean_face):.2f} mm "
            f"({1 - np.mean(ours) / np.mean(mean_face):.0%} below), {np.median(seconds):.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=30)
    parser.add_argument("--scans", type=int, nargs="*", default=list(range(12)))
    arguments = parser.parse_args()
    face = load_ict(arguments.data / "ict" / "ict_face.npz")
    region = face.template.regions["narrow_face"]
    images(arguments.images, face, region)
    print("        model alone, s   with model, s   as prior, s   without, s   (errors in mm)")
    scans(arguments.data, arguments.scans, face, region)


if __name__ == "__main__":
    main()
