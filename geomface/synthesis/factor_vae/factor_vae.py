"""VAEs of the factors for use: codes to coefficients, in a file that says on what it was fitted."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, require_shape
from geomface.errors import FileFormatError, SettingsError
from geomface.files.reading import read_bytes, taking_apart
from geomface.files.tensors import load_tensors, save_tensors
from geomface.learning.fingerprint import content_hash
from geomface.synthesis.factor_vae.settings import FACTORS

KIND, SCHEMA = "factor-vae", 1
LAYERS = 4
"""Of a decoder: three hidden ones and the last."""


@dataclasses.dataclass(frozen=True, eq=False)
class FactorDecoder:
    """Draws the coefficients of one factor.

    x = mean + scale (d(z) + gamma e),  z, e ~ N(0, I)

    Parameters
    ----------
    mean, scale : (D,) float64; a scale of 0 is a number that never differed, drawn as it was
    gamma : standard deviation of what the decoder leaves to chance, in units of `scale`
    layers : weights (outputs, inputs) and biases (outputs,) float32 of the decoder, with ReLU
        between them; its outputs are the numbers whose scale is not 0. Empty if there are none

    Source
    ------
    Kingma and Welling 2014; the one gamma for all numbers: Dai and Wipf 2019, and DiscoFaceGAN,
    which leaves out gamma e: what is drawn then varies less than the population.
    """

    mean: FloatArray
    scale: FloatArray
    gamma: float
    layers: tuple[tuple[FloatArray, FloatArray], ...]

    @property
    def size(self) -> int:
        """How many coefficients are drawn."""
        return len(self.mean)

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """Draw (D,) float64 coefficients."""
        drawn = self.mean.copy()
        if self.layers:
            varied = self.scale > 0
            code = rng.standard_normal(self.layers[0][0].shape[1])
            noise = self.gamma * rng.standard_normal(int(varied.sum()))
            drawn[varied] += self.scale[varied] * (self.decode(code) + noise)
        return drawn

    def decode(self, code: FloatArray) -> FloatArray:
        """Return what the decoder makes of a code (Z,), in units of `scale` about the mean."""
        values = np.asarray(code, np.float64)
        for number, (weights, biases) in enumerate(self.layers, 1):
            # Element by element: a matrix product's last bits are the library's choice.
            values = np.einsum("oi,i->o", weights.astype(np.float64), values) + biases
            if number < len(self.layers):
                values = np.maximum(values, 0.0)
        return values


@dataclasses.dataclass(frozen=True, eq=False)
class FactorVaes:
    """VAEs of some of the factors, and on what they were fitted.

    Parameters
    ----------
    decoders : by factor, one of `FACTORS`
    topology_id : of the face model whose identity and expression these are, None if not known
    card : on what they were fitted, with which settings, and what they are worth

    Example
    -------
    >>> import numpy as np
    >>> from geomface.synthesis import FactorVaeSettings, VaeSize, fit_factor_vaes
    >>> poses = np.random.default_rng(0).normal(0, 20, (100, 3))
    >>> settings = FactorVaeSettings(pose=VaeSize(3, 8), epochs=5)
    >>> vaes = fit_factor_vaes({"pose": poses}, settings)
    >>> vaes.draw("pose", np.random.default_rng(1)).shape
    (3,)
    """

    decoders: Mapping[str, FactorDecoder]
    topology_id: str | None = None
    card: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def draw(self, factor: str, rng: np.random.Generator) -> FloatArray:
        """Draw the (D,) float64 coefficients of a factor; light is (27,), nine by three.

        Raises
        ------
        SettingsError : a factor that none is of
        """
        return self.decoder(factor).draw(rng)

    def decoder(self, factor: str) -> FactorDecoder:
        """Return the decoder of a factor.

        Raises
        ------
        SettingsError : a factor that none is of
        """
        if factor not in self.decoders:
            raise SettingsError(
                f"vae: expected one of {factor}, got those of {', '.join(self.decoders)}. Fit one "
                f"to a folder with {factor}.npy."
            )
        return self.decoders[factor]


def save_factor_vaes(path: Path | str, vaes: FactorVaes) -> None:
    """Write VAEs with their card, bit for bit.

    Raises
    ------
    OutputError : the place cannot be written
    """
    arrays: dict[str, np.ndarray] = {}
    for factor, decoder in vaes.decoders.items():
        arrays[f"{factor}/mean"], arrays[f"{factor}/scale"] = decoder.mean, decoder.scale
        arrays[f"{factor}/gamma"] = np.array(decoder.gamma, np.float64)
        for number, (weights, biases) in enumerate(decoder.layers):
            arrays[f"{factor}/decoder/{number}/weights"] = weights
            arrays[f"{factor}/decoder/{number}/biases"] = biases
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=vaes.topology_id,
        units=None,
        config={**vaes.card, "hash": _hash(arrays)},
    )


def load_factor_vaes(path: Path | str) -> FactorVaes:
    """Read the VAEs of a file of `geomface synth vae`.

    Raises
    ------
    FileFormatError : missing, damaged, or of another kind
    """
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    card = header["config"]
    if not isinstance(card, dict):
        raise FileFormatError(f"{path}: expected VAEs with their card, got none. Copy it again.")
    if card.pop("hash", None) != _hash(arrays):
        raise FileFormatError(f"{path}: the weights are damaged. Copy or fit it again.")
    factors = [factor for factor in FACTORS if f"{factor}/mean" in arrays]
    with taking_apart(path, "VAEs of factors"):
        decoders = {factor: _decoder(arrays, factor) for factor in factors}
    return FactorVaes(decoders, header["topology_id"], card)


def vae_digest(path: Path | str) -> str:
    """Return the hash of a file of VAEs, by which a set knows what it was drawn from.

    Raises
    ------
    FileFormatError : missing, damaged, or of another kind
    """
    load_factor_vaes(path)
    return content_hash(read_bytes(path, "VAEs of factors"))


@functools.lru_cache(maxsize=8)
def kept_factor_vaes(path: str, digest: str) -> FactorVaes:
    """Return the VAEs of a file, which a process reads once.

    Raises
    ------
    FileFormatError : missing, damaged, or no longer those of the digest
    """
    vaes = load_factor_vaes(path)
    if vae_digest(path) != digest:
        raise FileFormatError(
            f"{path}: expected the VAEs that the set was begun with, got others. Put that file "
            "back, or draw another set."
        )
    return vaes


def _decoder(arrays: Mapping[str, np.ndarray], factor: str) -> FactorDecoder:
    layers = [
        tuple(arrays[f"{factor}/decoder/{number}/{name}"] for name in ("weights", "biases"))
        for number in range(LAYERS)
        if f"{factor}/decoder/{number}/weights" in arrays
    ]
    mean, scale = arrays[f"{factor}/mean"], arrays[f"{factor}/scale"]
    widths = [layers[0][0].shape[-1]] if layers else []
    for weights, biases in layers:
        require_shape(weights, (None, widths[-1]), "weights")
        widths.append(len(require_shape(biases, (len(weights),), "biases")))
    require_shape(scale, require_shape(mean, (None,), "mean").shape, "scale")
    if layers and widths[-1] != np.count_nonzero(scale > 0):
        raise ValueError(f"{widths[-1]} outputs for {np.count_nonzero(scale > 0)} numbers")
    return FactorDecoder(mean, scale, float(arrays[f"{factor}/gamma"]), tuple(layers))  # type: ignore[arg-type]


def _hash(arrays: Mapping[str, np.ndarray]) -> str:
    parts = (part for key in sorted(arrays) for part in (key.encode(), arrays[key].tobytes()))
    return content_hash(*parts)
