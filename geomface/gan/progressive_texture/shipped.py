"""The small trained model that ships with the package, and how it is put there.

    python -m geomface.gan.progressive_texture.shipped RUN SET

writes assets/progressive_texture from a finished training RUN on the texture set SET.
"""

import argparse
import sys
from pathlib import Path

from geomface.files.assets import asset_path
from geomface.gan.progressive_texture.joint import JointModel, fit_joint_model
from geomface.gan.progressive_texture.joint_file import load_joint, save_joint
from geomface.gan.progressive_texture.sampling import TrainedGenerator, load_generator
from geomface.gan.progressive_texture.settings import SYSTEM
from geomface.learning.state import TrainingState, save_checkpoint

FOLDER = SYSTEM
GENERATOR, FACES = "generator.safetensors", "faces.safetensors"
MODES = 40


def shipped_generator() -> TrainedGenerator:
    """Return the trained generator of textures that ships with the package.

    Raises
    ------
    FileFormatError : the package lacks its assets
    """
    return load_generator(asset_path(f"{FOLDER}/{GENERATOR}"))


def shipped_faces() -> JointModel:
    """Return which geometry of the built-in face belongs to a texture of `shipped_generator`.

    Raises
    ------
    FileFormatError : the package lacks its assets
    """
    return load_joint(asset_path(f"{FOLDER}/{FACES}"))


def save_generator(path: Path | str, generator: TrainedGenerator) -> None:
    """Write a checkpoint with the averaged generator alone, in float16: to sample, not to train.

    Raises
    ------
    OutputError : the place cannot be written
    """
    half = generator.network.half()
    kept = {"kind", "networks", "seed"}
    config = {key: value for key, value in generator.config.items() if key in kept}
    scalars = {"level": generator.level, "alpha": generator.alpha}
    state = TrainingState({"average": half}, {}, {}, scalars)
    save_checkpoint(path, state, system=SYSTEM, step=generator.step, config=config)
    generator.network.float()


def main() -> None:
    """Read a run and its set, write the assets, say how large they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("--out", type=Path, default=Path("assets") / FOLDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    generator = load_generator(options.run)
    save_generator(options.out / GENERATOR, generator)
    size = 2**generator.level
    joint = fit_joint_model(options.set, size, method="least_squares", modes=MODES)
    save_joint(options.out / FACES, joint, half=True)
    bytes_ = sum(path.stat().st_size for path in options.out.glob("*.safetensors"))
    weights = sum(item.numel() for item in generator.network.parameters())
    sys.stdout.write(f"{options.out}: {weights} weights, {size} px, {bytes_ / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
