"""The Large Scale Facial Model (LSFM), a MATLAB file."""

from pathlib import Path

import numpy as np

from geomface.files.reading import as_doubles
from geomface.model_files.conversion import Conversion
from geomface.model_files.matlab import read_mat
from geomface.model_files.parts import numbers, refusals, require_fields
from geomface.statistics import MorphableModel

NEEDED = ("mean", "components", "eigenvalues", "trilist")
_EXPECTED = "a MATLAB file of the Large Scale Facial Model"


def read_lsfm(path: Path | str, *, unit: str | None = None) -> MorphableModel:
    """Read an LSFM model.

    Parameters
    ----------
    path : variables mean (3 V), components (3 V, K) of unit columns, eigenvalues (K) variances,
        trilist (F, 3) from 0; optional cumulative_explained_variance, n_training_samples
    unit : of its numbers; the format names none, by default the size of the mean tells

    Raises
    ------
    FileFormatError : no MATLAB file, missing variables, shapes that do not fit.

    Source
    ------
    Booth et al. 2018, Large scale 3D morphable models; the layout from MODELS.md of menpo/lsfm.
    """
    path = Path(path)
    fields = read_mat(path, _EXPECTED)
    require_fields(path, fields, NEEDED, _EXPECTED)
    with refusals(path):
        given = Conversion(
            path, "LSFM (Booth et al. 2018), for research only", fields["mean"], unit=unit
        )
        variances = as_doubles(numbers(path, fields["eigenvalues"], "eigenvalues")).ravel()
        share = np.ravel(fields.get("cumulative_explained_variance", [0.0]))[-1]
        total = given.factor**2 * float(variances.sum() / share) if 0 < share <= 1 else 0.0
        shape = given.shape(
            fields["components"],
            np.sqrt(variances),  # NaN of a negative one, which is refused
            "components",
            "unit columns of components times the square roots of eigenvalues, which are variances",
            sample_count=int(np.ravel(fields.get("n_training_samples", [0]))[0]),
            total_variance=total,
        )
        return given.model(shape, given.faces(fields["trilist"], 0, "trilist"))
