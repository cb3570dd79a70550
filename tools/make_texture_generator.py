"""Make assets/progressive_texture: the small trained generator and its faces.

    geomface synth textures --count 1000 --seed 1 --out SET
    geomface train progressive_texture --data SET --recipe cpu --mirror --precision bfloat16 \\
        --out RUN
    python tools/make_texture_generator.py RUN SET

RUN is a finished training on the texture set SET.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from geomface.gan.progressive_texture import (
    SYSTEM,
    fit_joint_model,
    load_generator,
    save_joint,
)
from geomface.learning import load_trained, save_trained

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "progressive_texture"
MODES = 40
"""Of the textures, which is what keeps the file of the faces small."""


def save_generator(path: Path | str, run: Path | str) -> None:
    """Write the averaged generator alone, in float16, and nothing of where it was trained."""
    model = load_trained(run, system=SYSTEM)
    kept = {key: model.config[key] for key in ("kind", "networks", "seed")}
    alone = dataclasses.replace(model, config=kept)
    save_trained(path, alone, system=SYSTEM, networks=("generator_ema",), precision="float16")


def main() -> None:
    """Read a run and its set, write the assets, say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("--out", type=Path, default=ASSETS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    save_generator(options.out / "generator.safetensors", options.run)
    generator = load_generator(options.out / "generator.safetensors")
    size = 2**generator.level
    joint = fit_joint_model(options.set, size, method="least_squares", modes=MODES)
    save_joint(options.out / "faces.safetensors", joint, half=True)
    total = sum(path.stat().st_size for path in options.out.glob("*.safetensors"))
    weights = sum(item.numel() for item in generator.network.parameters())
    sys.stdout.write(f"{options.out}: {weights} weights, {size} px, {total / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
