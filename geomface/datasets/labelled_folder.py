"""Folders of registered meshes with a label table, read and written."""

import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray
from geomface.datasets import layout
from geomface.datasets.label_table import LabelTable, load_label_table, save_label_table
from geomface.datasets.labelled_faces import UNKNOWN, LabelledFaces
from geomface.datasets.one_pose import require_one_pose
from geomface.datasets.registered_faces import load_run_template, unit_factor
from geomface.errors import FileFormatError
from geomface.learning.errors import DatasetError
from geomface.mesh import Mesh, Template, fit_similarity, require_same_topology
from geomface.mesh.io import MESH_SUFFIXES, load_mesh, save_mesh, save_template
from geomface.mesh.units import millimetres, registered_unit, scan_unit
from geomface.parametrization import unwrap

_LOG = logging.getLogger("geomface")
_FARTHEST = 1e12
"""Coordinates beyond are damaged numbers, in whatever unit faces are."""


def load_labelled_faces(
    folder: Path | str,
    table: Path | str | None = None,
    *,
    factors: Sequence[str] = ("identity", "expression"),
    template: Template | None = None,
    align: bool | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> LabelledFaces:
    """Read registered meshes with their labels.

    Parameters
    ----------
    folder : meshes of one topology in any format and any depth of subfolders, or the output of
        `geomface pipeline run`
    table : CSV or JSON lines, see `load_label_table`; it names meshes by their path below the
        folder, or the items of a pipeline's output. Meshes that it does not name are left out.
        None: `labels.csv` or `labels.jsonl` in the folder; without one, every subfolder of the
        folder is a person and no other label is known
    factors : the columns to read; all of them must be there, and no others
    template : default the folder's own (`template/template.obj`) or else the first mesh; without
        uv it is unwrapped
    align : whether to move every face onto the template, by a rigid motion that keeps its size.
        None: for the output of a pipeline only, whose meshes lie where their scans do
    on_progress : called with (read, in all)

    Returns
    -------
    LabelledFaces in mm, in the order of the table; classes are sorted by name

    Raises
    ------
    FileFormatError : no mesh there, a file that cannot be read, a table that is none
    DatasetError : labels of files that are not there, no labels at all, two tables in the folder,
        meshes of a plain folder that are not in one pose
    MeshError : another topology than the template's, NaN, a size that is no face's like the others

    Convention
    ----------
    Numbers in another unit, by what the file says or plainly by their size, are converted to mm
    and a warning says so.

    Example
    -------
    >>> import geomface as gf
    >>> wanted = gf.LabelledFacesSettings(people=2, faces=2, labelled=0.5)
    >>> gf.save_labelled_faces("faces", gf.draw_labelled_faces(gf.load_builtin_face(), wanted))
    >>> faces = gf.load_labelled_faces("faces")
    >>> faces.names[0], faces.classes["identity"], faces.labels["identity"]
    ('person0000/face000.ply', ('person0000', 'person0001'), array([0, 0, 1, 1]))
    """
    folder = Path(folder)
    is_run = (folder / layout.ITEMS).is_dir() and (folder / layout.TEMPLATE_MESH).is_file()
    found = _items(folder) if is_run else _meshes(folder)
    table = table or _own_table(folder)
    labels = load_label_table(table, factors) if table else _by_folder(folder, found, factors)
    missing = [name for name in labels if name not in found]
    if missing:
        what = "items" if is_run else "meshes below the folder, with their endings"
        raise DatasetError(
            f"{table}: expected names of {what}; {len(missing)} of {len(labels)} are not in "
            f"{folder}, such as {missing[0]}. Mend the names, or remove these rows."
        )
    if len(labels) < len(found):
        _LOG.info("%s: %d meshes have no label and are left out.", folder, len(found) - len(labels))
    template = _in_mm(template or _template(folder, found[next(iter(labels))]))
    meshes = _Reader(template.mesh, is_run if align is None else align)
    vertices = np.empty((len(labels), *template.mesh.vertices.shape), np.float32)
    for index, name in enumerate(labels):
        vertices[index] = meshes.read(found[name], name)
        if on_progress is not None:
            on_progress(index + 1, len(labels))
    meshes.tell(folder)
    if not is_run:
        require_one_pose(folder, vertices, tuple(labels))
    return LabelledFaces(template, vertices, tuple(labels), *_numbered(labels, factors))


def save_labelled_faces(
    folder: Path | str,
    faces: LabelledFaces,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a set as `load_labelled_faces` reads it: NAME.ply, the template, labels.csv.

    Parameters
    ----------
    folder : new, or empty
    faces : the set; what only `truth` knows is not written
    on_progress : called with (written, in all)

    Raises
    ------
    DatasetError : the folder holds something
    OutputError : a place cannot be written

    Example
    -------
    >>> import os
    >>> import geomface as gf
    >>> wanted = gf.LabelledFacesSettings(people=2, faces=2)
    >>> gf.save_labelled_faces("faces", gf.draw_labelled_faces(gf.load_builtin_face(), wanted))
    >>> sorted(os.listdir("faces"))
    ['labels.csv', 'person0000', 'person0001', 'template']
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder}: expected a new or empty folder to write faces to.")
    # The table comes last: a folder that has one is whole.
    (folder / layout.TEMPLATE).mkdir(parents=True, exist_ok=True)
    save_template(folder / layout.TEMPLATE_MESH, faces.template)
    bare = faces.template.mesh.replace(uv=None, uv_faces=None, colors=None, texture=None)
    files = [name if name.endswith(".ply") else f"{name}.ply" for name in faces.names]
    for index, file in enumerate(files):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        save_mesh(folder / file, bare.replace(vertices=faces.vertices[index]))
        if on_progress is not None:
            on_progress(index + 1, len(files))
    save_label_table(folder / layout.LABEL_TABLES[0], faces, files=files)


def _items(folder: Path) -> dict[str, Path]:
    """Return {item: its registered mesh} of a pipeline's output."""
    paths = sorted((folder / layout.ITEMS).glob(f"*/{layout.REGISTERED}"))
    if not paths:
        raise FileFormatError(
            f"{folder}: expected the output of a pipeline with registered meshes, got none. Run "
            "'geomface pipeline run' on scans first."
        )
    return {path.parent.name: path for path in paths}


def _meshes(folder: Path) -> dict[str, Path]:
    """Return {path below the folder: file} of all meshes but the template, sorted."""
    if not folder.is_dir():
        raise FileFormatError(f"{folder}: expected a folder of registered meshes, got none.")
    own = folder / layout.TEMPLATE
    paths = [
        path
        for path in layout.files_below(folder, "*")
        if path.suffix.lower() in MESH_SUFFIXES and own not in path.parents
    ]
    if not paths:
        raise FileFormatError(
            f"{folder}: expected registered meshes ({', '.join(MESH_SUFFIXES)}) in it or in its "
            "subfolders, got none."
        )
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _own_table(folder: Path) -> Path | None:
    """Return the label table that lies in a folder, if one does."""
    tables = [name for name in layout.LABEL_TABLES if (folder / name).is_file()]
    if len(tables) > 1:
        raise DatasetError(
            f"{folder}: expected one label table, got {' and '.join(tables)}. Say which is meant "
            f"with --labels (in Python: table), such as --labels {folder / tables[0]}."
        )
    return folder / tables[0] if tables else None


def _by_folder(folder: Path, found: Iterable[str], factors: Sequence[str]) -> LabelTable:
    """Take the first folder below as the person."""
    place = (
        f"Give a label table with the columns {', '.join(('file', *factors))}: as labels.csv in "
        "the folder, or with --labels (in Python: table)."
    )
    if "identity" not in factors:
        raise DatasetError(
            f"{folder}: expected a label table for the factors {', '.join(factors)}, got none; "
            f"subfolders alone can tell identity only. {place}"
        )
    loose = [name for name in found if "/" not in name]
    if loose:
        raise DatasetError(
            f"{folder}: expected a label table, or a subfolder for every person; {loose[0]} lies "
            f"in none. {place}"
        )
    unknown = dict.fromkeys(factors, "")
    return {name: {**unknown, "identity": name.split("/")[0]} for name in found}


def _template(folder: Path, first: Path) -> Template:
    """Return the folder's own template, else the first mesh."""
    if (folder / layout.TEMPLATE_MESH).is_file():
        return load_run_template(folder)
    mesh = load_mesh(first, texture=False)
    found = scan_unit(mesh)
    if found.unit == "mm":  # another unit is told with those of all meshes
        for note in found.notes:
            _LOG.warning("%s: %s", first, note)
    return Template(mesh.replace(unit=found.unit))


def _in_mm(template: Template) -> Template:
    """Return a template in mm, unwrapped if it has no uv."""
    mesh = template.mesh
    mesh = mesh.replace(vertices=mesh.vertices * millimetres(mesh.unit), unit="mm")
    template = dataclasses.replace(template, mesh=mesh)
    return (
        template
        if mesh.uv is not None
        else dataclasses.replace(template, mesh=unwrap(template).mesh)
    )


class _Reader:
    """Reads meshes in mm onto a template and remembers what it had to convert."""

    def __init__(self, template: Mesh, align: bool) -> None:
        self.template, self.align = template, align
        self.converted: dict[str, str] = {}

    def read(self, path: Path, name: str) -> FloatArray:
        """Return (V, 3) float64 mm."""
        mesh = load_mesh(path, texture=False)
        require_same_topology(self.template, mesh, {"first": "the template", "second": name})
        farthest = float(np.abs(mesh.vertices).max())
        if farthest > _FARTHEST:
            raise DatasetError(
                f"{path}: expected a face, got a coordinate of {farthest:.3g}. The file is "
                "damaged, or of another unit: export it again in mm."
            )
        vertices = mesh.vertices * self._factor(path, mesh, name)
        if self.align:
            motion = fit_similarity(vertices, self.template.vertices, scale=False)
            vertices = motion.apply(vertices)
        return vertices

    def _factor(self, path: Path, mesh: Mesh, name: str) -> float:
        """Return the factor to mm: as a pipeline measured it, else by the file, else by size."""
        report = path.with_name(layout.ITEM_REPORT)
        if path.name == layout.REGISTERED and report.is_file():
            return unit_factor(report)
        found = registered_unit(mesh.replace(name=name), self.template.vertices)
        if found.unit != "mm":
            self.converted[name] = found.unit
        return found.factor

    def tell(self, folder: Path) -> None:
        """Say what was converted, in one line a unit."""
        for unit, count in Counter(self.converted.values()).items():
            first = next(name for name, of in self.converted.items() if of == unit)
            _LOG.warning(
                "%s: %d meshes are in %s, such as %s: converted to mm.", folder, count, unit, first
            )


def _numbered(
    labels: LabelTable, factors: Sequence[str]
) -> tuple[Mapping[str, np.ndarray], Mapping[str, tuple[str, ...]]]:
    """Return labels as numbers, and the names of the classes, sorted."""
    numbers, classes = {}, {}
    for factor in factors:
        column = [row[factor] for row in labels.values()]
        names = sorted(set(column) - {""})
        place = {"": UNKNOWN, **{name: index for index, name in enumerate(names)}}
        numbers[factor] = np.array([place[label] for label in column])
        classes[factor] = tuple(names)
    return numbers, classes
