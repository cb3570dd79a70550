r"""Texture and geometry GANs on damaged faces: masks, linear models, novelty.

    geomface synth textures --model builtin ICT --count 1000 --seed 11 --out SET
    geomface synth textures --model builtin ICT --count 300 --seed 15 --covered 0 --torn 0 \
        --out TEST
    python tests/benchmarks/face_textures.py SET TEST OUT [--masking masked unmasked clean]
        [--seeds 0 1 2] [--kind texture|geometry] [--recipe cpu] [--size S] [--novelty 10000]
        [--precision bfloat16]

Trains every masking and seed (finished runs are not trained again) and prints

    holes       share of the texels of 2,000 samples that have the colour of a hole; data: the same
                of the training set as the eye would see it
    SWD         times 1000, by level, to scans of TEST that hide nothing, of people that nobody
                trained on; for geometry, to their registered surfaces
    truth       mean SWD to the truth of the same people: textures without noise and shading, true
                surfaces; a generator that learns from scans learns their noise too
    PCA         samples of the linear model of the same training images and masks, mirrors included
    real        scans of training people that hide nothing (a share of the training images)
    novelty     distance of each image to its nearest neighbour (RMS of pixels): generated and test
                to train (its mirrors too), test to generated, at `--novelty` samples of the first
                masked run

All sets are cut to the size of the smallest: distances fall as sets grow. OUT/report_KIND.json
holds all of it, OUT/KIND.png 30 samples of each row, OUT/novelty_KIND.png the curves.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from geomface.cli.main import main as geomface
from geomface.datasets import (
    GeometryImageSet,
    ImageSet,
    layout,
    load_geometry_images,
    load_textures,
    split_set,
)
from geomface.files import save_image
from geomface.files.records import write_json
from geomface.files.tensors import load_tensors
from geomface.gan.progressive_texture import load_generator, sample_images
from geomface.gan.progressive_texture.evaluation import ImageDistances, measure_distances
from geomface.geometry_image import GeometryImageEncoder
from geomface.learning import image_grid, to_pictures
from geomface.learning.masking import hide
from geomface.mesh.io import load_mesh
from geomface.metrics import masked_nearest_distances
from geomface.pipeline.texture_face import TRUTH_KIND, TRUTH_SCHEMA
from geomface.report.model_figures import save_figure
from geomface.statistics import fit_texture_pca

SAMPLES, SHOWN, MODES = 2000, 30, 200


def train(options: argparse.Namespace, masking: str, seed: int) -> Path:
    """Train with one masking and return the run directory."""
    folder = options.out / f"{options.kind}-{masking}-{seed}"
    words = ["--data", options.set, "--recipe", options.recipe, "--kind", options.kind]
    words += ["--masking", masking, "--seed", seed, "--out", folder, "--quiet"]
    words += [] if options.size is None else ["--size", options.size]
    words += ["--precision", options.precision]
    words += ["--mirror"] if options.kind == "texture" else []
    if geomface(["train", "progressive_texture", *map(str, words)]) != 0:
        raise SystemExit(f"{folder}: training failed")
    return folder


def hole_share(images: torch.Tensor) -> float:
    """Return the share of texels with the colour of a hole: skin is never more blue than red."""
    red, blue = images[:, 0], images[:, 2]
    return float(((blue - red) / 2 > 0.25).float().mean())


def shown_in_training(data: ImageSet, mirrors: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all images and masks that a training on a set sees, its mirrors among them."""
    return data.read(torch.arange(len(data) if mirrors else len(data.images)))


def linear_samples(data: ImageSet, count: int, seed: int, mirrors: bool = True) -> torch.Tensor:
    """Return images (count, 3, S, S) in [-1, 1] drawn from the linear model of a set."""
    images, masks = shown_in_training(data, mirrors)
    model = fit_texture_pca(
        to_pictures(images), masks[:, 0].numpy() > 0, components=min(MODES, len(images) - 2)
    )
    draws = np.random.default_rng(seed).standard_normal((count, len(model)))
    return torch.from_numpy(model.reconstruct(draws)).permute(0, 3, 1, 2).float() * 2 - 1


