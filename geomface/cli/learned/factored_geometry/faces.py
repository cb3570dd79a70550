"""Registered faces that are handed to a trained factored geometry GAN, and which part is seen."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from geomface.arrays import BoolArray, FloatArray, IndexArray
    from geomface.gan.factored_geometry import FactoredModel
    from geomface.mesh import Mesh

SHIPPED = "shipped"
HALVES = ("left", "right", "upper", "lower")
"""Of the face, as its owner says left and right."""
FAR = 5.0
"""mm that faces lie apart, as people and expressions move vertices; more may be another place."""
_FEWEST_SHARE = 0.01
"""Of the vertices, that are left to fit."""
log = logging.getLogger("geomface")


def load_run(run: str) -> "FactoredModel":
    """Return a trained model; "shipped" is the one that ships."""
    from geomface.gan.factored_geometry import load_factored

    return load_factored(None if run == SHIPPED else run)


def require_format(formats: Sequence[str]) -> None:
    """Refuse no format at all (SettingsError)."""
    if not formats:
        raise SettingsError("--format: expected one or more of obj, ply, glb.")


def require_new(folder: Path) -> None:
    """Refuse a folder with an earlier result, whose faces would be mixed with the new ones.

    Raises
    ------
    OutputError : it holds a sheet or faces
    """
    if not folder.is_dir():
        return
    old = next(folder.glob("person[0-9]*"), None)
    if old is None and (folder / "sheet.png").exists():
        old = folder / "sheet.png"
    if old is not None:
        raise OutputError(
            f"--out {folder}: holds an earlier result ({old.name}), with which the new one would "
            "be mixed. Choose another folder, or remove it."
        )


def read_faces(
    model: "FactoredModel",
    paths: Sequence[Path],
    *,
    align: bool,
    seen: "BoolArray | None" = None,
) -> "list[Mesh]":
    """Read registered meshes; their names are the files'.

    A mesh of the whole built-in face is cut to the model's region.

    Parameters
    ----------
    model : whose topology they have
    paths : their files
    align : move each onto the mean face, by a rigid motion that keeps its size, and convert it
    seen : (V,) the vertices that the motion is fitted to

    Raises
    ------
    FileFormatError : a file that cannot be read
    TopologyMismatchError : a mesh of another topology
    """
    import numpy as np

    from geomface.mesh import require_same_topology
    from geomface.mesh.io import load_mesh
    from geomface.mesh.units import millimetres

    mean = model.frame.template
    weights = None if seen is None else seen.astype(np.float64)
    faces = []
    for path, name in zip(paths, face_names(paths), strict=True):
        mesh = load_mesh(path, texture=False)
        vertices, unit, who = mesh.vertices, mesh.unit, mesh.unit_source
        rows = _rows_of_builtin(model, mesh)
        if rows is not None:
            vertices = vertices[rows]
        else:
            ends = {"first": path.name, "second": model.name}
            require_same_topology(mesh, model.template.mesh, ends)
        aligned = _onto_mean(vertices, mean.vertices, weights)
        if align:
            vertices, unit, who = aligned, "mm", "said"
        elif _lies_elsewhere(vertices * millimetres(unit), aligned, mean.vertices, seen):
            log.warning(
                "%s: does not lie where the model's faces do, which spoils its fit. Registered "
                "scans lie where the scanner saw them: add --align.",
                path.name,
            )
        changes = {"vertices": vertices, "unit": unit, "unit_source": who, "name": name}
        faces.append(model.template.mesh.replace(**changes))
    return faces


def _onto_mean(
    vertices: "FloatArray", mean: "FloatArray", weights: "FloatArray | None"
) -> "FloatArray":
    """Return a face in mm, moved onto the mean face by a rigid motion."""
    import numpy as np

    from geomface.mesh import fit_similarity
    from geomface.mesh.units import MILLIMETRES

    size = fit_similarity(vertices, mean, weights).scale
    unit = min(MILLIMETRES.values(), key=lambda factor: abs(np.log(factor / size)))
    return fit_similarity(unit * vertices, mean, weights, scale=False).apply(unit * vertices)


def _lies_elsewhere(
    given: "FloatArray", aligned: "FloatArray", mean: "FloatArray", seen: "BoolArray | None"
) -> bool:
    """Say whether a motion takes most of the way to the mean face away."""
    import numpy as np

    rows = slice(None) if seen is None else seen
    before, after = (
        float(np.linalg.norm(item[rows] - mean[rows], axis=1).mean()) for item in (given, aligned)
    )
    return before > max(FAR, 2.0 * after)


def _rows_of_builtin(model: "FactoredModel", mesh: "Mesh") -> "IndexArray | None":
    """Return the model's vertices in a mesh of the whole built-in face; None for other meshes."""
    import numpy as np

    from geomface.faces.builtin import load_builtin_face
    from geomface.gan.factored_geometry.sources import CORE
    from geomface.mesh.template import cut_template

    wanted = model.template.mesh.topology_id
    if mesh.topology_id == wanted:
        return None
    whole = load_builtin_face().template
    if mesh.topology_id != whole.mesh.topology_id:
        return None
    rows = np.sort(whole.regions[CORE])
    same = cut_template(whole, rows, CORE).mesh.topology_id == wanted
    return rows if same else None


