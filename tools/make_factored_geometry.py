"""Make assets/factored_geometry: the small trained generator of people and expressions.

    python tools/make_factored_geometry.py RUN [--out FILE] [--precision bfloat16]

Draws 300 people of the built-in face with 24 faces each, strong expressions of which 7 % are told,
trains the `cpu` recipe on them at 64 pixels for 6,000 steps into RUN (17 minutes of one core, or
goes on there), trains the encoder on its samples (4 minutes), and writes all into one file.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from geomface.faces import load_builtin_face
from geomface.gan.factored_geometry import load_factored, recipe, train_factored
from geomface.gan.factored_geometry.encoder import train_encoder
from geomface.gan.factored_geometry.model_file import save_factored
from geomface.gan.factored_geometry.sources import FaceSource
from geomface.learning import ComputeSettings
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

ASSET = Path(__file__).resolve().parents[1] / "assets" / "factored_geometry" / "model.safetensors"
FACES = LabelledFacesSettings(people=300, faces=24, labelled=0.07, strength=(1.0, 1.7))
"""The built-in face's expressions are mild: at their usual strength a smile is hard to see."""
STEPS, SIZE = 6000, 64
ALPHA = 5.0
"""Of the meshes: 64 pixels give every vertex four times the texels of 32, where 1.2 is right."""


def main() -> None:
    """Train, write the asset, say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    options = parser.parse_args()
    settings = recipe("cpu")
    settings = dataclasses.replace(
        settings,
        networks=dataclasses.replace(settings.networks, size=SIZE),
        alpha=ALPHA,
        horizon=STEPS,
        loop=dataclasses.replace(settings.loop, steps=STEPS),
        compute=ComputeSettings("cpu", options.precision),
    )
    faces = draw_labelled_faces(load_builtin_face(), FACES)
    train_factored(settings, faces, options.run, source=FaceSource(drawn=FACES))
    model = load_factored(options.run)
    model = dataclasses.replace(model, encoder=train_encoder(model))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_factored(options.out, model)
    sys.stdout.write(f"{options.out}: {SIZE} px, {options.out.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