@dataclasses.dataclass(frozen=True)
class Sets:
    """What is compared: trained on, undamaged ones of it, test scans, the truth of those."""

    train: ImageSet
    real: torch.Tensor
    test: ImageSet
    truth: torch.Tensor

    @property
    def visible(self) -> torch.Tensor:
        """(1, 1, S, S): what every test image and some training image shows."""
        _, test = self.test.read(torch.arange(len(self.test.images)))
        _, train = self.train.read(torch.arange(len(self.train.images)))
        return test.amin(dim=0, keepdim=True) * train.amax(dim=0, keepdim=True)


def distances(images: torch.Tensor, targets: torch.Tensor, sets: Sets) -> ImageDistances:
    """Measure equally many images and targets where they are visible."""
    count = min(len(sets.real), len(targets), len(images))
    visible = sets.visible.expand(count, -1, -1, -1)
    return measure_distances(hide(images[:count], visible), hide(targets[:count], visible), seed=0)


def row(name: str, images: torch.Tensor, sets: Sets) -> dict:
    """Measure images against the test set and its truth, and print a line."""
    tests, _ = sets.test.read(torch.arange(len(sets.test.images)))
    found, true = distances(images, tests, sets), distances(images, sets.truth, sets)
    holes = hole_share(images)
    levels = "  ".join(f"{level} px {value:6.1f}" for level, value in found.swd.items())
    print(
        f"{name:<12} holes {holes:.5f}  SWD {levels}  mean {found.swd_average:6.1f}  Frechet "
        f"{found.frechet:.4f}  truth {true.swd_average:6.1f}",
        flush=True,
    )
    record = {"holes": holes, "truth": dataclasses.asdict(true)}
    return {"name": name, **record, **dataclasses.asdict(found)}


def read(options: argparse.Namespace, size: int) -> Sets:
    """Return the sets of either kind."""
    if options.kind == "texture":
        everything = load_textures(options.set, size, mirror=True)
        data, _ = split_set(everything, options.held_out)
        test = load_textures(options.test, size)
        test = test.subset(test.complete())
        truth = load_textures(options.test / "truth", size).read(torch.arange(len(test.images)))[0]
        whole = data.subset(data.complete())
        return Sets(data, whole.read(torch.arange(len(whole.images)))[0], test, truth)
    found = load_geometry_images(options.set, size)
    data, _ = split_set(found.images, options.held_out)
    test = load_geometry_images(options.test, size, span=(found.low, found.high)).images
    truth = true_geometry(options.test, size, found)
    return Sets(data, data.read(torch.arange(len(data.images)))[0], test, truth)


def true_geometry(folder: Path, size: int, like: GeometryImageSet) -> torch.Tensor:
    """Return geometry images of the true surfaces of a set, in the range of another."""
    template = load_mesh(folder / layout.TEMPLATE_MESH, texture=False)
    encoder = GeometryImageEncoder(template, size)
    low, high = (item.astype(np.float32) for item in (like.low, like.high))
    images = []
    for path in sorted((folder / layout.ITEMS).glob(f"[!.]*/{layout.TRUTH_ARRAYS}")):
        arrays, _ = load_tensors(path, kind=TRUTH_KIND, schema=TRUTH_SCHEMA)
        values = encoder.encode(arrays["vertices"].astype(np.float64), mode=like.mode).values
        images.append((values.astype(np.float32) - low) / (high - low) * 2 - 1)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).clamp(-1, 1)


