"""What each enrichment of `synth faces --preset photo` brings to the detector of photographs.

    python tests/benchmarks/photograph_switches.py OUT --before CHECKOUT
        [--photographs ../shared/data/orl] [--arms today all skin ...] [--seeds 0 1]
        [--people 400] [--steps 900] [--sheet FILE.png]

An arm is the preset with a group of its switches off, see ARMS; "all" has everything on, and
"today" is the preset as CHECKOUT renders it (a folder with the code of the commit before the
enrichment). Every arm has as many pictures, the same seeds of people, poses and training, and a
detector from scratch. Of each:

- error, % of the distance of the eyes, on the forty annotated photographs: with the frame of the
  face given (from the annotated points), and of the faces that the whole detector finds; how many
  of the forty these are, and how many false faces it finds in them;
- error on 200 renders of the arm's own kind, of other people (all 68 points, true frames);
- how well `evaluate faces --cropped` tells 160 pictures of the arm (seed 5, 320 pixels) from the
  photographs.

Each arm takes minutes, and the same command goes on where it stopped; the table is of what is
finished, in Markdown.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import geomface as gf
from geomface.datasets.labelled_pictures import load_synthetic
from geomface.files import save_image
from geomface.landmarks.photographs.detect import PhotographLandmarks
from geomface.landmarks.photographs.frames import frames_of
from geomface.landmarks.photographs.training.recipe import PhotographTraining, photograph_recipe
from geomface.landmarks.photographs.training.run import prepare_sets, trained_weights
from geomface.landmarks.photographs.training.task import SYSTEM, PhotographTask
from geomface.landmarks.photographs.weights import load_weights, save_weights
from geomface.learning import ComputeSettings, LoopSettings
from geomface.learning.training import run_training
from geomface.rendering import contact_sheet

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "landmarks" / "photographs"))

from annotation import Annotation, annotated_points, load_annotation  # noqa: E402

TODAY, ALL = "today", "all"
ARMS = {
    TODAY: "",
    ALL: "",
    "skin": "--detail 0",
    "light": "--light-rig room --no-shadows --no-occlusion --subsurface 0 --lids 0",
    "hair": "--hair 0 --beard 0",
    "covers": "--glasses 0 --hats 0 --scarves 0 --occluders 0",
    "hair+covers": "--hair 0 --beard 0 --glasses 0 --hats 0 --scarves 0 --occluders 0",
    "developing": "--film 0 --coarse 0 --jpeg 0 --sharpening constant(0) --blur constant(0) "
    "--noise constant(0) --jitter 0",
    "people": "--identity gaussian(0,1) --trait-spread 1",
}
"""Options that take a group away."""
POSES = (
    *("--scale", "gaussian(0.55,0.06)", "--pitch", "gaussian(0,13)", "--roll", "gaussian(0,6)"),
    *("--yaw", "mixture(0.5*gaussian(0,20),0.5*uniform(-70,70))"),
)
"""Of the card of the detector that ships."""
SAMPLES, HELD_OUT, JUDGED = 4, 50, 160
WITHIN = 50.0
"""A face whose points lie nearer than this, in percent of the eye distance, is the right one."""
FEATURES = ("convolutions", "statistics", "gradients")
SHOWN, REPORT = 8, "judged.json"


def command(code: Path, *words: str) -> None:
    """Run a geomface command of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(code)}
    subprocess.run(
        [sys.executable, "-m", "geomface", *words], cwd=code, env=environment, check=True
    )


def render(arm: str, folder: Path, code: Path, people: int) -> None:
    """Make what an arm is judged by, learns from, and is calibrated on; no people: the first."""
    off = ARMS[arm].split()
    drawn = ["--samples", str(SAMPLES), "--size", "192", *POSES]
    for name, words in (
        ("judged", ["--identities", str(JUDGED), "--samples", "1", "--size", "320", "--seed", "5"]),
        ("faces", ["--identities", str(people), "--seed", "1", *drawn]),
        ("held-out", ["--identities", str(HELD_OUT), "--seed", "2", *drawn]),
    )[: 3 if people else 1]:
        if (folder / name / "index.json").exists():
            continue
        words += ["--shards", "--quiet", *off]
        out = str((folder / name).resolve())
        command(code, "synth", "faces", "--preset", "photo", "--out", out, *words)


