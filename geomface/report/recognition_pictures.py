"""The pictures that an evaluation of an embedder leaves in its folder."""

import importlib.util
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import MissingBackendError, SettingsError
from geomface.metrics.embedding import embed_in_plane, scale_in_plane
from geomface.metrics.identity_sets import score_statistics
from geomface.metrics.roc import roc_curve
from geomface.recognition.protocols.embeddings import Embeddings
from geomface.recognition.protocols.identification import Identification
from geomface.recognition.protocols.picture_pairs import PicturePairs
from geomface.recognition.protocols.verification import VerificationReport
from geomface.report.embedding_figure import embedding_figure
from geomface.report.model_figures import save_figure
from geomface.report.recognition_figures import ranks_figure, roc_figure, score_figure

PEOPLE, PICTURES = 10, 50
"""People on a map, and pictures of each at most."""


def draw_evaluation(
    folder: Path,
    scores: FloatArray,
    pairs: PicturePairs,
    given: Embeddings,
    report: VerificationReport,
    named: Identification | None,
) -> None:
    """Write roc.png, scores.png and, where people were looked for, ranks.png.

    Parameters
    ----------
    folder : that they go to
    scores : (P,) of the pairs
    pairs, given, report, named : the pairs, the descriptors, and what was measured on them
    """
    seen = np.asarray(given.found[pairs.rows].all(axis=1))
    some, same = scores[seen], pairs.same[seen]
    curve = roc_curve(some, same, people=pairs.people_for_intervals(seen))
    name = given.embedder.partition(" ")[0] or "embedder"  # its file, without the hash
    save_figure(folder / "roc.png", roc_figure({name: curve}))
    marks = {
        f"threshold at {f'{100 * float(at):g} % false accepts' if at[0].isdigit() else at}": value
        for at, value in report.thresholds.items()
    }
    save_figure(folder / "scores.png", score_figure(score_statistics(some, same), thresholds=marks))
    if named is not None:
        save_figure(folder / "ranks.png", ranks_figure({name: named.ranks}))


def require_maps(people: Sequence[str], found: BoolArray | None = None) -> None:
    """Refuse maps that `draw_maps` cannot draw, before anything is written.

    Raises
    ------
    MissingBackendError : scikit-learn is not installed
    SettingsError : fewer than three pictures of people who are known
    """
    if importlib.util.find_spec("sklearn") is None:
        raise MissingBackendError(
            "maps of people: scikit-learn is not installed. Install it with: pip install "
            "'geomface[analysis]', or leave the maps away."
        )
    seen = np.ones(len(people), bool) if found is None else found
    count = sum(bool(name) and bool(has) for name, has in zip(people, seen, strict=True))
    if count < 3:
        raise SettingsError(
            f"maps of people: expected three pictures or more with a face and a label, got {count}."
            " Leave the maps away."
        )


def draw_maps(folder: Path, given: Embeddings, people: Sequence[str], *, seed: int = 0) -> None:
    """Write mds.png and t_sne.png: pictures of the ten people who have most, in the plane.

    Parameters
    ----------
    folder : that they go to
    given : descriptors
    people : who is in each picture, "" where not known
    seed : of the search of t-SNE

    Raises
    ------
    MissingBackendError, SettingsError : as `require_maps`
    """
    require_maps(people, given.found)
    known = [name for name, found in zip(people, given.found, strict=True) if name and found]
    shown = {name for name, _ in Counter(known).most_common(PEOPLE)}
    rows: list[int] = []
    taken: Counter[str] = Counter()
    for row, (name, found) in enumerate(zip(people, given.found, strict=True)):
        if name in shown and found and taken[name] < PICTURES:
            taken[name] += 1
            rows.append(row)
    descriptors, labels = given.descriptors[rows], [people[row] for row in rows]
    places, share = scale_in_plane(descriptors)
    title = f"distances (MDS): {share:.0%} of their squares"
    save_figure(folder / "mds.png", embedding_figure(places, labels=labels, title=title))
    perplexity = float(np.clip(len(rows) / 6, 1.0, 30.0))
    places = embed_in_plane(descriptors, perplexity=perplexity, seed=seed)
    save_figure(
        folder / "t_sne.png", embedding_figure(places, labels=labels, title="neighbours (t-SNE)")
    )
