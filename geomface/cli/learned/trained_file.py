"""The argument that names what was trained, by default what ships."""

from pathlib import Path
from typing import Annotated

import tyro

SHIPPED = Path("shipped")
RunOrShipped = Annotated[
    tyro.conf.Positional[Path],
    tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: the one that ships)"),
]


def trained_path(given: Path, asset: str) -> Path:
    """Return the run, checkpoint or file that was given, or the asset that ships."""
    from geomface.files.assets import asset_path

    return asset_path(asset) if given == SHIPPED else given
