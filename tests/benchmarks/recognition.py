"""Recognition on real photographs: embedders, and what people used before, by one protocol.

    python tests/benchmarks/recognition.py [--photographs ../shared/data/orl]
        [--size 112x96] [--aligned KEPT.npz] [--embedder FILE ...] [--out DIR]

All pairs of the 19 people x 10 photographs of orl_dev.npz, aligned by the landmarks that the
detector finds; nothing is fitted to the people of a pair:

- eigenfaces: whitened principal components of everyone else's pictures, cosine, several numbers of
  components (the best of them is the one to beat);
- local binary patterns: LBP(8,2) of uniform patterns, cells of 16 and of 8 pixels, chi-square;
- pixels: correlation of the aligned pictures;
- the small network (half the size) before training, three seeds;
- embedders given by --embedder.

Told are the equal error rate, AUC, true accepts at 1 %, accuracy by folds of other people and
identification, with intervals over people (2,000 draws), and, for every embedder, its equal error
over that of each baseline, drawn on the same people.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from geomface.files.records import write_json
from geomface.landmarks.photographs.detect import PhotographLandmarks
from geomface.metrics import unit_rows
from geomface.metrics.paired import compare_verification
from geomface.metrics.roc import roc_curve
from geomface.recognition.alignment.reference import Alignment, alignment_of
from geomface.recognition.alignment.warp import align_face
from geomface.recognition.embedder.face_embedder import FaceEmbedder, load_embedder
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.protocols.identification import identify
from geomface.recognition.protocols.picture_pairs import all_pairs
from geomface.recognition.protocols.verification import verify
from geomface.report.model_figures import save_figure
from geomface.report.recognition_figures import roc_figure

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "recognition" / "protocols"))

from baselines import (  # noqa: E402
    chi_square_scores,
    eigenface_scores,
    pattern_histograms,
    standardized,
)

COMPONENTS = (10, 20, 40, 80, 120)
CELLS = (8, 16)
SEEDS = (0, 1, 2)
RESAMPLES = 2000


def aligned_photographs(
    folder: Path, alignment: Alignment, kept: Path | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return aligned pictures (N, h, w, 3) float32, whether there is a face, and who it is."""
    if kept is not None and kept.exists():
        arrays = np.load(kept)
        return arrays["pictures"], arrays["found"], arrays["people"]
    images = np.load(folder / "orl_dev.npz")["images"]
    detector = PhotographLandmarks()
    pictures = np.full((*images.shape[:2], alignment.height, alignment.width, 3), 0.5, np.float32)
    found = np.zeros(images.shape[:2], bool)
    for place in np.ndindex(images.shape[:2]):
        result = detector.detect(images[place])
        if result.faces:
            pictures[place] = align_face(images[place], result.faces[0].points, alignment)
            found[place] = True
    people = np.repeat(np.arange(len(images)), images.shape[1])
    pictures, found = pictures.reshape(-1, *pictures.shape[2:]), found.ravel()
    if kept is not None:
        np.savez(kept, pictures=pictures, found=found, people=people)
    return pictures, found, people


def untrained(pictures: np.ndarray, alignment: Alignment, seed: int) -> np.ndarray:
    """Return descriptors (N, D) of the small network as it is before training."""
    torch.manual_seed(seed)
    size = {"height": alignment.height, "width": alignment.width}
    network = build_network(NetworkSettings(**size)).train()
    images = torch.from_numpy(2.0 * pictures - 1.0).permute(0, 3, 1, 2)
    with torch.inference_mode():
        network(images)  # statistics of its normalisations: of these pictures, without labels
    return FaceEmbedder(network, alignment).embed(pictures)


