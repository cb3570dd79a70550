"""Make assets/templates/face: the built-in face, sculpted from its control points.

python tools/make_builtin_face.py
"""

import argparse
import sys
from pathlib import Path

from builtin_face.build import write_assets

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "templates" / "face"


def main() -> None:
    """Sculpt the face, write its files, say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ASSETS)
    for path in write_assets(parser.parse_args().out):
        sys.stdout.write(f"{path.stat().st_size:>9} bytes  {path.name}\n")


if __name__ == "__main__":
    main()
