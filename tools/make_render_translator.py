"""Make assets/render_to_photo: the small trained translator.

    geomface synth faces --identities 400 --samples 8 --size 128 --seed 1701 \\
        --outputs rgb alpha --out S
    geomface synth faces --preset photo --identities 2400 --samples 5 --size 128 --seed 101 --out R
    geomface synth faces --identities 250 --samples 1 --size 128 --seed 1702 --out PS
    geomface synth faces --preset photo --identities 250 --samples 1 --size 128 --seed 1702 --out PR
    geomface recognise align --images S --masks --size 64x64 --out S64
    geomface recognise align --images R --size 64x64 --out R64       # PS and PR alike
    geomface train render_to_photo --renders S64 --photographs R64 --pairs PS64 PR64 \\
        --width 16 --steps 3000 --out RUN
    python tools/make_render_translator.py RUN
"""

import dataclasses
import sys
from pathlib import Path

from geomface.gan.render_to_photo import SYSTEM
from geomface.gan.render_to_photo.sampling import ASSET, USED
from geomface.learning import load_trained, save_trained

ROOT = Path(__file__).resolve().parents[1]


def main(run: Path, asset: Path) -> None:
    """Write the averaged networks in float16, and nothing of where they were trained."""
    model = load_trained(run, system=SYSTEM)
    kept = {key: model.config[key] for key in ("networks", "alignment")}
    alone = dataclasses.replace(model, config=kept)
    asset.parent.mkdir(parents=True, exist_ok=True)
    save_trained(asset, alone, system=SYSTEM, networks=USED, precision="float16")
    sys.stdout.write(f"{asset}: step {model.step}, {asset.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), ROOT / "assets" / ASSET)
