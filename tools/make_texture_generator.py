"""Make assets/progressive_texture: the small trained generator and its faces.

    geomface synth textures --count 1000 --seed 1 --out SET
    geomface train progressive_texture --data SET --recipe cpu --mirror --precision bfloat16 \\
        --out RUN
    python tools/make_texture_generator.py RUN SET

RUN is a finished training on the texture set SET.
"""

import argparse
import sys
from pathlib import Path

from geomface.gan.progressive_texture import (
    fit_joint_model,
    load_generator,
    save_generator,
    save_joint,
)

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "progressive_texture"
MODES = 40
"""Of the textures, which is what keeps the file of the faces small."""


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
    generator = load_generator(options.run)
    save_generator(options.out / "generator.safetensors", generator)
    size = 2**generator.level
    joint = fit_joint_model(options.set, size, method="least_squares", modes=MODES)
    save_joint(options.out / "faces.safetensors", joint, half=True)
    total = sum(path.stat().st_size for path in options.out.glob("*.safetensors"))
    weights = sum(item.numel() for item in generator.network.parameters())
    sys.stdout.write(f"{options.out}: {weights} weights, {size} px, {total / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
