"""Thresholds that an evaluation measured, and what two pictures are by them."""

import math
from collections.abc import Mapping
from pathlib import Path

from geomface.errors import FileFormatError, SettingsError
from geomface.files.records import read_json

RECORD = "evaluation.json"
"""What `geomface recognise evaluate` leaves in its folder."""
EQUAL_ERROR = "equal error"
"""Name of the threshold at which both errors are the same; others are named by their rate."""


def threshold_title(name: str) -> str:
    """Return what the threshold of a name is, in words."""
    try:
        rate = float(name)
    except ValueError:
        return name
    return f"{100 * rate:g} % of the pairs of two people accepted"


def read_thresholds(folder: Path | str, *, alignment: str = "") -> dict[str, float]:
    """Return {name: cosine} as `geomface recognise evaluate` measured them.

    Parameters
    ----------
    folder : that it wrote
    alignment : id of the faces that will be compared by them

    Raises
    ------
    FileFormatError : no such record
    SettingsError : it is of faces that were aligned another way
    """
    path = Path(folder) / RECORD
    record = read_json(path, "the record of an evaluation")
    try:
        told = record["verification"]["thresholds"]
        found = {str(name): float(value) for name, value in told.items()}
        aligned = str(record["alignment"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: expected the record of an evaluation, with its thresholds, could not read it "
            f"({error!r}). Write it with 'geomface recognise evaluate'."
        ) from error
    if not found or not all(map(math.isfinite, found.values())):
        raise FileFormatError(f"{path}: expected thresholds that are numbers, got {found}.")
    if alignment and aligned and alignment != aligned:
        raise SettingsError(
            f"{path}: was measured on faces aligned as {aligned}, the embedder wants {alignment}: "
            "its thresholds mean nothing here. Evaluate this embedder."
        )
    return found


def same_by(similarity: float, thresholds: Mapping[str, float]) -> dict[str, bool]:
    """Return {name: whether a cosine lies above the threshold}."""
    return {name: similarity > threshold for name, threshold in thresholds.items()}
