"""Landmarks on photographs: the detector that ships, or another, against marks, renders, nothing.

    python tests/benchmarks/photographs.py [--photographs ../shared/data/orl] [--renders SET]
        [--weights FILE] [--no-faces 200] [--sheet P.png] [--speed] [--haar]

- photographs: all of orl_dev.npz: how many are found and how many faces too many; against the
  hand annotation of forty of them (eye centres and mouth corners) the mean over all points and the
  worst picture; how far the points of the mirrored picture, and of the picture shifted by a pixel,
  lie from those of the picture itself;
- renders: a set of `geomface synth faces` of people whom the training did not see: error by yaw,
  all 68 points, hidden ones too, and error by confidence;
- no faces: textures, backgrounds of `synth faces` and landscapes, bodies without heads (of the
  renders, if given), animals: how many are called a face;
- speed: one face at 128 pixels, and a whole picture of 12 megapixels, one thread.

Errors are in percent of the distance of the eye centres: as annotated, as found, or, on renders, as
they would be seen from the front at the same distance (and, beside it, as they are seen). With
--haar, OpenCV's cascade finds faces in the same pictures (pip install opencv-python-headless).
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import geomface as gf
from geomface.datasets.labelled_pictures import load_synthetic
from geomface.files import save_image
from geomface.landmarks.photographs.detect import PhotographLandmarks
from geomface.landmarks.photographs.result import PhotographResult
from geomface.landmarks.photographs.training.no_faces import KINDS, draw_no_face, headless
from geomface.landmarks.photographs.weights import load_weights
from geomface.mesh.multi_pie import mirror_order
from geomface.report.photograph_picture import photograph_picture
from geomface.synthesis.photo.backgrounds import background_picture

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "landmarks" / "photographs"))

from annotation import annotated_points, load_annotation  # noqa: E402

SEED = 4150
YAWS = (0, 15, 30, 45, 60)


def eye_distance(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0)))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance of points in percent of the eye distance of the first."""
    return 100 * float(np.linalg.norm(one - other, axis=1).mean()) / eye_distance(one)


def on_photographs(
    detector: PhotographLandmarks, folder: Path, sheet: Path | None, every: int
) -> None:
    with np.load(folder / "orl_dev.npz") as stored:
        images = stored["images"].astype(np.float32) / 255.0
    people, each = images.shape[:2]
    results = [[detector.detect(images[row, k]) for k in range(each)] for row in range(people)]
    counts = np.array([[len(result.faces) for result in row] for row in results])
    print(f"photographs     {(counts > 0).sum()} of {counts.size} found, "
          f"{(counts - 1).clip(0).sum()} faces too many")  # fmt: skip
    annotation = load_annotation()
    pairs = list(zip(annotation.rows, annotation.pictures, strict=True))
    kept = [index for index, (row, k) in enumerate(pairs) if counts[row, k]]
    points = np.full((len(pairs), 4, 2), np.nan)
    for index in kept:
        row, k = pairs[index]
        points[index] = annotated_points(results[row][k].faces[0].points)
    errors = 100 * annotation.errors(points)
    worst = errors.mean(axis=1)
    shift = (points - annotation.points) / annotation.eye_distances[:, None, None]
    mean = np.nanmean(errors)
    print(f"annotated       mean {mean:.2f} %, worst picture {np.nanmax(worst):.1f} % "
          f"(right eye, left eye, corners: {np.round(np.nanmean(errors, axis=0), 1)}; "
          f"mean shifts x {np.round(100 * np.nanmean(shift[..., 0], axis=0), 1)}, "
          f"y {np.round(100 * np.nanmean(shift[..., 1], axis=0), 1)})")  # fmt: skip
    for name, flag in annotation.flags.items():
        with_it, without = np.nanmean(errors[flag]), np.nanmean(errors[~flag])
        print(f"  {name:<14}{with_it:.2f} % (without {without:.2f} %)")
    order = np.argsort(-np.nan_to_num(worst, nan=1e9))[:8]
    print("  worst          " + ", ".join(
        f"{pairs[i][0]}/{pairs[i][1]} {worst[i]:.1f} %" for i in order))  # fmt: skip
    mirrored, shifted = [], []
    for row in range(people):
        for k in range(0, each, every):
            if not counts[row, k]:
                continue
            own = results[row][k].faces[0].points
            other = detector.detect(np.ascontiguousarray(images[row, k][:, ::-1]))
            if other.faces:
                back = other.faces[0].points[mirror_order()]
                back[:, 0] = images.shape[3] - back[:, 0]
                mirrored.append(apart(own, back))
            for step in ((1, 0), (0, 1)):
                moved = np.pad(images[row, k], ((step[1], 0), (step[0], 0)), mode="edge")
                other = detector.detect(moved[: images.shape[2], : images.shape[3]])
                if other.faces:
                    shifted.append(apart(own + np.array(step), other.faces[0].points))
    for name, values in (("mirrored", mirrored), ("shifted by 1 px", shifted)):
        print(f"{name:<16}mean {np.mean(values):.2f} %, 95 of 100 below "
              f"{np.percentile(values, 95):.2f} %, worst {np.max(values):.2f} %")  # fmt: skip
    if sheet is not None:
        save_sheet(sheet, [(images[row, k], results[row][k]) for row, k in pairs])
        rest = [(images[row, k], results[row][k]) for row in range(people) for k in range(each)]
        save_sheet(sheet.with_name(f"{sheet.stem}_all.png"), rest, columns=19, side=192)


