"""Fits to rendered pictures with known truth, and to photographs.

    python tests/benchmarks/fit_image.py [--images 50] [--first 0] [--model builtin|ict.npz]
        [--seed 2024] [--unknown-focal] [--photographs ../shared/data/orl --out P.png]

Draws faces with random identity, expression, skin, pose (yaw up to 35, pitch and roll up to 15
degrees), light (ambient and three lamps) and focal length, renders them at 256 px with noise of
0.01, adds 1 px noise to the landmarks, fits, and prints means over the pictures:

- pose: angle between the true rotation of the head and the fitted one;
- shape: distance of the neutral face to the true one on the region `narrow_face` after rigid
  alignment, and with the size free, beside that of the fit to landmarks alone and of the mean face;
- light: difference of the shading of the true face under the fitted and the true light, root mean
  square over pixels, relative; as it is, and after one factor a channel (how bright the light and
  how dark the skin is shows in their product only);
- picture: difference of the true and the fitted rendering where both show skin, relative.

With --photographs it fits the four marked photographs of orl_dev.npz there and writes a picture.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from geomface.faces.builtin import load_builtin_face
from geomface.faces.ict import load_ict
from geomface.files import save_image
from geomface.fitting import fit_landmarks_2d
from geomface.fitting.rendering import PictureFitter, fit_image
from geomface.fitting.rendering.sheet import fit_sheet, render_face
from geomface.mesh.similarity import fit_similarity

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fitting" / "rendering"))

from picture_samples import draw_face, rotation_angle_degrees  # noqa: E402

COLUMNS = (
    "pose", "pose marks", "rigid", "rigid marks", "rigid mean", "size free", "marks", "mean",
    "light", "light scaled", "picture", "seconds",
)  # fmt: skip


def relative(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


def measure(face, fitter, seed: list[int], unknown_focal: bool) -> list[float]:
    """Return the row of COLUMNS of one drawn picture."""
    drawn = draw_face(face, seed)
    size = drawn.image.shape[:2]
    focal = None if unknown_focal else drawn.camera.focal
    fit = fit_image(drawn.image, drawn.landmarks, fitter, focal_px=focal)
    marks = fit_landmarks_2d(
        fitter.landmarks, drawn.landmarks, size, camera="perspective", focal_px=focal
    )
    region = face.template.regions["narrow_face"]
    true = drawn.neutral[region]
    shapes = [face.vertices(fit.shape), face.vertices(marks.shape), face.mesh.vertices]
    errors = {
        free: [
            np.linalg.norm(
                fit_similarity(shape[region], true, scale=free).apply(shape[region]) - true, axis=1
            ).mean()
            for shape in shapes
        ]
        for free in (False, True)
    }
    truth = face.mesh.replace(vertices=drawn.vertices)
    outputs = ("rgb", "alpha", "shading")
    real, lit = (
        render_face(truth, drawn.colors, light, drawn.camera, size, outputs=outputs)
        for light in (drawn.light, fit.light)
    )
    again = render_face(fit.mesh, fit.model_colors, fit.light, fit.camera, size)
    covered = real["alpha"] > 0.99
    shown, found = real["shading"][covered], lit["shading"][covered]
    factor = (shown * found).sum(axis=0) / (found**2).sum(axis=0)
    both = covered & (again["alpha"] > 0.99)
    rotation = drawn.camera.rotation
    return [
        rotation_angle_degrees(fit.camera.rotation, rotation),
        rotation_angle_degrees(marks.camera.rotation, rotation),
        *errors[False],
        *errors[True],
        relative(found, shown),
        relative(found * factor, shown),
        relative(again["rgb"][both], real["rgb"][both]),
        fit.seconds,
    ]


def renders(arguments, face) -> None:
    fitter = PictureFitter(face)
    rows = []
    for index in range(arguments.first, arguments.first + arguments.images):
        row = measure(face, fitter, [arguments.seed, index], arguments.unknown_focal)
        rows.append(row)
        if arguments.verbose:
            print(index, " ".join(f"{value:.3f}" for value in row), flush=True)
    table = np.array(rows)
    mean: dict[str, float] = dict(zip(COLUMNS, table.mean(axis=0), strict=True))
    largest: dict[str, float] = dict(zip(COLUMNS, table.max(axis=0), strict=True))

    def below(name: str, of: str) -> str:
        return f"{mean[name]:.2f} mm ({1 - mean[name] / mean[of]:.0%} below the mean face's)"

    print(f"{len(rows)} pictures of {face.name}, seed {arguments.seed}")
    print(f"pose            {mean['pose']:.2f} degrees, largest {largest['pose']:.2f}"
          f" (landmarks alone {mean['pose marks']:.2f})")  # fmt: skip
    print(f"shape, rigid    {below('rigid', 'rigid mean')}, landmarks alone "
          f"{below('rigid marks', 'rigid mean')}")  # fmt: skip
    print(f"shape, size free {below('size free', 'mean')}, landmarks alone "
          f"{below('marks', 'mean')}")  # fmt: skip
    print(f"light           {mean['light']:.1%}, after one factor a channel "
          f"{mean['light scaled']:.1%} (largest {largest['light scaled']:.1%})")  # fmt: skip
    print(f"picture         {mean['picture']:.1%}, largest {largest['picture']:.1%}")
    print(f"seconds         {np.median(table[:, -1]):.1f} (median)")


def photographs(arguments, face) -> None:
    record = json.loads((HERE / "photograph_landmarks.json").read_text())
    with np.load(arguments.photographs / "orl_dev.npz") as stored:
        images = stored["images"]
    fitter = PictureFitter(face)
    sheets = []
    for entry in record["photographs"]:
        points = np.array([[np.nan] * 2 if row is None else row for row in entry["points"]])
        image = images[entry["subject"], entry["image"]]
        fit = fit_image(image, points, fitter)
        print(f"subject {entry['subject']}: difference {fit.residual['median']:.3f}, landmarks "
              f"{fit.landmark_px['median']:.1f} px, {fit.seconds:.1f} s")  # fmt: skip
        sheets.append(fit_sheet(image, fit))
    width = max(sheet.shape[1] for sheet in sheets)
    padded = [
        np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=1.0)
        for sheet in sheets
    ]
    save_image(arguments.out, np.vstack(padded))
    print(arguments.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first picture")
    parser.add_argument("--model", default="builtin", help="builtin, or the ICT arrays")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--unknown-focal", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--photographs", type=Path, help="folder of orl_dev.npz")
    parser.add_argument("--out", type=Path, default=Path("fit_image.png"))
    arguments = parser.parse_args()
    face = load_builtin_face() if arguments.model == "builtin" else load_ict(arguments.model)
    if arguments.photographs is not None:
        photographs(arguments, face)
    else:
        renders(arguments, face)


if __name__ == "__main__":
    main()
