"""A trained model as one small file, and the encoder that lies beside a run's checkpoints."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from geomface.errors import FileFormatError, SettingsError
from geomface.files.tensors import load_tensors, save_tensors
from geomface.gan.factored_geometry.encoder import CodeEncoder
from geomface.gan.factored_geometry.settings import SYSTEM
from geomface.gan.factored_geometry.stored import store_template
from geomface.learning import TrainedModel, save_trained
from geomface.learning.state import fill_module, tensor_array, weights_hash

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel

ENCODER_FILE = "encoder.safetensors"
"""In a run's folder."""
_KIND, _SCHEMA = "factored-geometry-encoder", 1
_LARGEST = 1024
log = logging.getLogger("geomface")


def save_factored(
    path: Path | str,
    model: "FactoredModel",
    *,
    precision: Literal["float32", "float16"] = "float16",
) -> None:
    """Write all that using a model takes into one file: generator, template, codes, encoder.

    Parameters
    ----------
    path : *.safetensors, which `load_factored` reads
    model : of `load_factored`
    precision : of the networks' weights; the template and the codes of the classes keep theirs

    Raises
    ------
    OutputError : the place cannot be written
    """
    stored, _ = store_template(model.template)
    networks: dict[str, dict[str, np.ndarray]] = {
        "generator_ema": _arrays(model.generator),
        "codes": {name: np.asarray(table) for name, table in model.fixed.items()},
        "template": _arrays(stored),
    }
    config: dict[str, Any] = dict(model.config) | {"alpha": model.alpha}
    if model.encoder is not None:
        networks["encoder"] = _arrays(model.encoder)
        config["encoder"] = model.encoder.settings
    trained = TrainedModel(Path(path), model.step, config, {}, {}, networks)
    exact = ("codes", "template")
    save_trained(path, trained, system=SYSTEM, precision=precision, exact=exact)


def save_encoder(run: Path | str, model: "FactoredModel") -> Path:
    """Write the encoder of a model into the folder of its run, and return the file.

    Raises
    ------
    SettingsError : the model has none. OutputError : the place cannot be written
    """
    if model.encoder is None:
        raise SettingsError(f"{model.name}: expected a model with an encoder. Train one first.")
    path = Path(run) / ENCODER_FILE
    config = {"networks": model.encoder.settings, "generator": weights_hash(model.generator)}
    arrays = _arrays(model.encoder)
    save_tensors(path, arrays, kind=_KIND, schema=_SCHEMA, units=None, config=config)
    return path


def read_encoder(run: Path | str, generator: torch.nn.Module) -> CodeEncoder | None:
    """Return the encoder in a run's folder, None if there is none or the generator has moved on.

    Raises
    ------
    FileFormatError : a damaged file, or a folder of its name
    """
    path = Path(run) / ENCODER_FILE
    if not path.exists():
        return None
    arrays, record = load_tensors(path, kind=_KIND, schema=_SCHEMA)
    config = record["config"]
    if not isinstance(config, dict) or not {"generator", "networks"} <= set(config):
        raise FileFormatError(
            f"{path}: expected the sizes of an encoder and its generator, the header is damaged. "
            "Delete the file and train the encoder again (--train-encoder)."
        )
    if config["generator"] != weights_hash(generator):
        log.warning("%s: belongs to another step of the run; train the encoder again.", path)
        return None
    return build_encoder(config["networks"], arrays, str(path))


def build_encoder(settings: Any, arrays: dict[str, np.ndarray], name: str) -> CodeEncoder:
    """Return an encoder of stored sizes and weights, ready for use.

    Raises
    ------
    FileFormatError : sizes that are none. CheckpointError : weights that do not fit them
    """
    sizes = settings if isinstance(settings, dict) else {}
    if set(sizes) != {"size", "latent", "width"} or not all(
        type(value) is int and 0 < value <= _LARGEST for value in sizes.values()
    ):
        raise FileFormatError(
            f"{name}: damaged sizes of the encoder: expected size, latent and width from 1 to "
            f"{_LARGEST}, got {settings!r}."
        )
    with torch.device("meta"):  # takes no memory, however large the sizes
        wanted = sum(tensor.numel() for tensor in CodeEncoder(**sizes).state_dict().values())
    stored = sum(array.size for array in arrays.values())
    if stored != wanted:
        raise FileFormatError(
            f"{name}: damaged encoder: expected {wanted} weights for {settings}, got {stored}."
        )
    encoder = CodeEncoder(**sizes)
    fill_module(encoder, arrays, name)
    return encoder.eval().requires_grad_(False)


def _arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {key: tensor_array(tensor) for key, tensor in module.state_dict().items()}
