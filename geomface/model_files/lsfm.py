"""The Large Scale Facial Model (LSFM), a MATLAB file."""

from pathlib import Path

import numpy as np

from geomface.files.reading import as_doubles
from geomface.mesh import Mesh, Template
from geomface.model_files.matlab import read_mat
from geomface.model_files.parts import (
    AXES,
    Card,
    columns,
    facing_out,
    numbers,
    points,
    refusals,
    require_fields,
    triangles,
    unit_factor,
)
from geomface.statistics import LinearModel, MorphableModel, without_empty

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
        mean = points(path, fields["mean"], "mean")
        factor, said = unit_factor(path, mean, unit)
        variances = as_doubles(numbers(path, fields["eigenvalues"], "eigenvalues")).ravel()
        sigma = factor * np.sqrt(variances)  # NaN of a negative one, which `columns` refuses
        basis = columns(path, fields["components"], sigma, len(mean), "components")
        basis, _, gone = without_empty(basis)
        mean = factor * mean
        faces = triangles(path, fields["trilist"], len(mean), base=0, label="trilist")
        faces, winding = facing_out(mean, faces)
        share = np.ravel(fields.get("cumulative_explained_variance", [0.0]))[-1]
        total = factor**2 * float(variances.sum() / share) if 0 < share <= 1 else 0.0
        card: Card = {
            "source": "LSFM (Booth et al. 2018), for research only",
            "unit": said,
            "modes": "unit columns of components times the square roots of eigenvalues, which are "
            "variances",
            "indices": "triangles counted from 0 in the file",
            "winding": winding,
            "axes": AXES,
        }
        if gone:
            card["left_out"] = gone
        shape = LinearModel(
            mean,
            basis,
            sample_count=int(np.ravel(fields.get("n_training_samples", [0]))[0]),
            total_variance=total,
        )
        template = Template(Mesh(mean, faces, name=path.stem))
        return MorphableModel(template, shape, name=path.stem, card=card)
