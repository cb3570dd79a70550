"""`geomface evaluate render_to_photo`: measure a trained translation."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.learned.render_to_photo.translator_file import (
    SHIPPED,
    RunOrShipped,
    translator_path,
)
from geomface.cli.options import CommonOptions, Folder, MaybeFile
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_path
from geomface.cli.run import Run


@dataclasses.dataclass(frozen=True)
class EvaluateTranslationOptions:
    """Measure a trained translation: how near its pictures come to photographs, whether people stay
    who they are, and how far pairs are off; the renders themselves stand beside.

    Give sets of 'geomface recognise align' that the training did not see, and an embedder that it
    did not know.
    """

    renders: Folder
    """Set of renders of people who are not in the training."""
    photographs: Folder
    """Set of photographs that are not in the training."""
    run: RunOrShipped = SHIPPED
    """Run directory, checkpoint or model file."""
    pairs: Annotated[
        tuple[Path, Path] | None,
        tyro.conf.arg(metavar="RENDERS PHOTOGRAPHS", help_behavior_hint="(optional)"),
    ] = None
    """Two sets whose pictures of one name belong together."""
    embedder: EmbedderFile = None
    """Embedder that tells people apart."""
    report: MaybeFile = None
    """JSON record with the figures; default evaluation.json in the run directory."""
    common: CommonOptions = CommonOptions()


def run_evaluate(options: EvaluateTranslationOptions, run: Run) -> int:
    """Translate, measure, write."""
    from geomface.gan.render_to_photo import evaluate_translation, load_translator, pair_faces
    from geomface.recognition import load_aligned, load_embedder

    run.require_cpu()
    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    require_output(report, "--report", (".json",))
    translator = load_translator(translator_path(options.run))
    renders, photographs = load_aligned(options.renders), load_aligned(options.photographs)
    pairs = None if options.pairs is None else pair_faces(*map(load_aligned, options.pairs))
    embedder = load_embedder(embedder_path(options.embedder))
    if options.common.dry_run:
        return run.plan([f"translate {len(renders)} renders and measure", f"write {report}"])
    found = evaluate_translation(
        translator, renders, photographs, embedder, pairs, seed=options.common.seed
    )
    figures = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    run.finish({"step": translator.step, **figures}, report)
    rows = []
    for name, distances, people in (
        ("renders", found.renders, found.people_renders),
        ("translated", found.translated, found.people_translated),
    ):
        told = ["", ""] if people is None else [f"{people.equal_error:.3f}", f"{people.auc:.3f}"]
        kernel = f"{distances.kernel:.4g} ({distances.kernel_error:.2g})"
        rows.append([name, f"{distances.swd_average:.1f}", kernel, *told])
    run.table(["set", "SWD", "kernel distance", "equal error", "AUC"], rows)
    if found.pair_error is not None:
        run.say(
            f"{found.pairs} pairs: error {found.pair_error:.4f}, of the renders "
            f"{found.render_error:.4f}"
        )
    return 0
