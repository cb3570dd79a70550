"""`geomface evaluate landmark_reenactment`: measure a trained reenactment."""

import dataclasses
from pathlib import Path
from typing import Annotated

from geomface.cli.inputs import require_output
from geomface.cli.learned.trained_file import SHIPPED, RunOrShipped, trained_path
from geomface.cli.options import OPTIONAL, CommonOptions, Flag, MaybeFile, require_options
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_path
from geomface.cli.run import Run
from geomface.ranges import COUNT, NOT_NEGATIVE


@dataclasses.dataclass(frozen=True)
class EvaluateReenactmentOptions:
    """Measure a trained reenactment on people that it has not seen: how far results are from true
    frames after one step and after two, what is left of the input, how errors grow over five steps,
    whether it is still the same person, and where a detector finds the landmarks.
    """

    run: RunOrShipped = SHIPPED
    """Run directory, checkpoint or model file."""
    faces: Annotated[tuple[Path, ...], OPTIONAL] = ()
    """Sets of 'geomface synth faces --track N' of people who are not in the training."""
    videos: Annotated[tuple[Path, ...], OPTIONAL] = ()
    """Videos, folders of frames with landmark files, or folders of either."""
    every: int = 1
    """Take each n-th frame of a video or track."""
    apart: int = 0
    """Frames of a triplet are further apart than this many moments."""
    triplets: int = 500
    """Triplets to measure, at most."""
    embedder: EmbedderFile = None
    """Embedder that tells who it is."""
    no_landmarks: Flag = False
    """Do not look for landmarks in the results, which takes the longest."""
    report: MaybeFile = None
    """JSON record with the figures; default evaluation.json in the run directory, none for
    a file or the one that ships."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, every=COUNT, apart=NOT_NEGATIVE, triplets=COUNT)


def run_evaluate(options: EvaluateReenactmentOptions, run: Run) -> int:
    """Move, measure, write."""
    import numpy as np

    from geomface.cli.learned.landmark_reenactment.frames import read_frames
    from geomface.gan.landmark_reenactment import (
        CropEmbedder,
        draw_triplets,
        evaluate_reenactment,
        load_reenactor,
    )
    from geomface.gan.landmark_reenactment.locating import locate_in_crops
    from geomface.gan.landmark_reenactment.sampling import ASSET
    from geomface.recognition import load_embedder

    run.require_cpu()
    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    require_output(report, "--report", (".json",))
    model = load_reenactor(trained_path(options.run, ASSET))
    size, seed = model.settings.size, options.common.seed
    frames = read_frames(
        options.faces, options.videos, size, model.margin, run, every=options.every
    )
    rows = draw_triplets(frames, apart=options.apart, seed=seed)
    chosen = np.linspace(0, len(rows) - 1, min(options.triplets, len(rows))).round().astype(int)
    if options.common.dry_run:
        return run.plan([f"move {len(chosen)} triplets and measure", f"write {report}"])
    found = evaluate_reenactment(
        model.generator,
        model.settings,
        frames,
        rows[chosen],
        embedder=CropEmbedder(load_embedder(embedder_path(options.embedder))).eval(),
        locate=None if options.no_landmarks else locate_in_crops,
        seed=seed,
    )
    figures = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    run.finish({"step": model.step, **figures}, report)
    run.table(
        ["", "error", "identity", "landmarks"],
        [
            ["handed back", f"{found.copied:.4f}", "", ""],
            ["one step", f"{found.first:.4f}", *_told(found.identity_first, found.landmarks_first)],
            [
                "two steps",
                f"{found.second:.4f}",
                *_told(found.identity_second, found.landmarks_second),
            ],
            ["true frames", "", *_told(found.identity_true, found.landmarks_true)],
        ],
    )
    drift = "" if found.drift is None else f", drift {found.drift.slope:.4f} a step"
    run.say(
        f"{found.triplets} triplets: ratio {found.ratio:.3f}, footprint {found.footprint:.3f}, "
        f"path {found.path:.4f}, SWD {found.distances.swd_average:.1f}{drift}"
    )
    return 0


def _told(identity: float | None, landmarks: float | None) -> list[str]:
    return ["" if value is None else f"{value:.3f}" for value in (identity, landmarks)]
