"""Does a texture GAN draw as many kinds of people as it was shown? Modes and spread of its samples.

    python tests/benchmarks/texture_variety.py draw SET [--people 2000]
    geomface train progressive_texture --data SET --recipe cpu --precision bfloat16 --mirror \
        --out RUN
    python tests/benchmarks/texture_variety.py measure SET RUN [--sheet PNG]

`draw` writes textures of random people of the built-in face, as `synth faces` draws them, with the
mask of the chart. `measure` prints, for the people trained on, people held out and samples, as
they are and with the mean colour of each texture taken out,

    modes       participation ratio, (sum l)^2 / sum l^2 over the eigenvalues of the covariance
    axes        standard deviation along each of the ten leading axes of the people trained on, over
                that of the people held out
    mean        distance of the means along those axes, in standard deviations, root mean square
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import geomface as gf
from geomface.datasets import ImageSet, load_textures, split_set
from geomface.faces.albedo_texture import AlbedoTexture
from geomface.files import save_image
from geomface.gan.progressive_texture import load_generator, sample_images
from geomface.learning import image_grid

DRAWN, AXES, SHOWN = 128, 10, 30


def draw(folder: Path, people: int) -> None:
    """Write the textures of random people."""
    model = gf.load_builtin_face()
    mesh = gf.unwrap(model.template).mesh
    painter = AlbedoTexture(gf.Template(mesh, model.template.landmarks), DRAWN)
    mask = np.repeat(painter.covered[..., None].astype(np.float32), 3, axis=2)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for index in range(people):
        code = gf.sample_albedo_code(model.sample_identity(rng), rng)
        save_image(folder / f"{index:05d}.png", painter.image(code))
        save_image(folder / f"{index:05d}.mask.png", mask)


def texels(images: torch.Tensor, shown: torch.Tensor, toneless: bool) -> np.ndarray:
    """Return (N, n 3) colours where the chart is."""
    rows = images.permute(0, 2, 3, 1)[:, shown].double().numpy()
    if toneless:
        rows = rows - rows.mean(axis=1, keepdims=True)
    return rows.reshape(len(rows), -1)


def modes(rows: np.ndarray) -> float:
    """Return the participation ratio."""
    centred = rows - rows.mean(axis=0)
    values = np.linalg.eigvalsh(centred @ centred.T)
    return float(values.sum() ** 2 / (values**2).sum())


def everything(data: ImageSet) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images and masks of a set, mirrors among them."""
    return data.read(torch.arange(len(data)))


def measure(folder: Path, run: Path, sheet: Path | None, held_out: float, seed: int) -> None:
    """Print the figures of a trained generator."""
    generator = load_generator(run)
    size = generator.config["networks"]["size"]
    train, test = split_set(load_textures(folder, size, mirror=True), held_out)
    assert test is not None
    seen, masks = everything(train)
    shown = masks[:, 0].amin(dim=0) > 0.5
    others, _ = everything(test)
    drawn = sample_images(generator, len(others), seed=seed)
    print(f"{len(seen)} trained on, {len(others)} held out and drawn (mirrors among them)")
    for name, toneless in (("as they are", False), ("without mean colour", True)):
        known, new, made = (texels(part, shown, toneless) for part in (seen, others, drawn))
        centre = known.mean(axis=0)
        _, _, axes = np.linalg.svd(known[:: len(known) // 1500 + 1] - centre, full_matrices=False)
        at = [(rows - centre) @ axes[:AXES].T for rows in (known, new, made)]
        spread = [rows.std(axis=0) for rows in at]
        off = (at[2].mean(axis=0) - at[1].mean(axis=0)) / spread[1]
        parts = [known[: len(new)], new, made]
        found = " / ".join(f"{modes(rows):.2f}" for rows in parts)
        print(f"{name}: modes of trained on / held out / samples {found}")
        for row, label in ((spread[0], "trained on"), (spread[2], "samples")):
            ratios = row / spread[1]
            each = " ".join(f"{value:.2f}" for value in ratios)
            print(f"  axes, {label}: {each}  (least {ratios.min():.2f})")
        print(f"  mean of the samples off by {np.sqrt((off**2).mean()):.2f}")
    if sheet is not None:
        parts = [image_grid(part[:SHOWN], columns=5) for part in (others, drawn)]
        gap = np.ones((parts[0].shape[0], 8, 3), np.float32)
        save_image(sheet, np.concatenate([parts[0], gap, parts[1]], axis=1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("draw", "measure"))
    parser.add_argument("set", type=Path)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--held-out", type=float, default=0.1, help="the recipe's own share")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="held out people beside samples")
    given = parser.parse_args()
    if given.what == "draw":
        draw(given.set, given.people)
    elif given.run is None:
        parser.error("measure: expected SET RUN")
    else:
        measure(given.set, given.run, given.sheet, given.held_out, given.seed)


if __name__ == "__main__":
    main()