def novelty(options: argparse.Namespace, folder: Path, sets: Sets) -> dict:
    """Measure nearest neighbours, draw their curves and return their percentiles."""
    from matplotlib.figure import Figure

    generator = load_generator(folder)
    images = sample_images(generator, options.novelty, seed=7)
    train, train_masks = shown_in_training(sets.train)
    test_images, test_masks = sets.test.read(torch.arange(len(sets.test.images)))
    visible = train_masks.amax(dim=0, keepdim=True)
    shown = visible.expand(len(images), -1, -1, -1)
    test_masks = test_masks * visible
    curves = {
        "generated to train": masked_nearest_distances(images, shown, train, train_masks),
        "test to train": masked_nearest_distances(test_images, test_masks, train, train_masks),
        "test to generated": masked_nearest_distances(test_images, test_masks, images, shown),
    }
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    left, right = (figure.add_subplot(1, 2, index) for index in (1, 2))
    edges = np.linspace(0, max(map(np.max, curves.values())), 40)
    for name in ("generated to train", "test to train"):
        left.hist(curves[name], edges, density=True, alpha=0.5, label=name)
    for name in ("test to train", "test to generated"):
        values = np.sort(curves[name])
        right.plot(values, np.arange(1, len(values) + 1) / len(values), label=name)
    left.set(xlabel="RMS distance to the nearest", ylabel="density")
    right.set(xlabel="RMS distance to the nearest", ylabel="share of the test faces")
    for axis in (left, right):
        axis.legend(frameon=False)
    save_figure(options.out / f"novelty_{options.kind}.png", figure)
    result = {}
    for name, values in curves.items():
        result[name] = [float(value) for value in np.percentile(values, [5, 25, 50, 75, 95])]
        print(f"{name:<20} 5/25/50/75/95 %: " + " ".join(f"{v:.4f}" for v in result[name]))
    least = curves["test to train"].min()
    result["copies"] = float((curves["generated to train"] < least).mean())
    print(f"generated nearer to train than any test face: {result['copies']:.2%}")
    return result


def main() -> None:
    """Train, measure, write the report and the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", choices=["texture", "geometry"], default="texture")
    parser.add_argument("--masking", "--arms", nargs="+", default=["masked", "unmasked", "clean"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--size", type=int)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--held-out", type=float, default=0.1, help="the recipe's own share")
    parser.add_argument("--novelty", type=int, default=10_000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runs = {
        (masking, seed): train(options, masking, seed)
        for masking in options.masking
        for seed in options.seeds
    }
    size = load_generator(next(iter(runs.values()))).config["networks"]["size"]
    sets = read(options, size)
    seen, _ = sets.train.read(torch.arange(len(sets.train.images)))
    print(
        f"\n{len(seen)} images trained on, {len(sets.real)} of them compared, "
        f"{len(sets.test.images)} test images, {size} px"
    )
    print(f"training set as the eye sees it: holes {hole_share(seen):.5f}")
    shown = min(SHOWN, len(sets.real))  # the sheets stand side by side
    rows, sheets = [], [image_grid(sets.real[:shown], columns=5)]
    rows.append(row("real", sets.real, sets))
    for seed in options.seeds:
        drawn = linear_samples(sets.train, SAMPLES, seed)
        rows.append(row(f"PCA {seed}", drawn, sets))
    sheets.append(image_grid(drawn[:shown], columns=5))
    for (masking, seed), folder in runs.items():
        images = sample_images(load_generator(folder), SAMPLES, seed=seed)
        rows.append(row(f"{masking} {seed}", images, sets))
        if seed == options.seeds[0]:
            sheets.append(image_grid(images[:shown], columns=5))
    gap = np.ones((sheets[0].shape[0], 8, 3), np.float32)
    parts = [part for sheet in sheets for part in (sheet, gap)][:-1]
    save_image(options.out / f"{options.kind}.png", np.concatenate(parts, axis=1))
    report = {"rows": rows, "data_holes": hole_share(seen)}
    if ("masked", options.seeds[0]) in runs and options.novelty:
        report["novelty"] = novelty(options, runs["masked", options.seeds[0]], sets)
    write_json(options.out / f"report_{options.kind}.json", report)
    print(json.dumps({"report": str(options.out / f"report_{options.kind}.json")}))


if __name__ == "__main__":
    main()