def train(
    folder: Path, run: Path, seed: int, people: int, steps: int, precision: str
) -> PhotographLandmarks:
    """Train a detector from scratch, on the first people of a set that has more; return it."""
    weights = run / "detector.safetensors"
    if not weights.exists():
        settings = dataclasses.replace(
            photograph_recipe("short"),
            steps=steps,
            fields=8,
            empty=4,
            no_faces=1500,
            seed=seed,
            loop=LoopSettings(steps, 50, steps, 250, evaluate_every=steps),
            compute=ComputeSettings(precision=precision),  # type: ignore[arg-type]
        )
        assert isinstance(settings, PhotographTraining)
        faces, held_out = (load_synthetic(folder / name) for name in ("faces", "held-out"))
        faces = dataclasses.replace(faces, records=faces.records[: people * SAMPLES])
        sets = prepare_sets(settings, run, [faces], [held_out])
        run_training(lambda: PhotographTask(settings, *sets), run, settings, system=SYSTEM)
        save_weights(weights, trained_weights(run, sets[2]))
    return PhotographLandmarks(weights=load_weights(weights))


def given_frames(annotation: Annotation) -> np.ndarray:
    """Return the frames (n, 4) of a frontal face laid on the annotated points.

    z' = a z + b over the four points as complex numbers, in least squares
    """
    face = gf.load_builtin_face()
    marks = face.template.landmarks
    assert marks is not None
    front = marks.positions(face.mesh.vertices)[:, :2] * [1.0, -1.0]
    x, y, radius, roll = frames_of(front)
    own = annotated_points(front) @ [1.0, 1.0j]
    seen = annotation.points @ np.array([1.0, 1.0j])
    near, far = own - own.mean(), seen - seen.mean(axis=1, keepdims=True)
    factor = far @ near.conj() / (np.abs(near) ** 2).sum()
    center = factor * (x + 1j * y - own.mean()) + seen.mean(axis=1)
    size, turn = np.abs(factor) * radius, np.angle(factor) + roll
    return np.stack([center.real, center.imag, size, turn], axis=1)


def measure(detector: PhotographLandmarks, images: np.ndarray, run: Path) -> dict[str, object]:
    """Return the figures of a detector on photographs (people, pictures, 112, 92) in [0, 1]."""
    annotation = load_annotation()
    shown = images[annotation.rows, annotation.pictures]
    given, whole = (np.full((len(shown), 4, 2), np.nan) for _ in range(2))
    counts = np.zeros(len(shown), np.int64)
    for k, frame in enumerate(given_frames(annotation)):
        # As the detector looks: again at where the landmarks are, in the end at the mirror image.
        with torch.inference_mode():
            for mirrored in (False, False, True):
                (face,) = detector._look(torch.from_numpy(shown[k]), frame[None], mirrored=mirrored)
                frame = face.frame
        given[k] = annotated_points(face.points)
        faces = detector.detect(shown[k]).faces
        counts[k] = len(faces)
        if faces:
            points = np.stack([annotated_points(face.points) for face in faces])
            miss = np.linalg.norm(points - annotation.points[k], axis=2).mean(axis=1)
            whole[k] = points[miss.argmin()]
    renders = json.loads((run / "evaluations.jsonl").read_text().splitlines()[-1])
    return {
        "given": (100 * annotation.errors(given)).mean(axis=1).tolist(),
        "given_points": (100 * annotation.errors(given)).mean(axis=0).tolist(),
        "whole": (100 * annotation.errors(whole)).mean(axis=1).tolist(),
        "faces": int(counts.sum()),
        "renders": renders["held_out_percent"],
    }


def judge(folder: Path, photographs: Path) -> None:
    """Keep what `evaluate faces` says of an arm."""
    report = folder / REPORT
    if not report.exists():
        judged, beside = (str(path.resolve()) for path in (folder / "judged", photographs))
        words = ("--photographs", beside, "--cropped", "--report", str(report.resolve()), "--quiet")
        command(HERE.parents[1], "evaluate", "faces", judged, *words)


def write_photographs(images: np.ndarray, folder: Path) -> Path:
    """Write photographs as files, a folder a person, as `evaluate faces` reads them."""
    for row, k in np.ndindex(*images.shape[:2]):
        path = folder / f"{row:02d}" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            save_image(path, np.repeat(images[row, k][..., None], 3, axis=2))
    return folder


def label(arm: str) -> str:
    """Return what the table calls an arm."""
    return arm if arm in (TODAY, ALL) else f"without {arm.replace('+', ' and ')}"


