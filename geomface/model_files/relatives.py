"""Files that look like a known face model and are another format: their names, and the way."""

from collections.abc import Collection
from pathlib import Path

from geomface.errors import FileFormatError


def refuse_relative(path: Path | str, names: Collection[str]) -> None:
    """Raise FileFormatError if the variables of a file are those of a known relative."""
    if {"meanshape", "idBase", "exBase"} <= set(names):
        raise FileFormatError(
            f"{path}: this is BFM_model_front.mat, the cut of the Basel Face Model 2009 with "
            "expressions of FaceWarehouse that Deep3DFaceRecon makes. It is not read. Convert what "
            "it was made of, 01_MorphableModel.mat: --source bfm2009."
        )
    if set(names) == {"model"}:
        raise FileFormatError(
            f"{path}: this is BFM.mat of face3d, which puts the Basel Face Model 2009 into one "
            "structure 'model'. It is not read. Convert 01_MorphableModel.mat, or save the fields "
            "of the structure as variables of their own: save('out.mat', '-struct', 'model')."
        )


def refuse_scalismo_json(path: Path | str, head: bytes) -> None:
    """Raise FileFormatError if a file is a statismo model that scalismo wrote as JSON."""
    if head.lstrip().startswith(b"{") and str(path).endswith((".h5.json", ".json")):
        raise FileFormatError(
            f"{path}: this is JSON, as scalismo writes statismo models (.h5.json). It is not read. "
            "Write the model as HDF5 with scalismo: "
            'StatisticalModelIO.writeStatisticalTriangleMeshModel3D(model, new File("model.h5")).'
        )
