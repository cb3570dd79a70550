"""Units of length: what was said, what the size tells, what landmarks and template tell."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import FloatArray
from geomface.errors import GeomfaceError, MeshError

if TYPE_CHECKING:
    from geomface.mesh.landmarks import Landmarks
    from geomface.mesh.mesh import Mesh

MILLIMETRES = {"um": 1e-3, "mm": 1.0, "cm": 10.0, "inch": 25.4, "m": 1000.0}
"""Millimetres in one of each unit; "um" is the micrometre."""
UNITS = tuple(MILLIMETRES)

_NAMES = {
    "um": "micrometres",
    "mm": "millimetres",
    "cm": "centimetres",
    "inch": "inches",
    "m": "metres",
}
_WHO = {"said": "said", "file": "its file says", "landmarks": "its landmarks say"}
_FACE_TO_BUST = (220.0, 560.0)
# Partial faces and busts are still scans of a head: how far around it millimetres are believed.
_LOOSER = (0.6, 2.5)
_HEAD_MM = 350.0
# What was said is doubted beyond this factor: no person is so much larger than another.
_CONTRADICTION = 3.0
# Sizes of scans differ by much already: beyond them there is less to allow for.
_BEYOND_SIZES = 1.5
# Half of the way (as a factor) from inches to centimetres, the two units that are nearest.
_NEAR = 1.6
# Landmarks of a scan lie on it: their median distance to it as a share of their extent.
_ON_SURFACE = 0.1
_MANY = 20_000


@dataclasses.dataclass(frozen=True)
class UnitFinding:
    """The unit that a mesh is in.

    Parameters
    ----------
    unit : a name of `MILLIMETRES`, or such as "118.3mm"
    factor : millimetres in one of it
    notes : a sentence when it is not plainly millimetres
    """

    unit: str
    factor: float
    notes: tuple[str, ...] = ()


def canonical_unit(
    unit: object, label: str = "unit", error: type[GeomfaceError] = MeshError
) -> str:
    """Return a unit as it is written: one of `UNITS`, or millimetres in one such as "118.3mm".

    Parameters
    ----------
    unit : a name, or a positive number (also as text, with or without "mm" behind it)
    label, error : for the message
    """
    if unit in UNITS:
        return str(unit)
    number = np.nan
    if isinstance(unit, str | int | float) and not isinstance(unit, bool):
        try:
            number = float(str(unit).removesuffix("mm"))
        except ValueError:
            pass
    if not (np.isfinite(number) and number > 0):
        raise error(
            f"{label} must be one of {', '.join(UNITS)}, or the millimetres in one as a positive "
            f"number, got {str(unit)[:60]!r}."
        )
    return next((name for name, size in MILLIMETRES.items() if size == number), f"{number!r}mm")


def millimetres(unit: str) -> float:
    """Return the millimetres in one unit, a name or such as "118.3mm"."""
    return MILLIMETRES.get(unit) or float(unit.removesuffix("mm"))


def spoken(unit: str) -> str:
    """Return a unit in words: metres, or units of 118.3 mm."""
    return _NAMES.get(unit, f"units of {millimetres(unit):.4g} mm")


def in_millimetres(mesh: "Mesh", factor: float | None = None) -> "Mesh":
    """Return a mesh in millimetres; `factor` replaces that of its own unit."""
    factor = millimetres(mesh.unit) if factor is None else factor
    if factor == 1.0:
        return mesh if mesh.unit == "mm" else mesh.replace(unit="mm")
    return mesh.replace(vertices=mesh.vertices * factor, unit="mm")


def scan_unit(
    mesh: "Mesh", largest: FloatArray | None = None, scale_to_template: float | None = None
) -> UnitFinding:
    """Return the unit that a scan is in.

    What the caller said holds, what its file says unless it is off by a factor of 3; where nobody
    said anything, its landmarks on the template decide, else its size.

    Parameters
    ----------
    mesh : the scan
    largest : (n, 3) vertices of its largest part, default all
    scale_to_template : scale of the similarity that takes the scan's landmarks to those of a
        template in millimetres; people differ less than units do
    """
    points = mesh.vertices if largest is None else largest
    size = float(np.linalg.norm(np.ptp(points, axis=0)))
    guess = _by_size(size) if scale_to_template is None else _by_scale(scale_to_template)
    if mesh.unit_source == "assumed":
        return guess
    said, who = millimetres(mesh.unit), _WHO[mesh.unit_source or "said"]
    if scale_to_template is None:
        low, high = _FACE_TO_BUST[0] * _LOOSER[0], _FACE_TO_BUST[1] * _LOOSER[1]
        off, most = size * said / np.clip(size * said, low, high), _BEYOND_SIZES
    else:
        off, most = said / scale_to_template, _CONTRADICTION
    if 1 / most < off < most:
        words = f"in {spoken(mesh.unit)}, as {who}: multiplied by {said:g}."
        notes = () if mesh.unit == "mm" else (words,)
        return UnitFinding(mesh.unit, said, notes)
    sized = f"{off:.3g} times" if off > 1 else f"1/{1 / max(off, 1e-300):.3g}"
    doubt = f"in {spoken(mesh.unit)} its face would be {sized} of a person's"
    if mesh.unit_source == "said" or guess.unit == mesh.unit:
        return UnitFinding(
            mesh.unit, said, (f"{doubt}: taken as said. Leave the unit out to have it found.",)
        )
    return dataclasses.replace(
        guess,
        notes=(f"{who} {mesh.unit}, but {doubt}: not believed.", *guess.notes),
    )


def _by_scale(scale: float) -> UnitFinding:
    """Take millimetres, else the unit near `scale`, else `scale` itself."""
    if 1 / _CONTRADICTION < scale < _CONTRADICTION:
        return UnitFinding("mm", 1.0)
    unit = min(UNITS, key=lambda name: abs(np.log(MILLIMETRES[name] / scale)))
    factor = MILLIMETRES[unit]
    if 1 / _NEAR < factor / scale < _NEAR:
        note = f"its landmarks are those of a face in {_NAMES[unit]}: multiplied by {factor:g}."
        return UnitFinding(unit, factor, (note,))
    return UnitFinding(
        canonical_unit(scale),
        scale,
        (
            f"its landmarks are those of a face in no known unit: taken to be as large as the "
            f"template, one unit {scale:.4g} mm. Say --unit to have true millimetres.",
        ),
    )


def landmark_unit(landmarks: "Landmarks", scale: float) -> UnitFinding:
    """Return the unit of landmarks without a scan: as they say, unless it is off by a factor of 3.

    Parameters
    ----------
    scale : millimetres in one of their units by which they would be as large as a template's
    """
    said = millimetres(landmarks.unit)
    if 1 / _CONTRADICTION < said / scale < _CONTRADICTION:
        return UnitFinding(landmarks.unit, said)
    found = _by_scale(scale)
    return dataclasses.replace(
        found,
        notes=(
            f"{landmarks.name}: in {spoken(landmarks.unit)} their face would be "
            f"{said / scale:.3g} times as large as the model's: taken for one in "
            f"{spoken(found.unit)}.",
        ),
    )


def _by_size(size: float) -> UnitFinding:
    """Take millimetres, else the one unit that makes a head, else that of an ordinary head."""
    low, high = _FACE_TO_BUST
    if low * _LOOSER[0] <= size <= high * _LOOSER[1]:
        return UnitFinding("mm", 1.0)
    for unit, factor in MILLIMETRES.items():
        if low <= size * factor <= high:
            note = (
                f"{size:.4g} units across is no face in millimetres but one in {_NAMES[unit]}: "
                f"multiplied by {factor:g}."
            )
            return UnitFinding(unit, factor, (note,))
    scale = _HEAD_MM / size if size > 0 else 1.0
    return UnitFinding(
        canonical_unit(scale),
        scale,
        (
            f"{size:.4g} units across is a head in no known unit ({', '.join(UNITS)}): taken for "
            f"one of {_HEAD_MM:g} mm, one unit {scale:.4g} mm. Say --unit, or give landmarks.",
        ),
    )


def template_factor(mesh: "Mesh") -> float:
    """Return the millimetres in one unit of a template: as said, else as its size tells."""
    if mesh.unit_source != "assumed":
        return millimetres(mesh.unit)
    guess = _by_size(mesh.diagonal)
    return guess.factor if guess.unit in MILLIMETRES else 1.0


def registered_unit(mesh: "Mesh", reference: FloatArray) -> UnitFinding:
    """Return the unit of a mesh whose template, and so whose size, is known.

    What is said or assumed holds while its size is within a factor of 3; else the unit near the
    right size.

    Parameters
    ----------
    mesh : registered to a template
    reference : (V, 3) vertices of the template, mm

    Raises
    ------
    MeshError : no unit gives about the size of the template.
    """
    size, expected = typical_size(mesh.vertices), typical_size(reference)
    said = millimetres(mesh.unit)
    if expected <= 0 or 1 / _CONTRADICTION < said * size / expected < _CONTRADICTION:
        return UnitFinding(mesh.unit, said)
    if size <= 0:
        raise MeshError(f"{mesh.name}: its vertices lie at one place, which fits no unit.")
    wanted = expected / size
    unit = min(UNITS, key=lambda name: abs(np.log(MILLIMETRES[name] / wanted)))
    off = f"{said / wanted:.3g} times as large as the template"
    if mesh.unit_source == "said":
        raise MeshError(
            f"{mesh.name}: in {spoken(mesh.unit)}, as was said, it is {off}. Say another unit."
        )
    if not 1 / _NEAR < MILLIMETRES[unit] / wanted < _NEAR:
        raise MeshError(
            f"{mesh.name}: in {spoken(mesh.unit)} it is {off}, and it fits no unit of "
            f"{', '.join(UNITS)}. Say its unit, or multiply it by {wanted:.4g}."
        )
    who = "its file says" if mesh.unit_source == "file" else "it was taken for"
    return UnitFinding(
        unit,
        MILLIMETRES[unit],
        (
            f"{mesh.name}: {who} {mesh.unit}, but its size is that of a face in {_NAMES[unit]}: "
            f"multiplied by {MILLIMETRES[unit]:g}.",
        ),
    )


def typical_size(points: FloatArray) -> float:
    """Return the median distance from the median point: a few vertices far off change nothing."""
    return float(np.median(np.linalg.norm(points - np.median(points, axis=0), axis=1)))


def factor_onto(points: FloatArray, vertices: FloatArray, likely: float = 1.0) -> float | None:
    """Return the factor with which points lie on a surface, None when they do with none.

    Parameters
    ----------
    points : (n, 3), in some unit
    vertices : (V, 3) of the surface, in another
    likely : what the two units say; it is taken if it fits, then 1, then the ratios of all units
    """
    tree = KDTree(vertices[:: 1 + len(vertices) // _MANY])
    ratios = {b / a for a in MILLIMETRES.values() for b in MILLIMETRES.values()}
    found = {}
    for factor in (likely, 1.0, *sorted(ratios)):
        placed = points * factor
        extent = float(np.linalg.norm(np.ptp(placed, axis=0)))
        found[factor] = float(np.median(tree.query(placed)[0])) / max(extent, 1e-300)
        if factor in (likely, 1.0) and found[factor] < _ON_SURFACE:
            return factor
    best = min(found, key=found.__getitem__)
    return best if found[best] < _ON_SURFACE else None


def landmarks_onto(
    landmarks: "Landmarks", scan: "Mesh"
) -> tuple["Landmarks", "Mesh", tuple[str, ...]]:
    """Bring landmarks to the numbers of their scan; say so when these differ.

    Both may say a unit, and either may be wrong: landmarks lie on the surface in one of them only.

    Returns
    -------
    landmarks : in the numbers of the scan; as they were if they lie on it in no unit
    scan : with the unit that only its landmarks say, if it says none itself
    notes : one sentence, or none
    """
    points = landmarks.points[landmarks.present]
    size = millimetres(landmarks.unit)
    likely = size / millimetres(scan.unit)
    factor = factor_onto(points, scan.vertices, likely) if len(points) >= 4 else None
    if factor is None:
        return landmarks, scan, ()
    if scan.unit_source == "assumed" and (landmarks.unit != "mm" or factor != 1.0):
        unit = canonical_unit(size / factor)
        scan = scan.replace(unit=unit, unit_source="landmarks")
    if factor == 1.0:
        return landmarks, scan, ()
    placed = dataclasses.replace(landmarks, points=landmarks.points * factor, unit=scan.unit)
    note = (
        f"{landmarks.name} is in {spoken(landmarks.unit)}, the scan in {spoken(scan.unit)}: its "
        f"points were multiplied by {factor:g}."
    )
    return placed, scan, (note,)
