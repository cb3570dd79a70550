"""The option that names an embedder, by default the one that ships."""

from pathlib import Path
from typing import Annotated

import tyro

EmbedderFile = Annotated[
    Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the one that ships)")
]


def embedder_path(given: Path | None) -> Path:
    """Return the file that was given, or that of the embedder that ships with geomface."""
    from geomface.files.assets import asset_path
    from geomface.recognition.embedder.face_embedder import ASSET

    return asset_path(ASSET) if given is None else given


def embedder_id(path: Path) -> str:
    """Return what descriptors tell of the embedder that made them: its file's name and content."""
    from geomface.files.reading import read_bytes
    from geomface.learning.fingerprint import content_hash

    return f"{path.name} {content_hash(read_bytes(path, 'an embedder'))}"
