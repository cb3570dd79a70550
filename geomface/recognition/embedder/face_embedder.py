"""An embedder of faces in photographs: a network, how its faces are aligned, and its file."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import FileFormatError, SettingsError
from geomface.files.settings import settings_from_json
from geomface.recognition.alignment.reference import Alignment, alignment_of
from geomface.recognition.alignment.warp import align_face
from geomface.recognition.embedder.whitening import Whitening
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import EmbedderNetwork, NetworkSettings

KIND = "face-embedder"
SCHEMA = 1
_REPLACED = "identity-embedder"
"""Kind of the network of rendered faces that this one took the place of."""
ASSET = "recognition/embedder.safetensors"
_BATCH = 64
_MEAN, _MATRIX = "whitening/mean", "whitening/matrix"
_REMEDY = "Train it again, or copy the file anew."


@dataclasses.dataclass(frozen=True, eq=False)
class FaceEmbedder:
    """A trained network with all that its use needs.

    Parameters
    ----------
    network : in evaluation mode
    alignment : of the faces that it was trained on
    thresholds : cosines from which two pictures count as of one person, by the protocol that they
        were measured with
    card : what it was trained and measured on, as JSON holds it
    whitening : what the network's descriptors go through, if anything

    Raises
    ------
    SettingsError : sizes of network, alignment or whitening differ, or a threshold is no cosine
    """

    network: EmbedderNetwork
    alignment: Alignment
    thresholds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    card: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    whitening: Whitening | None = None

    def __post_init__(self) -> None:
        size = (self.alignment.height, self.alignment.width)
        if size != self.network.picture:
            height, width = self.network.picture
            raise SettingsError(
                f"face embedder: expected an alignment of {height}x{width}, as the network has it, "
                f"got {self.alignment.id}."
            )
        if self.whitening is not None and len(self.whitening.mean) != self.network.descriptor_size:
            raise SettingsError(
                f"face embedder: expected a whitening of {self.network.descriptor_size} numbers, "
                f"as the network gives them, got {len(self.whitening.mean)}."
            )
        for name, value in self.thresholds.items():
            if not (isinstance(value, int | float) and math.isfinite(value) and abs(value) <= 1):
                raise SettingsError(
                    f"face embedder: expected a cosine as the threshold of {name}, got {value!r}."
                )

    def embed(self, aligned: ImageArray) -> FloatArray:
        """Return the descriptors of aligned faces.

        Parameters
        ----------
        aligned : (N, height, width, 3) float32 in [0, 1], as `align_face` returns them

        Returns
        -------
        (N, D) float64 of length 1; compare them by their scalar products

        Raises
        ------
        SettingsError : another shape, values beyond [0, 1], NaN; weights that give no descriptor
        """
        height, width = self.network.picture
        images = require_shape(aligned, (None, height, width, 3), "aligned faces", SettingsError)
        weight = next(self.network.parameters())
        found = np.empty((len(images), self.network.descriptor_size))
        training = self.network.training
        self.network.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(images), _BATCH):
                    part = torch.from_numpy(_checked(images[start : start + _BATCH]))
                    pictures = (2.0 * part - 1.0).permute(0, 3, 1, 2).to(weight)
                    seen = self.network(pictures)
                    found[start : start + _BATCH] = seen.double().cpu().numpy()
        finally:
            self.network.train(training)
        # Rows of length 1 in single precision are so to seven digits only.
        with np.errstate(invalid="ignore", over="ignore"):
            found = found / np.linalg.norm(found, axis=1, keepdims=True)
            found = found if self.whitening is None else self.whitening.apply(found)
        if not (np.isfinite(found).all() and found.any(axis=1).all()):
            raise SettingsError(
                "face embedder: expected a descriptor of each face, got zeros, NaN or infinity: "
                f"its weights tell nothing. {_REMEDY}"
            )
        return found

    def embed_photograph(
        self, image: ImageArray, landmarks: FloatArray | None = None
    ) -> FloatArray:
        """Return the descriptor of the face that a photograph is of, see `main_face`.

        Parameters
        ----------
        image : (H, W), (H, W, 1) or (H, W, 3), floats in [0, 1] or uint8
        landmarks : (68, 2) pixels where they are known; None finds them

        Returns
        -------
        (D,) float64 of length 1

        Raises
        ------
        LandmarkError : no picture, or no face in it
        """
        if landmarks is None:
            landmarks = landmarks_of(image)
        return self.embed(align_face(image, landmarks, self.alignment)[None])[0]


def save_embedder(path: Path | str, embedder: FaceEmbedder) -> None:
    """Write an embedder (kind "face-embedder"); its kernels are rounded to half precision.

    Raises
    ------
    OutputError : the place cannot be written
    """
    from geomface.files.tensors import save_tensors
    from geomface.learning.network_arrays import network_arrays

    config = {
        "network": embedder.network.settings,
        "alignment": embedder.alignment.id,
        "thresholds": dict(embedder.thresholds),
        "card": dict(embedder.card),
    }
    arrays = network_arrays(embedder.network)
    if embedder.whitening is not None:
        arrays[_MEAN] = embedder.whitening.mean.astype(np.float32)
        arrays[_MATRIX] = embedder.whitening.matrix.astype(np.float32)
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=config)


def load_embedder(path: Path | str | None = None) -> FaceEmbedder:
    """Read an embedder of faces; without a path, the one that ships with geomface.

    Raises
    ------
    FileFormatError : missing or damaged, not an embedder, weights of another network, or an
        identity embedder of rendered frontal faces, which earlier versions had

    Example
    -------
    >>> import geomface as gf
    >>> from geomface.recognition import FaceEmbedder, alignment_of, build_network
    >>> from geomface.recognition import default_network, load_embedder, save_embedder
    >>> network = build_network(default_network("compact"))  # of a training, more often
    >>> save_embedder("e.safetensors", FaceEmbedder(network, alignment_of("56x48")))
    >>> embedder = load_embedder("e.safetensors")
    >>> picture = gf.FaceSampler(gf.FaceImageSettings(size=128)).batch([(0, 0)])
    >>> image, points = picture.images["rgb"][0], picture.landmarks[0]
    >>> embedder.embed_photograph(image, points).shape
    (128,)
    """
    from geomface.files.assets import asset_path
    from geomface.files.tensors import load_tensors, read_header
    from geomface.learning import network_arrays

    path = asset_path(ASSET) if path is None else path
    if read_header(path)["kind"] == _REPLACED:
        raise FileFormatError(
            f"{path}: expected an embedder of aligned faces, got one of frontal renders, which "
            "geomface no longer reads. Train one by 'geomface recognise train', or name none for "
            "the one that ships."
        )
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    config = header["config"] if isinstance(header["config"], dict) else {}
    try:
        settings = settings_from_json(NetworkSettings, config.get("network"), "network")
        alignment = alignment_of(str(config.get("alignment")))
        thresholds, card = config.get("thresholds", {}), config.get("card", {})
        if not isinstance(thresholds, dict) or not isinstance(card, dict):
            raise FileFormatError("expected thresholds and card by name")
        whitening = _whitening_of(arrays)
        network = network_arrays.build_network(
            lambda: build_network(settings), arrays, path=path, remedy=_REMEDY
        )
        network.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore
        return FaceEmbedder(network, alignment, thresholds, card, whitening)
    except SettingsError as error:
        raise FileFormatError(f"{path}: not a face embedder of use here: {error}") from error
    except FileFormatError as error:
        if str(path) in str(error):
            raise
        raise FileFormatError(f"{path}: not a face embedder of use here: {error}") from error


def _whitening_of(arrays: dict[str, np.ndarray]) -> Whitening | None:
    """Take the arrays of a whitening out of those of a file."""
    found = [arrays.pop(name) for name in (_MEAN, _MATRIX) if name in arrays]
    if not found:
        return None
    if len(found) == 1:
        raise FileFormatError(f"expected both {_MEAN} and {_MATRIX}, got one of them. {_REMEDY}")
    return Whitening(*(np.asarray(array, np.float64) for array in found))


def landmarks_of(image: ImageArray) -> FloatArray:
    """Return the (68, 2) landmarks of the face that a photograph is of, found by the detector."""
    from geomface.recognition.aligned.read_face import detector, main_face

    return main_face(detector().detect(image)).points


def _checked(images: np.ndarray) -> ImageArray:
    low, high = float(images.min()), float(images.max())
    if not (low >= -1e-4 and high <= 1.0 + 1e-4):
        raise SettingsError(
            f"aligned faces: expected values in [0, 1], got {low:g} to {high:g}. Divide 8-bit "
            "values by 255."
        )
    return np.ascontiguousarray(images, np.float32)