def halved(pictures: np.ndarray) -> np.ndarray:
    """Return pictures of half the size, each pixel the mean of four."""
    count, height, width, channels = pictures.shape
    return pictures.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def main() -> None:
    """Measure the baselines and the embedders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, default=Path("../shared/data/orl"))
    parser.add_argument("--size", default="112x96", help="of the baselines' pictures")
    parser.add_argument(
        "--aligned", type=Path, help="npz that keeps the aligned faces between runs"
    )
    parser.add_argument("--embedder", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, help="folder of the record and the pictures")
    options = parser.parse_args()
    began = time.perf_counter()
    alignment = alignment_of(options.size)
    pictures, found, people = aligned_photographs(options.photographs, alignment, options.aligned)
    print(
        f"{int(found.sum())} of {len(found)} photographs aligned by found landmarks, "
        f"{time.perf_counter() - began:.0f} s",
        flush=True,
    )
    names = [f"s{person:02d}" for person in people]
    pairs = all_pairs(names)
    grey = pictures.mean(axis=3)
    scores: dict[str, np.ndarray] = {}
    rows: dict[str, np.ndarray] = {}
    eigen = eigenface_scores(grey, people, pairs.rows, COMPONENTS)
    scores |= {f"eigenfaces, {n}": item for n, item in zip(COMPONENTS, eigen, strict=True)}
    for cell in CELLS:
        histograms = pattern_histograms(grey, cell=cell)
        scores[f"binary patterns, {cell} px"] = chi_square_scores(histograms, pairs.rows)
    rows["pixels"] = standardized(grey)
    small = halved(pictures)
    rows |= {
        f"untrained network, seed {seed}": untrained(small, Alignment(*small.shape[1:3]), seed)
        for seed in SEEDS
    }
    baselines = [*scores, *rows]
    for path in options.embedder:
        embedder = load_embedder(path)
        shown = pictures
        if embedder.alignment != alignment:
            shown, _, _ = aligned_photographs(options.photographs, embedder.alignment, None)
        rows[path.stem] = embedder.embed(shown)
    scores |= {name: pairs.scores(unit_rows(item)) for name, item in rows.items()}
    header = ("", "equal error [95 %]", "AUC", "TAR 1 %", "accuracy", "rank 1", "refused")
    print("{:28s} {:>22s} {:>6s} {:>8s} {:>9s} {:>7s} {:>8s}".format(*header))
    records = {}
    for name, values in scores.items():
        report = verify(values, pairs, found, resamples=RESAMPLES)
        figures, folds = report.left_out.pairs, report.left_out.folds
        named = identify(unit_rows(rows[name]), names, found) if name in rows else None
        equal = figures.equal_error
        print(
            f"{name:28s} {equal.value:.3f} [{equal.low:.3f}, {equal.high:.3f}] "
            f"{figures.auc.value:10.3f} {figures.accepted[0.01].value:8.3f} "
            f"{folds.accuracy.value if folds else np.nan:9.3f} "
            f"{f'{named.rank_1.value:7.3f}' if named else '      -'} "
            f"{report.refused.pairs.equal_error.value:8.3f}",
            flush=True,
        )
        records[name] = {"verification": report, "identification": named}
    seen = found[pairs.rows].all(axis=1)
    for name in [name for name in scores if name not in baselines]:
        for other in baselines:
            paired = compare_verification(
                *(scores[item][seen] for item in (name, other)),
                pairs.same[seen],
                people=pairs.people[seen],
                resamples=RESAMPLES,
            )
            records[name][f"over {other}"] = paired
            print(f"{name} over {other}: equal error x {paired.equal_error_ratio}")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_json(options.out / "recognition.json", records)
        errors = {
            name: record["verification"].left_out.pairs.equal_error.value
            for name, record in records.items()
        }
        kinds = {name: name.split(",")[0] for name in errors}
        best = [
            min(filter(lambda n: kinds[n] == kind, errors), key=errors.get)
            for kind in dict.fromkeys(kinds.values())
        ]
        curves = {
            name: roc_curve(scores[name][seen], pairs.same[seen], people=pairs.people[seen])
            for name in best
        }
        save_figure(options.out / "roc.png", roc_figure(curves))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
