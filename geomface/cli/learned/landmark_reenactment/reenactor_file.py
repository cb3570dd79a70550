"""The argument that names a reenactor, by default the one that ships."""

from pathlib import Path
from typing import Annotated

import tyro

SHIPPED = Path("shipped")
RunOrShipped = Annotated[
    tyro.conf.Positional[Path],
    tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: the one that ships)"),
]


def reenactor_path(given: Path) -> Path:
    """Return the run, checkpoint or file that was given, or the file that ships."""
    from geomface.files.assets import asset_path
    from geomface.gan.landmark_reenactment.sampling import ASSET

    return asset_path(ASSET) if given == SHIPPED else given
