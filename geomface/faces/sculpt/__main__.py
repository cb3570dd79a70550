"""Rebuild the assets of the built-in face: python -m geomface.faces.sculpt [FOLDER]."""

import sys
from pathlib import Path

from geomface.faces.sculpt.build import write_assets


def main() -> None:
    """Write the assets into the folder given, by default the one of this checkout."""
    checkout = Path(__file__).resolve().parents[3] / "assets" / "templates" / "face"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else checkout
    for path in write_assets(folder):
        sys.stdout.write(f"{path.stat().st_size:>9} bytes  {path.name}\n")


if __name__ == "__main__":
    main()
