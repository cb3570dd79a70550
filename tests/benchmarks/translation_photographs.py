"""The translation on real photographs: renders into ORL, with pairs from fits of the photographs.

    python tests/benchmarks/translation_photographs.py --out DIR [--photographs ../shared/data/orl]
        [--size 32] [--steps N] [--seed 0] [--judges FILE ...] [--sets] [--grey]

The path of a user, command by command: the photographs of 13 subjects, moved and lit a little
otherwise several times, are what photographs look like; `model fit-image --renders` of seven of
each is the other half of 91 pairs; renders are of `synth faces`, turned as little as the subjects
are. Six other subjects are held out. What is there is not made again, and --sets makes no more than
the sets. --grey trains on renders without colour, as the photographs are: else the way back to the
render makes the translator hide colours in what it draws. Printed are distances to the
photographs held out, of as many pictures each (of renders as they are and in grey, of their
translations, and of the photographs of the training), and what embedders tell of the people;
DIR/sheet.png shows renders and translations, then fits, their translations and the photographs.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.files import load_image, save_image
from geomface.gan.render_to_photo import (
    SYSTEM,
    RenderToPhoto,
    RenderTranslator,
    load_translator,
    pair_faces,
    read_streams,
    recipe,
)
from geomface.learning import run_training
from geomface.mesh.io.pixel_landmarks import (
    PixelLandmarks,
    load_pixel_landmarks,
    save_pixel_landmarks,
)
from geomface.metrics import measure_distances, verify_identities
from geomface.recognition import AlignedFaces, EmbedderModule, load_aligned, load_embedder
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.synthesis import stream

SUBJECTS, PAIRED, TEST_PAIRED, COPIES = 13, 7, 3, 8
"""Subjects of the training; photographs with a fit of each, and of each held out; copies."""
SHIFT, ZOOM, TURN, GAMMA = 0.04, 0.04, 3.0, 0.15
"""Deviations of copies: shares of the face's size, degrees, and the logarithm of the exponent."""
TURNED = ("--yaw", "gaussian(0,12)", "--pitch", "gaussian(0,6)", "--roll", "gaussian(0,5)")
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)


def command(*words: object) -> None:
    """Run a command of geomface."""
    subprocess.run([sys.executable, "-m", "geomface", *map(str, words)], check=True)


def write_photographs(source: Path, out: Path) -> None:
    """Write the photographs as files, a folder a subject, and find their landmarks."""
    with np.load(source / "orl_dev.npz", allow_pickle=False) as held:
        images = held["images"]
    for subject, pictures in enumerate(images):
        half = "train" if subject < SUBJECTS else "test"
        folder = out / half / f"s{subject:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures):
            shown = np.repeat(picture[..., None], 3, axis=2).astype(np.float32) / 255.0
            save_image(folder / f"{number}.png", shown)
    for half in ("train", "test"):
        command("landmarks", "detect", "--image", out / half, "--out", out / half)


def write_copies(photographs: Path, out: Path) -> None:
    """Write each photograph several times, with other tones and landmarks that are a little off."""
    for path in sorted(photographs.glob("*/*.png")):
        image = load_image(path)
        points = load_pixel_landmarks(path.with_suffix(".landmarks.json")).points
        name = f"{path.parent.name}/{path.stem}"
        rng = stream(0, "copies", int(path.parent.name[1:]), int(path.stem))
        (out / path.parent.name).mkdir(parents=True, exist_ok=True)
        middle, size = points.mean(axis=0), float(np.ptp(points[:, 1]))
        for copy in range(COPIES):
            a = np.deg2rad(rng.normal(0.0, TURN))
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            moved = (points - middle) @ turn.T * np.exp(rng.normal(0.0, ZOOM))
            moved = moved + middle + size * rng.normal(0.0, SHIFT, 2)
            tones = image ** np.exp(rng.normal(0.0, GAMMA))
            place = out / f"{name}_{copy}.png"
            save_pixel_landmarks(place.with_suffix(".landmarks.json"), PixelLandmarks(moved))
            save_image(place, tones.astype(np.float32))


