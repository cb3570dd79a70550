"""Face models for whatever draws faces: files of any tool, and trained generators."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.errors import FileFormatError, SettingsError
from geomface.files.records import read_json
from geomface.files.tensors import read_header
from geomface.model_files import load_model

if TYPE_CHECKING:
    from geomface.statistics import MorphableModel

SHIPPED = "shipped"
"""Word for the trained model that ships."""
FACTOR = "expression"
"""What becomes the blendshapes of a stand-in."""
_RUN_FILE = "run.json"
_TRAINED = ("training-checkpoint", "trained-model")


def load_face_model(path: Path | str | None) -> "MorphableModel":
    """Read a face model: a file of any source, or a trained factored geometry GAN.

    Of a GAN the linear stand-in is made, see `as_morphable`; it is the same in every process.

    Parameters
    ----------
    path : what `load_model` reads; or a run, a checkpoint or a model file of a
        `factored_geometry` training; or "shipped" for that which ships. None is the built-in face

    Raises
    ------
    FileFormatError : missing, damaged, or of another kind
    CheckpointError : a training of another system
    SettingsError : a GAN without an expression to make blendshapes of
    """
    if path is not None and str(path) == SHIPPED and not Path(path).exists():
        return _stand_in(None)
    if path is None or not is_trained(path):
        return load_model(path)
    return _stand_in(Path(path).resolve())


def model_source(path: Path | None) -> Path | str | None:
    """Return a face model as `load_face_model` takes it on any machine: the word is no path."""
    word = path is not None and str(path) == SHIPPED and not path.exists()
    return SHIPPED if word else path


def is_trained(path: Path | str) -> bool:
    """Say whether a path is a training run, a checkpoint or the model file of a training."""
    path = Path(path)
    try:
        if path.is_dir():
            record = read_json(path / _RUN_FILE, "the record of a run")
            return isinstance(record, dict) and "system" in record
        return path.suffix == ".safetensors" and read_header(path)["kind"] in _TRAINED
    except FileFormatError:
        return False  # the reader of face models says what is wrong with it


@functools.lru_cache(maxsize=2)
def _stand_in(path: Path | None) -> "MorphableModel":
    from geomface.gan.factored_geometry.linear import as_morphable
    from geomface.gan.factored_geometry.model import load_factored

    model = load_factored(path)
    names = [factor.name for factor in model.spec.factors]
    if FACTOR not in names:
        raise SettingsError(
            f"{model.name}: expected a run with the factor {FACTOR!r} to make blendshapes of, got "
            f"{', '.join(names)}. In Python, as_morphable makes a model of another factor, and "
            "save_model writes it."
        )
    return as_morphable(model)
