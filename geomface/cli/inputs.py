"""Inputs that several commands read, and the check of outputs before any work is done."""

import dataclasses
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.cli.options import TemplateOptions
from geomface.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from geomface.mesh import Mesh, Template
    from geomface.statistics import MorphableModel

MESH_SUFFIXES = (".obj", ".ply", ".glb", ".stl", ".off")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


def read_template(options: TemplateOptions) -> "Template":
    """Return the template that the options name; without one, the built-in face.

    Landmark and region files that are not given are looked for beside the mesh.
    """
    from geomface.mesh.io import load_embedding, load_regions, load_template

    if options.template is not None:
        return load_template(options.template, options.template_landmarks, options.regions)
    from geomface.faces.builtin import load_builtin_face

    template = load_builtin_face().template
    if options.template_landmarks is not None:
        embedding = load_embedding(options.template_landmarks, template.mesh)
        template = dataclasses.replace(template, landmarks=embedding)
    if options.regions is not None:
        template = dataclasses.replace(template, regions=load_regions(options.regions))
    return template


def read_template_with_uv(path: Path | None) -> "Mesh":
    """Return a template mesh with uv; without a path, the built-in face, unwrapped.

    Raises
    ------
    MeshError : the mesh has no uv.
    """
    from geomface.errors import MeshError

    template = read_template(TemplateOptions(template=path))
    if path is None:
        from geomface.parametrization import unwrap

        return unwrap(template).mesh
    if template.mesh.uv is None:
        raise MeshError(
            f"{path}: expected a template with uv, this one has none. Make one with "
            f"'geomface unwrap --template {path} --out {path.stem}.uv.obj'."
        )
    return template.mesh


def read_model(path: Path | None) -> "MorphableModel":
    """Return the model in a file of any source, or near a trained GAN; None is the built-in face.

    Raises
    ------
    FileFormatError : a file of another kind. CheckpointError : a training of another system.
    """
    from geomface.pipeline.face_models import load_face_model

    return load_face_model(path)


def find_scan_landmarks(scan: Path, landmarks: Path | None, none: bool) -> Path | None:
    """Return the landmark file of a scan: the one given, else the one beside it.

    Raises
    ------
    SettingsError : a file was given although none should be used.
    """
    if none and landmarks is not None:
        raise SettingsError("--landmarks and --no-landmarks contradict each other: give one.")
    # Not above: help must not wait for numpy.
    from geomface.datasets.scan_files import landmarks_beside

    return None if none else landmarks or landmarks_beside(scan)


def require_output(
    path: Path | None, flag: str, suffixes: tuple[str, ...], inputs: tuple[Path | None, ...] = ()
) -> None:
    """Refuse an output file that could not be written, before any work is done.

    Parameters
    ----------
    path : the file, None for an output that was not asked for
    flag : its option, for the message
    suffixes : the endings that can be written
    inputs : files that are read, which the output must not overwrite

    Raises
    ------
    OutputError : unknown ending, missing or read-only folder, an input's own path.
    """
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise OutputError(
            f"{flag} {path}: expected a name ending in {' or '.join(suffixes)}, got "
            f"{path.suffix or 'no ending'}."
        )
    if path.is_dir():
        raise OutputError(f"{flag} {path}: expected a file name, got a folder.")
    if not path.parent.is_dir():
        raise OutputError(
            f"{flag} {path}: the folder {path.parent} does not exist. Create it first, or write "
            "elsewhere."
        )
    if not os.access(path.parent, os.W_OK):
        raise OutputError(
            f"{flag} {path}: the folder {path.parent} is not writable. Write elsewhere."
        )
    for source in inputs:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise OutputError(
                f"{flag} {path}: this is also an input, which would be overwritten. Give another "
                "name."
            )


def make_folder(path: Path, flag: str = "--out", *, create: bool = True) -> None:
    """Create an output folder for results, or only check (`create=False`) that it could be.

    Raises
    ------
    OutputError : a file is in the way, the place is not writable, or the folder holds what no
        such command wrote.
    """
    from geomface.files.marker import FolderKind, claim_folder, require_own_folder

    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise OutputError(f"{flag} {path}: expected a folder, but {nearest} is a file.")
    if not os.access(nearest, os.W_OK):
        raise OutputError(f"{flag} {path}: {nearest} is not writable. Write elsewhere.")
    # What is done at once may share a folder.
    kind = FolderKind("results", "results of a command", "a command of this kind")
    (claim_folder if create else require_own_folder)(path, kind)


def parse_pairs(flag: str, words: tuple[str, ...], example: str) -> dict[str, float]:
    """Parse `name=number` words of an option.

    Raises
    ------
    SettingsError : not of that form, or a name twice.
    """
    pairs: dict[str, float] = {}
    for word in words:
        name, _, text = word.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value):
            raise SettingsError(
                f"{flag} {word}: expected region=number, such as {example}, got {word!r}."
            )
        if name in pairs:
            raise SettingsError(f"{flag} {name}: given twice. Give each region one number.")
        pairs[name] = value
    return pairs