def write_pairs(photographs: Path, out: Path, count: int) -> None:
    """Fit the first photographs of each subject, all of a subject at once."""
    for folder in sorted(photographs.iterdir()):
        chosen = [folder / f"{number}.png" for number in range(count)]
        renders = out / "renders" / folder.name
        if not folder.is_dir() or all((renders / path.name).exists() for path in chosen):
            continue
        words = ("--renders", renders, "--texture-size", 0, "--quiet")
        command("model", "fit-image", *chosen, "--out", out / "fits" / folder.name, *words)
        beside = out / "photographs" / folder.name
        beside.mkdir(parents=True, exist_ok=True)
        for path in chosen:
            for item in (path, path.with_suffix(".landmarks.json")):
                (beside / item.name).write_bytes(item.read_bytes())


def make_sets(options: argparse.Namespace) -> dict[str, AlignedFaces]:
    """Return all sets; what is missing is made."""
    out: Path = options.out
    photographs = out / "photographs"
    if not (out / "done.json").exists():
        write_photographs(options.photographs, photographs)
        write_copies(photographs / "train", out / "copies")
        (out / "done.json").write_text("{}")
    for half, count in (("train", PAIRED), ("test", TEST_PAIRED)):
        write_pairs(photographs / half, out / f"pairs-{half}", count)
    drawn = ("--outputs", "rgb", "alpha", "--size", 96, "--shards", *TURNED)
    for name, people, seed in (("renders", 100, 201), ("renders-test", 60, 202)):
        if not (out / name / "manifest.jsonl").exists():
            many = ("--identities", people, "--samples", 6, "--seed", seed)
            command("synth", "faces", *many, *drawn, "--out", out / name)
    sets = {}
    sources = {
        "copies": out / "copies",
        "photographs test": photographs / "test",
        "renders": out / "renders",
        "renders test": out / "renders-test",
    } | {
        f"pairs {kind} {half}": out / f"pairs-{half}" / kind
        for kind in ("renders", "photographs")
        for half in ("train", "test")
    }
    for name, source in sources.items():
        place = out / f"sets-{options.size}" / name.replace(" ", "-")
        if not (place / "manifest.jsonl").exists():
            masks = ("--masks",) if name in ("renders", "renders test") else ()
            size = f"{options.size}x{options.size}"
            command("recognise", "align", "--images", source, "--size", size, *masks,
                    "--out", place)  # fmt: skip
        sets[name] = load_aligned(place)
    return sets


def train(options: argparse.Namespace) -> Path:
    """Train unless the run is done, and return it."""
    run = options.out / f"run-{options.size}-{options.seed}"
    places = options.out / f"sets-{options.size}"
    pairs = ("--pairs", places / "pairs-renders-train", places / "pairs-photographs-train")
    words = ("--renders", places / "renders", "--photographs", places / "copies", *pairs)
    words += ("--held-out", 0, "--recipe", "cpu", "--seed", options.seed, "--device", "cpu")
    words += () if options.steps is None else ("--steps", options.steps)
    command("train", "render_to_photo", *words, "--out", run)
    return run


def greyed(sets: dict[str, AlignedFaces]) -> dict[str, AlignedFaces]:
    """Return the sets without colours."""
    found = {}
    for name, faces in sets.items():
        grey = np.repeat(faces.pictures() @ LUMA, 3, axis=3).clip(0.0, 1.0)
        rows, masks = faces.rows, None if faces.masks is None else faces.masks[:]
        found[name] = AlignedFaces.of_rows(faces.alignment, as_levels(grey), rows, masks)
    return found


def train_grey(options: argparse.Namespace, sets: dict[str, AlignedFaces]) -> Path:
    """Train on sets without colours unless the run is done, and return it."""
    settings = recipe("cpu", seed=options.seed)
    change = dataclasses.replace
    settings = change(settings, networks=change(settings.networks, size=options.size))
    if options.steps is not None:
        loop = change(settings.loop, steps=options.steps)
        settings = change(settings, horizon=options.steps, loop=loop)
    pairs = pair_faces(sets["pairs renders train"], sets["pairs photographs train"])
    data = read_streams(sets["renders"], sets["copies"], pairs)
    run = options.out / f"run-{options.size}-{options.seed}-grey"
    run_training(
        lambda: RenderToPhoto(settings, data, load_embedder()), run, settings, system=SYSTEM
    )
    return run


