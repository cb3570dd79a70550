"""`geomface evaluate render_to_photo`: measure a trained translation."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from geomface.gan.render_to_photo import PeopleApart


@dataclasses.dataclass(frozen=True)
class EvaluateTranslationOptions:
    """Measure a trained translation: how near its pictures come to photographs, whether people stay
    who they are, and how far pairs are off; the renders themselves stand beside.

    Give sets of 'geomface recognise align' that the training did not see, and an embedder that it
    did not know. It tells people apart by the squared distances of 1000 pairs of one person and
    1000 of two, or as many as there are.
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
    figure: MaybeFile = None
    """PNG of the distances of pairs, of renders, translations and photographs (where these are
    labelled); default beside the record."""
    common: CommonOptions = CommonOptions()


def run_evaluate(options: EvaluateTranslationOptions, run: Run) -> int:
    """Translate, measure, write."""
    from geomface.gan.render_to_photo import evaluate_translation, load_translator, pair_faces
    from geomface.recognition import load_aligned, load_embedder

    run.require_cpu()
    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    figure = options.figure or (None if report is None else report.with_suffix(".png"))
    require_output(report, "--report", (".json",))
    require_output(figure, "--figure", (".png",))
    translator = load_translator(translator_path(options.run))
    renders, photographs = load_aligned(options.renders), load_aligned(options.photographs)
    pairs = None if options.pairs is None else pair_faces(*map(load_aligned, options.pairs))
    embedder = load_embedder(embedder_path(options.embedder))
    if options.common.dry_run:
        written = [f"write {path}" for path in (report, figure) if path is not None]
        return run.plan([f"translate {len(renders)} renders and measure", *written])
    found = evaluate_translation(
        translator, renders, photographs, embedder, pairs, seed=options.common.seed
    )
    figures = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    run.finish({"step": translator.step, **figures}, report)
    rows = []
    people = {
        "renders": found.people_renders,
        "translated": found.people_translated,
        "photographs": found.people_photographs,
    }
    if figure is not None:
        _draw(figure, people)
    near = {"renders": found.renders, "translated": found.translated}
    for name, apart in people.items():
        told = ["", "", "", ""]
        if apart is not None:
            numbers = (apart.equal_error, apart.auc, apart.d_prime, apart.accepted)
            told = [f"{number:.3f}" for number in numbers]
        distances = near.get(name)
        if distances is not None:
            kernel = f"{distances.kernel:.4g} ({distances.kernel_error:.2g})"
            rows.append([name, f"{distances.swd_average:.1f}", kernel, *told])
        elif apart is not None:
            rows.append([name, "", "", *told])
    run.table(
        ["set", "SWD", "kernel distance", "equal error", "AUC", "d'", "accepted at 1 %"], rows
    )
    if found.pair_error is not None:
        run.say(
            f"{found.pairs} pairs: error {found.pair_error:.4f}, of the renders "
            f"{found.render_error:.4f}"
        )
    return 0


def _draw(path: Path, people: "Mapping[str, PeopleApart | None]") -> None:
    """Draw the distances of pairs; nothing where nobody is known."""
    import numpy as np

    from geomface.report.model_figures import save_figure
    from geomface.report.recognition_figures import distances_figure

    told = {}
    for name, apart in people.items():
        if apart is not None:
            title = f"{name}: AUC {apart.auc:.3f}, equal error {apart.equal_error:.3f}, d' "
            numbers = (apart.edges, apart.same.density, apart.other.density)
            told[f"{title}{apart.d_prime:.2f}"] = tuple(map(np.array, numbers))
    if told:
        save_figure(path, distances_figure(told))
