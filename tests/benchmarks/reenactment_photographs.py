"""Real photographs that the reenactment has not seen: turned, and given expressions.

    python tests/benchmarks/reenactment_photographs.py RUN_OR_MODEL --out DIR
        [--photographs ../shared/data/orl] [--subjects 19] [--each 1] [--shown 4]

The first photographs of each ORL subject (grey, 92 x 112) go the way of
`geomface sample landmark_reenactment`: landmarks are found, the 3D model is fitted to them and
turned by -20 and +20 degrees of yaw against the photograph, or given an expression; its landmarks
are what the network is shown. Beside it stands the obvious way, a piecewise affine warp of the
photograph by the same landmarks (scikit-image, `pip install geomface[bench]`).

Printed for each column, means over the photographs:

landmarks  how far a detector finds them in what was made from where they were to be, in percent of
           the face's side, and how many times its error on the photographs as they were given,
           whose landmarks it found itself in the whole photograph; over the faces that it sees
identity   cosine of the descriptors of what was made and of the photograph; above all columns that
           of two photographs of one subject, and of two subjects
colour     mean range of the three channels: 0 is grey, as every photograph is

As the command does, grey is given as three equal channels, and colours that come out are left in.
DIR gets figures.json and sheet.png: of a few subjects the landmarks, what was made, and the warp.
The photographs are not ours to publish, and neither is the sheet.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

import geomface as gf
from geomface.arrays import FloatArray
from geomface.files import save_image
from geomface.files.records import write_json
from geomface.gan.landmark_reenactment import (
    CropEmbedder,
    crop_face,
    face_fitter,
    load_reenactor,
    locate_in_crops,
    moved,
    named_expression,
    pose_face,
)
from geomface.gan.landmark_reenactment.face_finder import FaceFinder
from geomface.learning.data import network_values
from geomface.recognition import load_embedder
from geomface.report.reenactment_sheet import enlarged, reenactment_sheet

sys.path.insert(0, str(Path(__file__).resolve().parent))

from reenactment_study_data import warped  # noqa: E402

TURNS = (-20.0, 20.0)
EXPRESSIONS = ("happy", "surprise", "anger")
COLUMNS = ("yaw -20", "yaw +20", *EXPRESSIONS)


def asked(points: FloatArray, shape: tuple[int, int], name: str, tools: tuple) -> FloatArray:
    """Return the landmarks (5, 68, 2) that a photograph's face is moved to."""
    fitter, model = tools
    face = pose_face(points, shape, fitter, name)
    yaw = face.angles[0]
    turned = [moved(face, 1, turn=("yaw", yaw, yaw + turn)) for turn in TURNS]
    put = [moved(face, 1, expression=named_expression(model, kind)) for kind in EXPRESSIONS]
    return np.concatenate([*turned, *put])


