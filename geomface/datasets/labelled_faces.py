"""Registered faces of one template with labels, not all of them known, and how to divide them."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real

import numpy as np

from geomface.arrays import IndexArray, require_finite, require_indices, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.learning.errors import DatasetError
from geomface.learning.holdout import is_held_out
from geomface.mesh import Template

UNKNOWN = -1
"""What stands for a class that is not known."""
_FEWEST = 2
"""Labelled faces of a class: one alone cannot tell its class from whatever else it shows."""

_MORE = (
    "Label more of them (for drawn faces: a larger --labelled), or leave the labels of rare "
    "classes empty."
)


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledFaces:
    """Registered faces of one template with labels of some factors.

    Parameters
    ----------
    template : the mesh in mm that all faces share, with uv
    vertices : (N, V, 3) float32, mm; a memory map stays one
    names : one a face, each once
    labels : {factor: (N,) int64} into `classes`, -1 where not known
    classes : {factor: names of its classes}
    truth : {factor: (N,) int64}, what drawn sets know and no training may see; -1 for a face that
        belongs to no class

    Raises
    ------
    MeshError : vertices of another template, NaN or infinity, a template that is not in mm
    DatasetError : a name or a class twice, labels that are not whole numbers, of another length or
        beyond their classes
    """

    template: Template
    vertices: np.ndarray
    names: tuple[str, ...]
    labels: Mapping[str, IndexArray]
    classes: Mapping[str, tuple[str, ...]]
    truth: Mapping[str, IndexArray] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.template, Template):
            raise MeshError(f"labelled faces: expected a Template, got {self.template!r:.60}.")
        for part in ("labels", "classes", "truth"):
            if not isinstance(getattr(self, part), Mapping):
                raise DatasetError(
                    f"labelled faces: expected {part} as {{factor: ...}}, got "
                    f"{getattr(self, part)!r:.60}."
                )
        mesh = self.template.mesh
        object.__setattr__(self, "names", _strings(self.names, "the names of labelled faces"))
        if mesh.unit != "mm":
            raise MeshError(f"{mesh.name}: expected a template in mm, got one in {mesh.unit}.")
        shape = (len(self.names), len(mesh.vertices), 3)
        vertices = require_shape(self.vertices, shape, "labelled faces: vertices")
        if vertices.dtype.kind not in "fiu":
            raise MeshError(f"labelled faces: expected numbers as vertices, got {vertices.dtype}.")
        vertices = vertices.astype(np.float32, copy=False).view()
        vertices.flags.writeable = False
        with np.errstate(invalid="ignore", over="ignore"):
            require_finite(vertices.sum(axis=(1, 2)), "labelled faces: vertices")
        object.__setattr__(self, "vertices", vertices)
        classes = {key: _strings(of, f"classes of {key}") for key, of in self.classes.items()}
        object.__setattr__(self, "classes", classes)
        for part in ("labels", "truth"):
            checked = {key: self._checked(key, of) for key, of in getattr(self, part).items()}
            object.__setattr__(self, part, checked)

    def _checked(self, factor: str, labels: np.ndarray) -> IndexArray:
        """Return labels as a read-only int64 array."""
        name = f"labels of {factor}"
        if factor not in self.classes:
            raise DatasetError(f"{name}: expected the names of its classes with them, got none.")
        labels = require_shape(labels, (len(self.names),), name, DatasetError)
        if len(labels) and labels.dtype.kind not in "iu":
            raise DatasetError(
                f"{name}: expected whole numbers that count its classes from 0, {UNKNOWN} where "
                f"not known; got {labels.dtype}, such as {labels[0]!r:.40}."
            )
        labels = labels.astype(np.int64)
        require_indices(labels[labels != UNKNOWN], len(self.classes[factor]), name, DatasetError)
        labels.flags.writeable = False
        return labels

    def __repr__(self) -> str:
        factors = "".join(
            f"; {key}: {len(self.classes[key])} classes, {(labels != UNKNOWN).sum()} known"
            for key, labels in self.labels.items()
        )
        return f"LabelledFaces({len(self)} faces, {self.vertices.shape[1]} vertices{factors})"

    def __len__(self) -> int:
        return len(self.names)

    def select(self, rows: np.ndarray | Sequence[int] | slice) -> "LabelledFaces":
        """Return some of the faces, by index, flags or slice; the classes stay as they are."""
        index = np.arange(len(self))[rows]
        return dataclasses.replace(
            self,
            vertices=self.vertices[rows if isinstance(rows, slice) else index],
            names=tuple(self.names[row] for row in index),
            labels={factor: labels[index] for factor, labels in self.labels.items()},
            truth={factor: labels[index] for factor, labels in self.truth.items()},
        )


def split_faces(
    faces: LabelledFaces, share: float, *, factor: str = "identity"
) -> tuple[LabelledFaces, LabelledFaces]:
    """Divide by the names of the classes of a factor: whole people are in training or held out.

    Parameters
    ----------
    faces : the set
    share : of the classes to hold out, in [0, 1); see `learning.holdout.is_held_out`
    factor : whose classes are divided

    Returns
    -------
    (training, held out). Each keeps the classes of `factor` that it has, numbered anew; those of
    other factors stay. A face whose class is not known stays in training. With few classes none
    may be held out.

    Raises
    ------
    SettingsError : a share beyond [0, 1)
    DatasetError : no such factor, or nothing is left to train on
    """
    if not isinstance(share, Real) or not 0 <= share < 1:
        raise SettingsError(f"held-out share: expected 0 to below 1, got {share!r}.")
    _require_factor(faces, factor)
    out = np.array([is_held_out(name, share) for name in faces.classes[factor]] + [False])
    # The last flag is what label -1 finds.
    rows = out[faces.labels[factor]]
    if len(rows) and rows.all():
        raise DatasetError(
            f"training set: expected something left to train on, but a held-out share of {share} "
            f"takes all {len(faces.classes[factor])} classes of {factor}. Lower it."
        )
    training, held_out = (_numbered_anew(faces.select(side), factor) for side in (~rows, rows))
    return training, held_out


def _numbered_anew(faces: LabelledFaces, factor: str) -> LabelledFaces:
    """Return the same faces with only those classes of a factor that they have."""
    names = faces.classes[factor]
    parts = [part for part in (faces.labels, faces.truth) if factor in part]
    found = np.unique(np.concatenate([part[factor] for part in parts]))
    found = found[found != UNKNOWN]
    number = np.full(len(names) + 1, UNKNOWN)
    number[found] = np.arange(len(found))
    labels, truth = (
        {key: number[of] if key == factor else of for key, of in part.items()}
        for part in (faces.labels, faces.truth)
    )
    classes = {**faces.classes, factor: tuple(names[row] for row in found)}
    return dataclasses.replace(faces, labels=labels, truth=truth, classes=classes)


def hide_labels(
    faces: LabelledFaces, factor: str, share_known: float, *, seed: int = 0
) -> LabelledFaces:
    """Forget labels of a factor, as if few of the faces had been looked at.

    Of every class with n labelled faces, round(share n) keep their label, and no fewer than two
    where there are two. Which ones is decided by the seed and the names of the faces alone.

    Parameters
    ----------
    faces : the set
    factor : whose labels are hidden
    share_known : of the labels to keep, in [0, 1]; 0 hides all
    seed : of the choice

    Returns
    -------
    LabelledFaces with the same `truth`

    Raises
    ------
    SettingsError : a share beyond [0, 1]
    DatasetError : no such factor
    """
    _require_factor(faces, factor)
    if not isinstance(share_known, Real) or not 0 <= share_known <= 1:
        raise SettingsError(f"share of known labels: expected 0 to 1, got {share_known!r}.")
    labels = faces.labels[factor].copy()
    # One number a face that the other faces of the set do not change.
    turn = [hashlib.sha256(f"{seed}:{factor}:{name}".encode()).digest() for name in faces.names]
    for label in range(len(faces.classes[factor])):
        rows = sorted(np.flatnonzero(labels == label), key=turn.__getitem__)
        kept = max(round(share_known * len(rows)), _FEWEST) if share_known else 0
        labels[rows[kept:]] = UNKNOWN
    return dataclasses.replace(faces, labels={**faces.labels, factor: labels})


def check_labels(faces: LabelledFaces, factors: Sequence[str]) -> None:
    """Refuse a set whose labels cannot teach these factors, before anything is written.

    Raises
    ------
    DatasetError : an empty set, a factor without labels or with one class, no more labelled
        faces than classes, a class with fewer than two labelled faces
    """
    if not len(faces):
        raise DatasetError("training set: expected labelled faces, got none.")
    for factor in factors:
        _require_factor(faces, factor)
        names, labels = faces.classes[factor], faces.labels[factor]
        known = labels[labels != UNKNOWN]
        if not names:
            raise DatasetError(
                f"{factor}: expected labels of at least two classes, got 0: no face has one. Give "
                "a label table with this column filled: as labels.csv in the folder, or with "
                "--labels."
            )
        if len(names) == 1:
            raise DatasetError(
                f"{factor}: expected labels of at least two classes, got 1 ({names[0]}). "
                "What never changes cannot be told apart from the rest of a face."
            )
        trained = f"among the {len(faces)} faces of the people that are trained on"
        if len(known) <= len(names):
            raise DatasetError(
                f"{factor}: expected more labelled faces than its {len(names)} classes, got "
                f"{len(known)} {trained}. {_MORE}"
            )
        counts = np.bincount(known, minlength=len(names))
        rare = [f"{names[row]} has {counts[row]}" for row in np.flatnonzero(counts < _FEWEST)]
        if rare:
            raise DatasetError(
                f"{factor}: expected at least {_FEWEST} labelled faces of each class {trained}, "
                f"{', '.join(rare[:3])}{f' and {len(rare) - 3} more' if len(rare) > 3 else ''}. "
                f"{_MORE}"
            )


def _strings(values: Iterable[str], name: str) -> tuple[str, ...]:
    """Return names, each of them there once."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DatasetError(f"{name}: expected several strings, got {values!r:.60}.")
    listed = tuple(values)
    wrong = [value for value in listed if not isinstance(value, str)]
    if wrong:
        raise DatasetError(f"{name}: expected strings, got {wrong[0]!r:.60}.")
    if len(set(listed)) < len(listed):
        twice = next(value for value, count in Counter(listed).items() if count > 1)
        raise DatasetError(f"{name}: expected each once, got {twice!r} twice.")
    return listed


def _require_factor(faces: LabelledFaces, factor: str) -> None:
    if factor not in faces.labels:
        raise DatasetError(
            f"{factor}: expected a factor that the faces are labelled with "
            f"({', '.join(faces.labels) or 'none'}). Add it to the label table."
        )
