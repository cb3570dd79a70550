"""`geomface recognise evaluate`: what an embedder's descriptors are worth, by a protocol."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.options import CommonOptions, Flag, Folder, MaybeFile, require_options
from geomface.cli.recognise.embedder_file import EmbedderFile
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.metrics.estimate import Estimate
    from geomface.recognition.protocols.embeddings import Embeddings
    from geomface.recognition.protocols.identification import Identification
    from geomface.recognition.protocols.picture_pairs import PicturePairs
    from geomface.recognition.protocols.verification import VerificationReport


@dataclasses.dataclass(frozen=True)
class RecogniseEvaluateOptions:
    """How well descriptors tell people apart: verification and identification, with intervals.

    The descriptors are those of 'geomface recognise embed', or made of a folder of pictures by
    --embedder. One of --pairs (a list: LFW's pairs.txt as it is, or "A.png B.png 1" a line) and
    --all-pairs must be given. Told are the equal error, the share of true accepts at false accept
    rates, the accuracy over folds whose thresholds are chosen on the other folds, and how often the
    nearest other picture shows the same person, with intervals over people. Pictures without a
    face are left out; another column counts them as refused.
    """

    embeddings: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="E.npz|DIR")]
    """Descriptors to measure, or a folder of photographs or aligned faces."""
    out: Folder
    """Folder of the record and the pictures; it is created."""
    embedder: EmbedderFile = None
    """Embedder that describes the pictures of a folder."""
    workers: int = 1
    """Number of worker processes that describe the pictures of a folder."""
    pairs: MaybeFile = None
    """List of pairs: "s1/01.png s1/02.png 1" a line (1 one person, 0 two; paths below the folder of
    the pictures), or LFW's "NAME 1 4", which looks for NAME/NAME_0001 and NAME/NAME_0004."""
    all_pairs: Flag = False
    """Take all pairs of the pictures instead."""
    labels: MaybeFile = None
    """Who is in the pictures: CSV or JSON lines with file and identity; default: their folders."""
    against: MaybeFile = None
    """Descriptors of the same pictures by another embedder, to be compared on the same people."""
    training: MaybeFile = None
    """Descriptors of real training pictures: how near these pictures come to them (leakage)."""
    folds: int = 10
    """Parts of the pairs, where their list has none; with --all-pairs at most half as many as there
    are people."""
    draws: int = 1000
    """Samples of people for the intervals."""
    maps: Flag = False
    """Draw the pictures of ten people in the plane, by distances (MDS) and neighbours (t-SNE)."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, folds="[2, 1000]", workers=COUNT, draws="[1, 100000]")


def run_evaluate(options: RecogniseEvaluateOptions, run: Run) -> int:
    """Read, measure, draw, tell."""
    from geomface.cli.recognise.other_sets import compared, read_other, set_figures
    from geomface.cli.recognise.source import find_source
    from geomface.recognition.protocols.embeddings import save_embeddings
    from geomface.recognition.protocols.thresholds import EQUAL_ERROR, RECORD
    from geomface.recognition.protocols.verification import verify
    from geomface.report.recognition_pictures import draw_evaluation, draw_maps, require_maps

    run.require_cpu()
    make_folder(options.out, create=False)
    if (options.pairs is None) == (not options.all_pairs):
        raise SettingsError("expected --pairs FILE or --all-pairs, one of the two. Give one.")
    source = find_source(options.embeddings, options.embedder, options.labels, options.workers, run)
    people = source.people
    pairs = _pairs(options, source.names, people)
    training, against = read_other(options.training), read_other(options.against, source.names)
    if options.maps:
        require_maps(people)
    if options.common.dry_run:
        what = f"measure {len(pairs)} pairs of {len(people)} pictures"
        return run.plan([what, f"write {options.out}"])
    given, failed = source.describe()
    if options.maps:
        require_maps(people, given.found)
    scores = pairs.scores(given.descriptors)
    with run.stage("measure", f"{len(pairs)} pairs"):
        report = verify(
            scores, pairs, given.found, resamples=options.draws, seed=options.common.seed
        )
        named = _identification(options, given, people, run)
    run.add_notes(report.notes)
    figures: dict[str, Any] = {
        "alignment": given.alignment,
        "embedder": given.embedder,
        "pictures": len(given.names),
        "without_face": given.missing,
        "failed": failed,
        "verification": report,
        "identification": named,
        "set": set_figures(given, people, report.thresholds[EQUAL_ERROR], training),
    }
    if against is not None:
        figures["against"] = compared(
            against, given, pairs, draws=options.draws, seed=options.common.seed
        )
    make_folder(options.out)
    if options.embeddings.is_dir():
        save_embeddings(options.out / "embeddings.npz", given)
    draw_evaluation(options.out, scores, pairs, given, report, named)
    if options.maps:
        draw_maps(options.out, given, people, seed=options.common.seed)
    run.finish(figures, options.out / RECORD)
    _show(run, report, named, figures)
    run.say(f"{options.out}: {RECORD} and pictures")
    return 3 if failed else 0


def _pairs(
    options: RecogniseEvaluateOptions, names: Sequence[str], people: Sequence[str]
) -> "PicturePairs":
    """Return the pairs that the options name."""
    from geomface.recognition.protocols.pair_list import load_pair_list
    from geomface.recognition.protocols.picture_pairs import all_pairs, listed_pairs

    if options.pairs is None:
        return all_pairs(people, folds=options.folds, seed=options.common.seed)
    told = None if options.labels is None else dict(zip(names, people, strict=True))
    return listed_pairs(load_pair_list(options.pairs), names, told, folds=options.folds)


def _identification(
    options: RecogniseEvaluateOptions, given: "Embeddings", people: Sequence[str], run: Run
) -> "Identification | None":
    """Look for every picture among all others, where people have several."""
    from geomface.learning.errors import DatasetError
    from geomface.recognition.protocols.identification import identify

    if len({name for name in people if name}) < 2:
        return None
    try:
        named = identify(
            given.descriptors,
            people,
            given.found,
            resamples=options.draws,
            seed=options.common.seed,
        )
    except DatasetError as error:
        run.note(str(error))
        return None
    if named.alone:
        run.note(
            f"{named.alone} pictures are the only ones of their people: nobody looks for them."
        )
    return named


def _show(
    run: Run, report: "VerificationReport", named: "Identification | None", figures: dict[str, Any]
) -> None:
    from geomface.recognition.protocols.thresholds import EQUAL_ERROR

    left, refused = report.left_out, report.refused
    rows = [("equal error", left.pairs.equal_error, refused.pairs.equal_error)]
    rows += [("area under the curve", left.pairs.auc, refused.pairs.auc)]
    rows += [
        (f"true accepts at {100 * rate:g} % false accepts", share, refused.pairs.accepted[rate])
        for rate, share in left.pairs.accepted.items()
    ]
    if left.folds is not None and refused.folds is not None:
        count = len(left.folds.accuracies)
        rows.append((f"accuracy (over {count} folds)", left.folds.accuracy, refused.folds.accuracy))
    if named is not None:
        rows.append(("rank 1", named.rank_1, named.rank_1_of_all))
    level = left.pairs.auc.level
    over = "people" if report.settings["people"] else "pairs"
    header = ("", "share", f"{level:.0%} over {over}", "if faceless are refused")
    cells = [
        (name, f"{one.value:.4f}", f"{one.low:.4f} to {one.high:.4f}", f"{all_.value:.4f}")
        for name, one, all_ in rows
    ]
    columns = 4 if figures["without_face"] else 3  # with every face found the last says it again
    run.table(header[:columns], [row[:columns] for row in cells])
    threshold = report.thresholds[EQUAL_ERROR]
    run.say(f"threshold at the equal error: cosine {threshold:.4f}")
    if paired := figures.get("against"):
        ratio: Estimate = paired.equal_error_ratio
        run.say(
            f"equal error as a share of the other embedder's: {ratio.value:.3f} ({ratio.low:.3f} "
            f"to {ratio.high:.3f}), lower in {paired.better:.0%} of the samples of people"
        )
    if leak := figures["set"].get("leakage"):
        run.say(
            f"nearest to a training picture: {leak['nearest'][0]} and {leak['nearest'][1]}, cosine "
            f"{leak['largest']:.3f} (between real people at most "
            f"{leak['between_real_people']['100']:.3f})"
        )
