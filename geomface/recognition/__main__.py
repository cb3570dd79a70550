"""Train the embedder that ships with geomface: python -m geomface.recognition [--out FILE]."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import torch

from geomface.recognition.embedder.weights import ASSET, save_embedder
from geomface.recognition.training.pictures import draw_identity_pictures
from geomface.recognition.training.train import IdentityTraining, train_embedder


def main() -> None:
    """Render the pictures, train, and write the file; by default the one of this checkout."""
    checkout = Path(__file__).resolve().parents[3] / "assets" / ASSET
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=checkout)
    parser.add_argument("--people", type=int, default=2400)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--steps", type=int, default=IdentityTraining.steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    began = time.monotonic()

    def tell(text: str) -> None:
        sys.stderr.write(f"\r{time.monotonic() - began:5.0f} s  {text}   ")

    data = draw_identity_pictures(
        options.people,
        options.samples,
        options.seed,
        on_progress=lambda done, people: tell(f"rendered {done} of {people} people"),
    )
    settings = IdentityTraining(steps=options.steps, bfloat16=options.bfloat16, seed=options.seed)
    network = train_embedder(
        data,
        settings,
        on_progress=lambda step, steps, loss: tell(f"step {step} of {steps}, loss {loss:.3f}"),
    )
    config = {"people": options.people, "samples": options.samples, "preset": "plain"}
    save_embedder(options.out, network, {**config, "training": dataclasses.asdict(settings)})
    sys.stderr.write("\n")
    sys.stdout.write(f"{options.out.stat().st_size:>9} bytes  {options.out}\n")


if __name__ == "__main__":
    main()
