"""Make assets/landmark_reenactment: the small trained reenactor.

    geomface synth faces --preset photo --identities 600 --samples 12 --track 4 --size 96 \\
        --seed 1801 --occluders 0 --jpeg 0 --coarse 0 --film 0.15 --shards --out T
    geomface train landmark_reenactment --faces T --size 64 --width 16 --batch 8 --steps 4000 \\
        --arm no-adversary --precision bfloat16 --out RUN                # stopped after 2,000
    python tools/make_reenactor.py RUN
"""

import dataclasses
import sys
from pathlib import Path

from geomface.gan.landmark_reenactment import SYSTEM
from geomface.gan.landmark_reenactment.sampling import ASSET
from geomface.learning import load_trained, save_trained

ROOT = Path(__file__).resolve().parents[1]


def main(run: Path, asset: Path) -> None:
    """Write the averaged generator in float16, and nothing of where it was trained."""
    model = load_trained(run, system=SYSTEM)
    kept = {key: model.config[key] for key in ("networks", "margin")}
    alone = dataclasses.replace(model, config=kept)
    asset.parent.mkdir(parents=True, exist_ok=True)
    save_trained(asset, alone, system=SYSTEM, networks=("generator_ema",), precision="float16")
    sys.stdout.write(f"{asset}: step {model.step}, {asset.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), ROOT / "assets" / ASSET)
