"""What the model commands read: model files of any source, sets of registered meshes."""

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.run import Run
from geomface.errors import FileFormatError

if TYPE_CHECKING:
    from geomface.mesh import Mesh
    from geomface.statistics import MorphableModel

ModelFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
]
MeshFiles = Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILES")]


def expand(words: tuple[str, ...], flag: str = "--meshes") -> list[Path]:
    """Return the files that names and patterns stand for, sorted, each once."""
    found: list[Path] = []
    for word in words:
        matches = sorted(glob.glob(word, recursive=True))
        if not matches:
            raise FileFormatError(
                f"{flag} {word}: expected registered meshes, no file matches. Quote the pattern "
                "so that the shell leaves it alone."
            )
        found += [Path(match) for match in matches]
    return list(dict.fromkeys(found))


def read_meshes(paths: list[Path], run: Run) -> "list[Mesh]":
    """Read meshes that must share one topology."""
    from geomface.datasets import load_registered_meshes

    with run.progress("reading", len(paths)) as step:
        return load_registered_meshes(
            paths, on_progress=lambda done, total, name: step(done, name, total)
        )


def named_weights(model: "MorphableModel", weights: Any) -> Any:
    """Return expression weights by name where they have names."""
    names = () if model.expression is None else model.expression.names
    return dict(zip(names, map(float, weights), strict=True)) if names else weights
