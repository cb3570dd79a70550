"""The embedder that a training ends with."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomface.errors import FileFormatError, SettingsError
from geomface.files.settings import settings_from_json
from geomface.learning import load_trained
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.aligned.class_labels import PARTS
from geomface.recognition.alignment.reference import alignment_of
from geomface.recognition.embedder.face_embedder import FaceEmbedder
from geomface.recognition.embedder.whitening import Whitening, fit_whitening
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.training.statistics import ENOUGH, adapt_statistics
from geomface.recognition.training.task import SYSTEM

if TYPE_CHECKING:
    from geomface.recognition.protocols.verification import VerificationReport

_CHUNK = 512
_WHITENED = 4000
"""Pictures of each set that the whitening is fitted on: a few thousand tell as much as all."""


def trained_embedder(
    run: Path | str,
    held_out: AlignedFaces | None = None,
    card: Mapping[str, Any] | None = None,
    *,
    photographs: AlignedFaces | None = None,
    whiten_by: Sequence[AlignedFaces] = (),
) -> FaceEmbedder:
    """Return the embedder of a run's newest checkpoint, or of one checkpoint.

    Parameters
    ----------
    run : run directory or checkpoint
    whiten_by : sets that it was trained on, on the first 4,000 pictures of each of which the
        whitening of its descriptors is fitted (of joined sets those of the first); none: they stay
        as the network gives them
    photographs : real pictures that it was trained on beside synthetic ones, whose statistics its
        normalisations get (`adapt_statistics`); None, or fewer than `ENOUGH`: they keep those of
        the training, in which blends or renders outweigh what it will be used on
    held_out : people on whom the threshold at the equal error is measured; None: no threshold
    card : what to say of it in its file, beside its steps

    Raises
    ------
    FileFormatError : missing or damaged
    CheckpointError : of another system
    """
    model = load_trained(run, system=SYSTEM)
    try:
        settings = settings_from_json(NetworkSettings, model.config["network"], "network")
        alignment = alignment_of(str(model.config["alignment"]))
    except (SettingsError, KeyError, TypeError) as error:
        raise FileFormatError(f"{model.path}: not an embedder of use here: {error}") from error
    network = build_network(settings)
    model.fill("embedder", network)
    card = {**(card or {}), "steps": model.step}
    embedder = FaceEmbedder(network.eval().requires_grad_(False), alignment, {}, card)
    if photographs is not None and len(photographs) >= ENOUGH:
        embedder = adapt_statistics(embedder, photographs)
    embedder = dataclasses.replace(embedder, whitening=_whitening(embedder, whiten_by))
    if held_out is None:
        return embedder
    return dataclasses.replace(embedder, thresholds=verify_faces(embedder, held_out).thresholds)


def _whitening(embedder: FaceEmbedder, sets: Sequence[AlignedFaces]) -> Whitening | None:
    """Fit the whitening on the first pictures of each set; people of two sets are others."""
    found, people, shares, first = [], [], [], 0
    for faces in sets:
        part = faces.subset(np.arange(len(faces)) < _WHITENED)
        found.append(embed_faces(embedder, part))
        own = part.people.classes[:, :PARTS]
        people.append(np.where(own < 0, -1, own + first))
        shares.append(part.people.masses[:, :PARTS])
        first += len(part.people.names)
    if not found:
        return None
    return fit_whitening(*(np.concatenate(part) for part in (found, people, shares)))


def embed_faces(embedder: FaceEmbedder, faces: AlignedFaces) -> np.ndarray:
    """Return (N, D) descriptors of a set, read a part at a time.

    Raises
    ------
    SettingsError : the set is aligned in another way
    """
    if faces.alignment.id != embedder.alignment.id:
        raise SettingsError(
            f"aligned faces: expected {embedder.alignment.id}, as the embedder was trained, got "
            f"{faces.alignment.id}. Align them again with this --size."
        )
    parts = [
        embedder.embed(faces.pictures(slice(start, start + _CHUNK)))
        for start in range(0, len(faces), _CHUNK)
    ]
    return np.concatenate(parts)


def verify_faces(embedder: FaceEmbedder, faces: AlignedFaces) -> "VerificationReport":
    """Return how well all pairs of a labelled set are told apart."""
    from geomface.recognition.protocols.picture_pairs import all_pairs
    from geomface.recognition.protocols.verification import verify

    pairs = all_pairs([row.person for row in faces.rows])
    return verify(pairs.scores(embed_faces(embedder, faces)), pairs, resamples=0)
