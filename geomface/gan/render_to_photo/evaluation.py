"""What a trained translation is worth: realism, pairs, and whether people stay who they are."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import ImageArray
from geomface.gan.render_to_photo.pair_distances import PeopleApart, people_apart
from geomface.gan.render_to_photo.reading import FacePairs
from geomface.gan.render_to_photo.sampling import RenderTranslator
from geomface.learning.errors import DatasetError
from geomface.metrics import ImageDistances, measure_distances
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.alignment.reference import require_alignment
from geomface.recognition.embedder.face_embedder import FaceEmbedder

FEWEST = 4
"""Pictures of a set that distances can be told of."""


@dataclasses.dataclass(frozen=True)
class TranslationReport:
    """Figures of a translation; those of the renders stand beside, as what there was before.

    Parameters
    ----------
    pictures : renders translated
    renders, translated : distances to the photographs
    people_renders, people_translated, people_photographs : how well people are told apart, renders
        and translations over the same pairs; None where nobody is known by two pictures, or all
        are one
    realism, cycle, identity : means over the pictures, see `TranslatedPictures`
    pairs : on how many pairs the next two are measured
    pair_error, render_error : mean |y - r| over pairs, of translated renders and of the renders
        themselves, in [-1, 1] colours
    """

    pictures: int
    renders: ImageDistances
    translated: ImageDistances
    people_renders: PeopleApart | None
    people_translated: PeopleApart | None
    people_photographs: PeopleApart | None
    realism: float
    cycle: float
    identity: float
    pairs: int = 0
    pair_error: float | None = None
    render_error: float | None = None


def evaluate_translation(
    translator: RenderTranslator,
    renders: AlignedFaces,
    photographs: AlignedFaces,
    embedder: FaceEmbedder,
    pairs: FacePairs | None = None,
    *,
    seed: int = 0,
) -> TranslationReport:
    """Translate renders and measure what has become of them.

    Parameters
    ----------
    translator : from `load_translator`
    renders : of people who can be known
    photographs : that the training has not seen
    embedder : that the training has not seen either; else it tells of itself
    pairs : that the training has not seen
    seed : of what is dropped, of the distances, and of the pairs of people

    Raises
    ------
    DatasetError : sets of another alignment than the translator's, or fewer than four pictures
    """
    sets = {"renders": renders, "photographs": photographs}
    if pairs is not None:
        sets["pairs"] = pairs.renders
    for name, faces in sets.items():
        require_alignment(name, faces.alignment, translator.alignment)
        if len(faces) < FEWEST and name != "pairs":
            raise DatasetError(
                f"{name}: expected {FEWEST} pictures or more to measure, got {len(faces)}."
            )
    before = renders.pictures()
    made = translator.translate(before, renders.names, seed=seed, embedder=embedder)
    drawn, shown, real = map(_network_images, (before, made.pictures, photographs.pictures()))
    kept = np.nan if made.identity is None else np.mean(made.identity)
    report = TranslationReport(
        pictures=len(renders),
        renders=measure_distances(drawn, real, seed=seed),
        translated=measure_distances(shown, real, seed=seed),
        people_renders=people_apart(drawn, renders, embedder, seed=seed),
        people_translated=people_apart(shown, renders, embedder, seed=seed),
        people_photographs=people_apart(real, photographs, embedder, seed=seed),
        realism=float(np.mean(made.realism)),
        cycle=float(np.mean(made.cycle)),
        identity=float(kept),
    )
    if pairs is None:
        return report
    one, other = pairs.renders.pictures(), pairs.photographs.pictures()
    translated = translator.translate(one, pairs.renders.names, seed=seed).pictures
    errors = [2.0 * float(np.abs(item - other).mean()) for item in (translated, one)]
    return dataclasses.replace(
        report, pairs=len(pairs), pair_error=errors[0], render_error=errors[1]
    )


def _network_images(pictures: ImageArray) -> torch.Tensor:
    return 2.0 * torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous() - 1.0
