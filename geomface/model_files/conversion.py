"""From the numbers of a foreign model file to ours: unit, scaling, winding, colours, and a card
that says what was done."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.mesh.normals import face_cross_products
from geomface.mesh.units import MILLIMETRES, canonical_unit, millimetres, spoken, typical_size
from geomface.model_files.parts import columns, points, triangles
from geomface.statistics import (
    ExpressionModel,
    LinearModel,
    MorphableModel,
    TextureModel,
    without_empty,
)

AXES = "as in the file: x to the subject's left, y up, z out of the face"

_FACE_MM = (80.0, 700.0)
"""Between these lies the longest side of a face or head."""
_USUAL_MM = 200.0
_SIZED_BY_FORMAT = 3.0
# How far all modes together move a vertex (rms), as a share of the face's size.
_SPREAD = (1e-4, 2.0)
_FRONT_SHARE = 0.3
_UNDECIDED = 0.05


class Conversion:
    """The reading of one foreign file: its parts in our numbers, what was done to them in words.

    Parameters
    ----------
    path : the file; its stem becomes the name of the model
    source : where the model comes from, for the card
    mean : the mean shape as the file has it, any layout of x1 y1 z1 x2 ...
    unit : of its numbers as the caller says, or None
    documented : the unit of this format; None when it has none, and then the size tells
    label : of the mean, in messages

    Attributes
    ----------
    mean : (V, 3) float64, mm
    factor : millimetres a unit of the file
    card : what is said so far
    """

    def __init__(
        self,
        path: Path,
        source: str,
        mean: object,
        *,
        unit: str | None,
        documented: str | None = None,
        label: str = "mean",
    ) -> None:
        self.path = path
        given = points(path, mean, label)
        self.factor, said = unit_factor(path, given, unit, documented)
        self.mean = self.factor * given
        self.card = {"source": source, "unit": said}

    def shape(
        self, matrix: object, deviations: Any, label: str, said: str, **numbers: Any
    ) -> LinearModel:
        """Return the shape of a matrix (3 V, K) times deviations (K,) in units of the file.

        `said` goes on the card; `numbers` are further fields of the model.
        """
        self.card["modes"] = said
        basis, _, gone = without_empty(self._columns(matrix, deviations, self.factor, label))
        self.left_out(gone)
        self._require_spread(basis, np.asarray(deviations, np.float64), label)
        return LinearModel(self.mean, basis, **numbers)

    def expression(
        self, mean: object, matrix: object, deviations: Any, label: str, **numbers: Any
    ) -> ExpressionModel:
        """Return Gaussian expressions; a `mean` of None is zero."""
        offset = np.zeros_like(self.mean)
        if mean is not None:
            offset = self.factor * points(self.path, mean, f"mean of {label}")
        basis, _, gone = without_empty(self._columns(matrix, deviations, self.factor, label))
        self.left_out(gone)
        return ExpressionModel(offset, basis, **numbers)

    def blendshapes(self, names: Sequence[str], shapes: Sequence[object]) -> ExpressionModel | None:
        """Return named displacements; None when none moves anything."""
        count = len(self.mean)
        found = [
            points(self.path, shape, f"blendshape {name}")
            for name, shape in zip(names, shapes, strict=True)
        ]
        if any(len(item) != count for item in found):
            raise FileFormatError(f"{self.path}: a blendshape has other than {count} vertices.")
        basis, kept, gone = without_empty(self.factor * np.stack(found, axis=-1), names)
        self.left_out(gone)
        if not basis.shape[-1]:
            return None
        return ExpressionModel(np.zeros_like(self.mean), basis, names=kept, kind="blendshapes")

    def texture(
        self,
        mean: object,
        matrix: object,
        deviations: Any,
        label: str,
        *,
        largest: float | None = None,
        noise_sigma: float = 0.0,
    ) -> TextureModel:
        """Return colours a vertex; `largest` is the documented white, by default the mean tells."""
        colors = points(self.path, mean, f"mean of {label}")
        if largest is None:
            largest = 255.0 if colors.max(initial=0.0) > 2.0 else 1.0
        self.card["colours"] = (
            "0 to 1, as in the file"
            if largest == 1.0
            else f"0 to {largest:g} in the file, divided by {largest:g}"
        )
        factor = 1.0 / largest
        basis = self._columns(matrix, deviations, factor, label)
        basis, _, gone = without_empty(basis)
        self.left_out(gone)
        return TextureModel(factor * colors, basis, noise_sigma=factor * noise_sigma)

    def faces(self, values: object, base: int, label: str) -> IndexArray:
        """Return triangles counted from 0, counter-clockwise from outside; says so."""
        given = triangles(self.path, values, len(self.mean), base=base, label=label)
        self.card["indices"] = f"triangles counted from {base} in the file"
        faces, self.card["winding"] = facing_out(self.mean, given)
        return faces

    def left_out(self, *notes: str) -> None:
        """Say on the card what of the file is not in the model; empty notes say nothing."""
        said = [note for note in (self.card.get("left_out", ""), *notes) if note]
        if said:
            self.card["left_out"] = "; ".join(said)

    def model(
        self,
        shape: LinearModel,
        faces: IndexArray,
        expression: ExpressionModel | None = None,
        texture: TextureModel | None = None,
        *,
        landmarks: LandmarkEmbedding | None = None,
        regions: Mapping[str, IndexArray] | None = None,
        **mesh: Any,
    ) -> MorphableModel:
        """Return the model; `mesh` are further fields of its mesh, such as uv."""
        name = mesh.pop("name", self.path.stem)
        return MorphableModel(
            Template(Mesh(self.mean, faces, name=name, **mesh), landmarks, regions or {}),
            shape,
            expression,
            texture,
            name=name,
            card={**self.card, "axes": AXES},
        )

    def _require_spread(self, basis: np.ndarray, deviations: FloatArray, label: str) -> None:
        """Refuse modes that would move the face by next to nothing, or beyond itself."""
        size = typical_size(self.mean)
        moved = float(np.sqrt((basis.astype(np.float64) ** 2).sum() / len(self.mean)))
        low, high = _SPREAD
        if not basis.shape[-1] or size <= 0 or low < moved / size < high:
            return
        likely = f"a factor of about {10 ** round(np.log10(moved / (0.05 * size))):.0e} too much"
        sigma = deviations.ravel()
        if sigma.size == basis.shape[-1] and (sigma > 0).all():
            lengths = np.linalg.norm(basis.reshape(-1, sigma.size), axis=0) / np.sqrt(sigma)
            rooted = float(np.linalg.norm(lengths) / np.sqrt(len(self.mean)))
            if moved > size and low < rooted / size < high:
                likely = f"variances: with their square roots it is {rooted:.3g} mm"
        raise FileFormatError(
            f"{self.path}: {label}: all modes together would move the vertices of the face by "
            f"{moved:.3g} mm (rms). Expected a few; the deviations look like {likely}."
        )

    def _columns(self, matrix: object, deviations: Any, factor: float, label: str) -> np.ndarray:
        sigma = factor * np.asarray(deviations, np.float64)
        return columns(self.path, matrix, sigma, len(self.mean), label)


def _extent(vertices: FloatArray) -> float:
    return float(np.ptp(vertices, axis=0).max())


def unit_by_size(vertices: FloatArray) -> str | None:
    """Return the unit in which these vertices are as large as a face or head, None if in none."""
    extent = _extent(vertices)
    low, high = _FACE_MM
    for unit, factor in MILLIMETRES.items():
        if unit == "inch":  # no model is in inches; what could be, is in centimetres
            continue
        if low <= extent * factor <= high:
            return unit
    return None


def unit_factor(
    path: Path | str,
    vertices: FloatArray,
    unit: str | None,
    documented: str | None = None,
) -> tuple[float, str]:
    """Return the factor to millimetres and what to say about it.

    Parameters
    ----------
    vertices : (V, 3), the mean in the unit of the file
    unit : what the caller says, or None
    documented : the unit of this format; None when it has none, and then the size tells
    """
    if unit is not None:
        unit = canonical_unit(unit, f"{path}: unit", FileFormatError)
    found = unit or documented
    why = "as asked" if unit else "as the format says"
    if found is None:
        found = unit_by_size(vertices)
        extent = _extent(vertices)
        why = f"by its size, {extent:.4g} across"
    if found is None:
        return 1.0, f"millimetres assumed: no unit is written and the size, {why}, fits none"
    factor = millimetres(found)
    if unit is None and documented is not None:
        _require_size(path, _extent(vertices), documented, unit_by_size(vertices))
    if found == "mm":
        return 1.0, f"millimetres in the file ({why})"
    return factor, f"{spoken(found)} in the file ({why}), converted to millimetres"


def _require_size(path: Path | str, extent: float, documented: str, by_size: str | None) -> None:
    """Refuse a face that the unit of its format makes far too small or large."""
    size = extent * millimetres(documented)
    low, high = _FACE_MM
    if low / _SIZED_BY_FORMAT < size < high * _SIZED_BY_FORMAT or size <= 0:
        return
    likely = 10.0 ** round(np.log10(_USUAL_MM / size))
    way = f"say its unit (--unit {by_size or format(_USUAL_MM / extent, '.3g')})"
    raise FileFormatError(
        f"{path}: in {spoken(documented)}, as this format is, its face is {size:.3g} mm across; "
        f"expected {low:g} to {high:g}. Someone scaled it, by about {1 / likely:.0e}: {way}, or "
        "take the original file."
    )


def looks_reversed(vertices: FloatArray, faces: IndexArray) -> bool | None:
    """Say whether the front of a face shows the inside of its triangles; None: it cannot tell.

    The triangles in the front of a face (the 30 % of largest z) look at the viewer, whatever the
    rest of the head does: the sum of their area normals must point along +z.
    """
    cross = face_cross_products(vertices, faces)[:, 2]
    depth = vertices[faces].mean(axis=1)[:, 2]
    front = depth >= np.quantile(depth, 1.0 - _FRONT_SHARE)
    total, size = cross[front].sum(), np.abs(cross[front]).sum()
    return bool(total < 0) if abs(total) > _UNDECIDED * size else None


def facing_out(vertices: FloatArray, faces: IndexArray) -> tuple[IndexArray, str]:
    """Return triangles counter-clockwise from outside, and what was done."""
    answer = looks_reversed(vertices, faces)
    if answer is None:
        return faces, "as in the file: the front of this surface does not tell inside from outside"
    if answer:
        return faces[:, [0, 2, 1]], "reversed: the file's triangles were clockwise from outside"
    return faces, "counter-clockwise from outside, as in the file"