def images_of(pictures: np.ndarray) -> torch.Tensor:
    """Return pictures (N, S, S, 3) uint8 as (N, 3, S, S) in [-1, 1]."""
    return network_values(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def landmark_errors(pictures: np.ndarray, wanted: FloatArray) -> FloatArray:
    """Return (N,) percent of the landmarks' side, NaN where no face is seen."""
    found = locate_in_crops(images_of(pictures))
    sides = np.ptp(wanted, axis=1).mean(axis=1)
    return 100.0 * np.linalg.norm(found - wanted, axis=2).mean(axis=1) / sides


def mean_pairs(rows: np.ndarray, subjects: np.ndarray) -> dict[str, float]:
    """Return mean cosines of two photographs of one subject, and of two subjects."""
    cosines, same = rows @ rows.T, subjects[:, None] == subjects[None]
    other = ~np.eye(len(rows), dtype=bool)
    return {
        name: float(cosines[kind & other].mean()) if (kind & other).any() else float("nan")
        for name, kind in (("one subject", same), ("two subjects", ~same))
    }


def main() -> None:
    """Find, move, measure, draw."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--subjects", type=int, default=19)
    parser.add_argument("--each", type=int, default=1, help="photographs of a subject")
    parser.add_argument("--shown", type=int, default=4, help="subjects on the sheet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    with np.load(options.photographs / "orl_dev.npz", allow_pickle=False) as held:
        images = held["images"][: options.subjects]
    model, reenactor = gf.load_builtin_face(), load_reenactor(options.model)
    size, finder, tools = reenactor.settings.size, FaceFinder(), (face_fitter(model), model)
    embed = CropEmbedder(load_embedder()).eval()
    inputs, own, targets, made, warps, subjects = [], [], [], [], [], []
    others: list[tuple[int, np.ndarray]] = []
    missed = 0
    for subject, photographs in enumerate(images):
        # One more than is moved tells how alike two photographs of a subject are.
        for number, photograph in enumerate(photographs[: options.each + 1]):
            points = finder.find(photograph)
            if points is None:
                missed += 1
                continue
            shown, marks, _ = crop_face(photograph, points, size, reenactor.margin)
            with torch.no_grad():
                row = embed(images_of(shown[None]), network_values(marks[None]))[0].numpy()
            others.append((subject, row))
            if number >= options.each:
                continue
            shape = (photograph.shape[0], photograph.shape[1])
            wanted = reenactor.targets(asked(points, shape, f"{subject}/{number}", tools))
            inputs.append(shown)
            own.append(marks)
            targets.append(wanted)
            subjects.append(subject)
            made.append(np.stack(list(reenactor.reenact(shown, wanted, own=marks))))
            picture = images_of(shown[None])[0].numpy()
            moves = np.stack([warped(picture, marks, place) for place in wanted])
            levels = (127.5 * (moves + 1.0) + 0.5).clip(0, 255).astype(np.uint8)
            warps.append(levels.transpose(0, 2, 3, 1))
    if not inputs:
        raise SystemExit("no face was found in any photograph")
    given, marks, wanted = np.stack(inputs), np.stack(own), np.stack(targets)
    base = landmark_errors(given, marks)
    with torch.no_grad():
        who = embed(images_of(given), network_values(marks)).numpy()
    alike = mean_pairs(np.stack([row for _, row in others]), np.array([who for who, _ in others]))
    reference = float(np.nanmean(base))
    found: dict = {
        "photographs": len(given),
        "no face found": missed,
        "detector on photographs": reference,
        "identity": alike,
    }
    print(
        f"{len(given)} photographs of {size} px, in {missed} no face was found; the detector is "
        f"{reference:.2f} % off itself; cosines of one subject {alike['one subject']:.3f}, of two "
        f"subjects {alike['two subjects']:.3f}"
    )
    for kind, pictures in (("made", np.stack(made)), ("warp", np.stack(warps))):
        for column, name in enumerate(COLUMNS):
            faces, places = pictures[:, column], wanted[:, column]
            errors = landmark_errors(faces, places)
            seen = np.isfinite(errors) & np.isfinite(base)
            with torch.no_grad():
                rows = embed(images_of(faces), network_values(places)).numpy()
            figures = {
                "seen": float(np.isfinite(errors).mean()),
                "landmarks": float(errors[seen].mean()) if seen.any() else float("nan"),
                "times": float(errors[seen].mean() / base[seen].mean())
                if seen.any()
                else float("nan"),
                "identity": float((rows * who).sum(axis=1).mean()),
                "colour": float(np.ptp(faces.astype(float), axis=3).mean() / 255.0),
            }
            found[f"{kind}, {name}"] = figures
            print(f"{kind}  {name:8s}  seen {figures['seen']:4.0%}  landmarks "
                  f"{figures['landmarks']:6.2f} % ({figures['times']:.2f} x)  identity "
                  f"{figures['identity']:.3f}  colour {figures['colour']:.3f}")  # fmt: skip
    write_json(options.out / "figures.json", found)
    parts = []
    for face in range(min(options.shown, len(given))):
        sheet = reenactment_sheet(given[face], own[face], targets[face], made[face])
        factor = sheet.shape[1] // (len(COLUMNS) + 1) // size
        row = [enlarged(picture, factor) / 255.0 for picture in (given[face], *warps[face])]
        parts += [sheet, np.hstack(row).astype(np.float32)]
    save_image(options.out / "sheet.png", np.vstack(parts))


if __name__ == "__main__":
    main()
