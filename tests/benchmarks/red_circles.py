"""The red-circle experiment: every masking and seed, one report, one picture.

usage: python tests/benchmarks/red_circles.py OUT [--seeds 0 1 2] [--masking masked unmasked ...]
                                              [--recipe cpu] [--steps N]
                                              [--precision bfloat16]

Finished runs under OUT are not trained again, interrupted ones go on. OUT/report.json holds the
shares of every run, OUT/samples.png 60 samples of each masking's first seed.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from geomface.cli.main import main as geomface
from geomface.files import save_image
from geomface.files.records import write_json
from geomface.gan.progressive_texture import MASKING, load_generator, sample_images
from geomface.learning import image_grid


def measure(folder: Path, masking: str, seed: int, options: argparse.Namespace) -> dict:
    """Train with one masking, evaluate, and return the metrics."""
    words = ["--data", "shapes", "--recipe", options.recipe, "--masking", masking]
    words += ["--seed", str(seed), "--precision", options.precision]
    words += [] if options.steps is None else ["--steps", str(options.steps)]
    train = ["train", "progressive_texture", *words, "--out", str(folder), "--quiet"]
    if geomface(train) != 0:
        raise SystemExit(f"{folder}: training failed")
    evaluation = folder / "evaluation.json"
    if geomface(["evaluate", "progressive_texture", str(folder), "--quiet"]) != 0:
        raise SystemExit(f"{folder}: evaluation failed")
    record = json.loads(evaluation.read_text())
    return {
        "masking": masking,
        "seed": seed,
        "step": record["step"],
        "data_red_circle": record["data"]["red_circle"],
        **{key: value for key, value in record["generated"].items() if key != "count"},
        "red_circle_ratio": record["red_circle_ratio"],
        "swd": record["distances"]["swd_average"],
        "swd_real": record["real_distances"]["swd_average"],
    }


def main() -> None:
    """Run all maskings, write the report and the picture, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--masking", "--arms", nargs="+", default=list(MASKING), choices=list(MASKING)
    )
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    rows = []
    for masking in options.masking:
        for seed in options.seeds:
            rows.append(measure(options.out / f"{masking}-{seed}", masking, seed, options))
            row = rows[-1]
            print(
                f"{masking:<10} seed {seed}  red circle {row['red_circle']:.4f} (data "
                f"{row['data_red_circle']:.3f})  red squares {row['red_squares']:.3f}  green "
                f"circles {row['green_circles']:.3f}  holes {row['hole_area']:.5f}  SWD "
                f"{row['swd']:.1f}",
                flush=True,
            )
    write_json(options.out / "report.json", {"runs": rows})
    sheets = []
    for masking in options.masking:
        generator = load_generator(options.out / f"{masking}-{options.seeds[0]}")
        sheet = image_grid(sample_images(generator, 60), columns=10)
        sheets += [sheet, np.ones((sheet.shape[0], 12, 3), np.float32)]
    picture = np.concatenate(sheets[:-1], axis=1)
    save_image(options.out / "samples.png", picture)


if __name__ == "__main__":
    main()