def face_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file, its stem; where two are alike, with their folder.

    Raises
    ------
    SettingsError : the same file twice
    """
    stems = [path.stem for path in paths]
    names = [
        stem if stems.count(stem) == 1 else f"{path.resolve().parent.name}_{stem}"
        for path, stem in zip(paths, stems, strict=True)
    ]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingsError(f"{twice}: two meshes of this name. Give each once, by its own name.")
    return names


def visible_part(model: "FactoredModel", hide: Sequence[str]) -> "BoolArray | None":
    """Return which vertices (V,) count: all but regions, halves and lists of vertices in files.

    Raises
    ------
    FileFormatError : a file that holds no lists of vertices
    SettingsError : no such region, a file that hides nothing, or next to nothing is left
    """
    import numpy as np

    from geomface.gan.factored_geometry.registered_input import FEWEST_VISIBLE
    from geomface.mesh.io import load_regions

    if not hide:
        return None
    mean, regions = model.frame.template, model.template.regions
    seen = np.ones(len(mean.vertices), bool)
    for item in hide:
        if Path(item).suffix == ".json":
            lists = load_regions(item)
            gone = np.concatenate([np.zeros(0, np.int64), *lists.values()])
            if not gone.size:
                raise SettingsError(
                    f"--hide {item}: expected vertices {{'name': [vertex, ...]}}, got none."
                )
            if not 0 <= gone.min() <= gone.max() < len(seen):
                raise SettingsError(
                    f"{item}: expected vertices from 0 to {len(seen) - 1}, got {gone.max()}."
                )
            seen[gone] = False
        elif item in regions:
            seen[regions[item]] = False
        elif item in HALVES:
            seen &= ~_half(mean, item)
        else:
            raise SettingsError(
                f"--hide: expected {', '.join((*HALVES, *regions))} or a JSON file of vertex "
                f"lists, got {item!r}."
            )
    if not seen.any():
        raise SettingsError("--hide: nothing of the face is left to fit. Hide less.")
    fewest = max(FEWEST_VISIBLE, math.ceil(_FEWEST_SHARE * len(seen)))
    if seen.sum() < fewest:
        raise SettingsError(
            f"--hide: expected at least {fewest} of {len(seen)} vertices to be left to fit, got "
            f"{seen.sum()}. Hide less."
        )
    return seen


def _half(mesh: "Mesh", side: str) -> "BoolArray":
    middle = 0.5 * (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0))
    x, y = (mesh.vertices[:, axis] - middle[axis] for axis in (0, 1))
    return {"left": x > 0, "right": x < 0, "upper": y > 0, "lower": y < 0}[side]