def images_of(pictures: np.ndarray) -> torch.Tensor:
    """Return pictures (N, S, S, 3) in [0, 1] as (N, 3, S, S) in [-1, 1]."""
    return 2.0 * torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous() - 1.0


def distance(made: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Return kernel and sliced Wasserstein distance, means over draws of as many pictures."""
    draws = len(made) // len(real)
    order = np.random.default_rng(0).permutation(len(made))[: draws * len(real)]
    found = [
        measure_distances(images_of(made[part]), images_of(real))
        for part in order.reshape(draws, -1)
    ]
    return float(np.mean([d.kernel for d in found])), float(np.mean([d.swd_average for d in found]))


def measure(
    translator: RenderTranslator, sets: dict[str, AlignedFaces], judges: list[Path]
) -> dict[str, Any]:
    """Return distances, pair errors and how well people are told apart."""
    renders, real = sets["renders test"], sets["photographs test"].pictures()
    made = translator.translate(renders.pictures(), renders.names).pictures
    grey = np.repeat(renders.pictures() @ LUMA, 3, axis=3)
    kinds = {
        "renders": renders.pictures(),
        "renders, grey": grey,
        "translated": made,
        "photographs of the training": sets["copies"].pictures(),
    }
    found: dict[str, Any] = {name: dict(zip(("kid", "swd"), distance(pictures, real), strict=True))
                   for name, pictures in kinds.items()}  # fmt: skip
    for path in judges:
        judge = load_embedder(path)
        who = EmbedderModule(judge, translator.alignment).eval()
        for name in ("renders", "translated"):
            with torch.no_grad():
                rows = [who(part) for part in images_of(kinds[name]).split(64)]
            told = verify_identities(torch.cat(rows).double().numpy(), renders.labels)
            found[name][f"eer {path.stem}"] = told.equal_error
    pairs = pair_faces(sets["pairs renders test"], sets["pairs photographs test"])
    shown = pairs.photographs.pictures()
    drawn = pairs.renders.pictures()
    for name, pictures in (
        ("renders", drawn),
        ("translated", translator.translate(drawn, pairs.renders.names).pictures),
    ):
        found[name]["pairs"] = 2.0 * float(np.abs(pictures - shown).mean())
    return found


def draw_sheet(translator: RenderTranslator, sets: dict[str, AlignedFaces], path: Path) -> None:
    """Draw renders and translations; fits, their translations and the photographs held out."""
    pairs = pair_faces(sets["pairs renders test"], sets["pairs photographs test"])
    rows = []
    for faces in (sets["renders test"], pairs.renders):
        chosen = np.linspace(0, len(faces) - 1, 12).round().astype(int)
        names = [faces.names[number] for number in chosen]
        pictures = faces.pictures(chosen)
        rows += [pictures, translator.translate(pictures, names).pictures]
        if faces is pairs.renders:
            rows.append(pairs.photographs.pictures(chosen))
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    factor = max(1152 // sheet.shape[1], 1)
    save_image(path, sheet.repeat(factor, axis=0).repeat(factor, axis=1))


def main() -> None:
    """Make sets, train, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, help="default the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judges", type=Path, nargs="*", default=[])
    parser.add_argument("--grey", action="store_true", help="renders without colour")
    parser.add_argument("--sets", action="store_true", help="make the sets and stop")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    sets = make_sets(options)
    if options.sets:
        return
    sets = greyed(sets) if options.grey else sets
    run = train_grey(options, sets) if options.grey else train(options)
    translator = load_translator(run)
    found = {"step": translator.step, **measure(translator, sets, options.judges)}
    (options.out / f"{run.name}.json").write_text(json.dumps(found, indent=1))
    for name, figures in found.items():
        print(name, figures)
    draw_sheet(translator, sets, options.out / f"{run.name}.png")


if __name__ == "__main__":
    main()