def detector_figures(done: dict[int, dict], best: dict[int, dict]) -> tuple[str, ...]:
    """Return the columns of detectors by seed, beside those of all switches on."""
    given, whole = (
        np.array([item[name] for item in done.values()], float) for name in ("given", "whole")
    )
    right = whole < WITHIN  # NaN is not
    false = np.array([item["faces"] for item in done.values()]) - right.sum(axis=1)
    means = given.mean(axis=1)
    each = f" ({' / '.join(f'{mean:.2f}' for mean in means)})" if len(means) > 1 else ""
    eyes, corners = (
        np.mean([item["given_points"][part] for item in done.values()])
        for part in (slice(2), slice(2, 4))
    )
    worse = "-"
    pairs = [np.subtract(done[seed]["given"], best[seed]["given"]) for seed in done if seed in best]
    if pairs and done is not best:
        gap = np.mean(pairs, axis=0)
        worse = f"{gap.mean():+.2f} ± {gap.std(ddof=1) / len(gap) ** 0.5:.2f}"
    return (
        f"{means.mean():.2f} %{each}",
        worse,
        f"{eyes:.1f}, {corners:.1f}",
        f"{given.max():.1f} %",
        f"{whole[right].mean():.2f} %",
        f"{whole[right].max():.1f} %",
        " / ".join(str(count) for count in right.sum(axis=1)),
        " / ".join(str(count) for count in false),
        f"{np.mean([item['renders'] for item in done.values()]):.2f} %",
    )


def table(out: Path, arms: list[str], seeds: list[int]) -> str:
    """Return the finished arms in Markdown: means over seeds, and what "all" is better by.

    That difference is paired by photograph and seed; behind it is its standard error over the
    photographs, which does not count what another seed of the training would do.
    """
    results = {
        arm: {
            seed: json.loads(path.read_text())
            for seed in seeds
            if (path := out / arm / f"seed{seed}" / "result.json").exists()
        }
        for arm in arms
    }
    head = (
        "arm",
        "frames given",
        "more than all",
        "eyes, corners",
        "worst",
        "found alone",
        "worst",
        "found",
        "false",
    )
    rows = [(*head, "own renders", *FEATURES), ("---",) * (len(head) + 1 + len(FEATURES))]
    for arm, done in results.items():
        if not (out / arm / REPORT).exists():
            continue
        features = json.loads((out / arm / REPORT).read_text())["features"]
        apart = [features[name]["telling_apart"]["accuracy"]["value"] for name in FEATURES]
        figures = detector_figures(done, results.get(ALL, {})) if done else ("-",) * (len(head))
        rows.append((label(arm), *figures, *(f"{100 * share:.1f} %" for share in apart)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def save_sheet(path: Path, out: Path, arms: list[str]) -> None:
    """Write a row of the same people for every arm that is rendered."""
    cells, labels = [], []
    for arm in arms:
        if not (out / arm / "judged" / "index.json").exists():
            continue
        faces = load_synthetic(out / arm / "judged")
        for k, record in enumerate(faces.records[:SHOWN]):
            picture = torch.from_numpy(faces.image(record)).permute(2, 0, 1)[None]
            small = torch.nn.functional.avg_pool2d(picture, 2)[0].permute(1, 2, 0).numpy()
            cells.append(small)
            labels.append(label(arm) if k == 0 else "")
    save_image(path, contact_sheet(cells, SHOWN, labels, font_size=13))


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--before", type=Path, help="checkout whose preset is that of today")
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--people", type=int, default=400, help="four pictures each")
    parser.add_argument("--steps", type=int, default=900, help="0: no detector")
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--sheet", type=Path, help="picture of the arms")
    parser.add_argument("--table", action="store_true", help="only of what is finished")
    given = parser.parse_args()
    if TODAY in given.arms and given.before is None and not given.table:
        parser.error("the arm 'today' needs --before, a checkout of the commit that is today's")
    torch.set_num_threads(1)
    with np.load(given.photographs / "orl_dev.npz") as stored:
        images = stored["images"].astype(np.float32) / 255.0
    folder = write_photographs(images, given.out / "photographs")
    # The first seed of every arm comes before the second of any.
    for seed, arm in [] if given.table else [(s, a) for s in given.seeds for a in given.arms]:
        run = given.out / arm / f"seed{seed}"
        if (run / "result.json").exists():
            continue
        code = given.before.resolve() if arm == TODAY else HERE.parents[1]
        render(arm, given.out / arm, code, given.people if given.steps else 0)
        judge(given.out / arm, folder)
        if not given.steps:
            continue
        detector = train(given.out / arm, run, seed, given.people, given.steps, given.precision)
        figures = measure(detector, images, run)
        (run / "result.json").write_text(json.dumps(figures))
        print(f"{arm}, seed {seed}: {np.mean(figures['given']):.2f} %", flush=True)  # type: ignore
    print(table(given.out, given.arms, given.seeds))
    if given.sheet is not None:
        save_sheet(given.sheet, given.out, given.arms)
        print(given.sheet)


if __name__ == "__main__":
    main()