def save_sheet(path: Path, shown: list, columns: int = 8, side: int = 336) -> None:
    cells = []
    for image, result in shown:
        drawn = photograph_picture(np.repeat(image[..., None], 3, axis=2), result)
        step = max(1, drawn.shape[0] // side)
        cells.append(drawn[::step, ::step])
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    save_image(path, np.vstack(rows))
    print(path)


def on_renders(detector: PhotographLandmarks, folder: Path, most: int) -> None:
    faces = load_synthetic(folder)
    yaws, front, seen, confidence, each, missed = [], [], [], [], [], 0
    apart_mm = front_eye_distance_mm()
    for record in faces.records[:most]:
        result = detector.detect(faces.image(record))
        true = record.landmarks
        if not result.faces:
            missed += 1
            continue
        nearest = min(
            result.faces, key=lambda face: float(np.linalg.norm(face.points - true, axis=1).mean())
        )
        miss = np.linalg.norm(nearest.points - true, axis=1)
        away = 1.0 if record.camera.weak else float(record.camera.translation[2])
        frontal = record.camera.focal * apart_mm / away
        yaws.append(abs(float(record.parameters["yaw"])))
        front.append(100 * miss.mean() / frontal)
        seen.append(100 * miss.mean() / eye_distance(true))
        each.append(100 * miss / frontal)
        confidence.append(nearest.confidence)
    yaw, front_, seen_ = np.array(yaws), np.array(front), np.array(seen)
    print(f"renders         {len(yaws)} of {len(yaws) + missed} found, mean {front_.mean():.2f} %, "
          f"median {np.median(front_):.2f} %, worst {front_.max():.1f} % "
          f"(of the distance as seen {seen_.mean():.2f} %)")  # fmt: skip
    for low, high in zip(YAWS[:-1], YAWS[1:], strict=True):
        chosen = (yaw >= low) & (yaw < high + (high == YAWS[-1]))
        print(f"  yaw {low:2d} to {high}   {front_[chosen].mean():.2f} % "
              f"(as seen {seen_[chosen].mean():.2f} %), {chosen.sum()} pictures")  # fmt: skip
    sure, errors = np.concatenate(confidence), np.concatenate(each)
    edges = np.quantile(sure, np.linspace(0, 1, 11))
    bins = np.clip(np.searchsorted(edges, sure, side="right") - 1, 0, 9)
    means = [errors[bins == k].mean() for k in range(10)]
    print("  confidence     " + ", ".join(f"{sure[bins == k].mean():.2f}" for k in range(10)))
    print(
        "  within 10 %    " + ", ".join(f"{(errors[bins == k] < 10).mean():.2f}" for k in range(10))
    )
    falls = "falls" if (np.diff(means) < 0).all() else "does not fall"
    print(
        "  error, %       " + ", ".join(f"{mean:.1f}" for mean in means) + f" ({falls} throughout)"
    )


def front_eye_distance_mm() -> float:
    face = gf.load_builtin_face()
    marks = face.template.landmarks
    assert marks is not None
    return eye_distance(marks.positions(face.mesh.vertices))


def no_faces(count: int, renders: Path | None, size: int = 256) -> dict[str, list[np.ndarray]]:
    """Return pictures without a face by kind, none of which the training has seen."""
    each = count // (len(KINDS) + (renders is not None))
    pictures = {
        kind: [
            draw_no_face(np.random.default_rng([SEED, place, index]), size, kind)
            for index in range(each)
        ]
        for place, kind in enumerate(KINDS)
    }
    sampler = gf.FaceSampler(gf.FaceImageSettings(identities=each, size=size, seed=SEED))
    grounds = [background_picture(sampler.parameters(i, 0), size, SEED) for i in range(each // 2)]
    pictures["landscape"][: len(grounds)] = [
        ground @ np.array([0.299, 0.587, 0.114], np.float32) for ground in grounds
    ]
    if renders is not None:
        faces, bodies = load_synthetic(renders), []
        for index, record in enumerate(faces.records[:each]):
            grey = faces.image(record) @ np.array([0.299, 0.587, 0.114], np.float32)
            rng = np.random.default_rng([SEED, 9, index])
            bodies.append(headless(grey, record.landmarks, rng))
        pictures["bodies"] = bodies
    return pictures


def on_nothing(find: Callable[[np.ndarray], int], count: int, renders: Path | None) -> None:
    found = {
        kind: [find(picture) > 0 for picture in pictures]
        for kind, pictures in no_faces(count, renders).items()
    }
    total = np.concatenate(list(found.values()))
    kinds = ", ".join(f"{kind} {sum(row)}/{len(row)}" for kind, row in found.items())
    print(f"no faces        {total.sum()} of {len(total)} called a face "
          f"({100 * total.mean():.1f} %): {kinds}")  # fmt: skip


def speed(detector: PhotographLandmarks) -> None:
    torch.set_num_threads(1)
    settings = gf.FaceImageSettings(size=256, preset="photo")
    picture = gf.FaceSampler(settings).batch([(3, 0)]).images["rgb"][0]
    result = detector.detect(picture)
    grey = torch.from_numpy(picture.mean(axis=2))
    frame = result.faces[0].frame if result.faces else np.array([128.0, 128.0, 40.0, 0.0])

    def looks() -> None:
        with torch.inference_mode():
            detector._look(grey, frame[None])
            detector._look(grey, frame[None], mirrored=True)

    large = np.repeat(np.repeat(picture, 12, 0), 16, 1)[:3000, :4000]
    for name, work, times in (
        ("a face, both looks", looks, 20),
        ("256 x 256", lambda: detector.detect(picture), 10),
        ("4000 x 3000", lambda: detector.detect(large), 3),
        ("4000 x 3000, none", lambda: detector.detect(np.full_like(large, 0.5)), 3),
    ):
        work()
        taken = []
        for _ in range(times):
            began = time.process_time()
            work()
            taken.append(time.process_time() - began)
        print(f"{name:<20}{1000 * np.median(taken):.0f} ms of one core")


def haar(photographs: Path | None, count: int, renders: Path | None) -> None:
    import cv2

    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def find(picture: np.ndarray) -> int:
        return len(cascade.detectMultiScale((255 * picture).astype(np.uint8), 1.1, 4))

    print("OpenCV haar cascade:")
    if photographs is not None:
        with np.load(photographs / "orl_dev.npz") as stored:
            images = stored["images"].astype(np.float32).reshape(-1, *stored["images"].shape[2:])
        counts = np.array([find(image / 255.0) for image in images])
        print(f"photographs     {(counts > 0).sum()} of {counts.size} found, "
              f"{(counts - 1).clip(0).sum()} faces too many")  # fmt: skip
    on_nothing(find, count, renders)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, help="folder of orl_dev.npz")
    parser.add_argument("--renders", type=Path, help="set of people held out")
    parser.add_argument("--most", type=int, default=400, help="renders that are looked at")
    parser.add_argument("--weights", type=Path, help="default the detector that ships")
    parser.add_argument("--no-faces", type=int, default=200)
    parser.add_argument("--sheet", type=Path, help="picture of the annotated photographs")
    parser.add_argument(
        "--every", type=int, default=1, help="of the photographs, to mirror and shift"
    )
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--haar", action="store_true")
    arguments = parser.parse_args()
    if arguments.haar:
        haar(arguments.photographs, arguments.no_faces, arguments.renders)
        return
    detector = PhotographLandmarks(weights=load_weights(arguments.weights))
    if arguments.photographs is not None:
        on_photographs(detector, arguments.photographs, arguments.sheet, arguments.every)
    if arguments.renders is not None:
        on_renders(detector, arguments.renders, arguments.most)
    if arguments.no_faces:

        def find(picture: np.ndarray) -> int:
            result: PhotographResult = detector.detect(picture)
            return len(result.faces)

        on_nothing(find, arguments.no_faces, arguments.renders)
    if arguments.speed:
        speed(detector)


if __name__ == "__main__":
    main()
