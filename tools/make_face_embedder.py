"""Make assets/recognition: python tools/make_face_embedder.py RUN EVALUATION

Takes the embedder of a training and thresholds that were measured on photographs:

    geomface synth faces --preset photo --models builtin ict_face.npz --identities 2400 \\
        --samples 5 --size 128 --yaw "gaussian(0,20)" --wear per-picture --shards \\
        --seed 303 --out SET
    geomface recognise align --images SET --size 56x48 --out ALIGNED
    geomface recognise train --faces ALIGNED [ALIGNED ...] --precision bfloat16 --out RUN
    geomface recognise embed --images PHOTOGRAPHS --embedder RUN/embedder.safetensors --out E.npz
    geomface recognise evaluate E.npz --all-pairs --out EVALUATION

The card says which sets those were, and how many steps.
"""

import dataclasses
import sys
from pathlib import Path

from geomface.recognition.embedder.face_embedder import ASSET, load_embedder, save_embedder
from geomface.recognition.protocols.thresholds import read_thresholds

ROOT = Path(__file__).resolve().parents[1]


def main(run: Path, evaluation: Path, asset: Path) -> None:
    """Write the embedder with its thresholds."""
    embedder = load_embedder(run / "embedder.safetensors")
    thresholds = read_thresholds(evaluation, alignment=embedder.alignment.id)
    card = {**embedder.card, "thresholds": f"photographs of {evaluation.name}, all pairs"}
    save_embedder(asset, dataclasses.replace(embedder, thresholds=thresholds, card=card))
    sys.stdout.write(f"{asset}: {asset.stat().st_size} bytes, thresholds {thresholds}\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), ROOT / "assets" / ASSET)
