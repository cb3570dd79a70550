"""`geomface evaluate render_to_photo`: measure a trained translation."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from geomface.cli.inputs import require_output
from geomface.cli.learned.trained_file import SHIPPED, RunOrShipped, trained_path
from geomface.cli.options import CommonOptions, Folder, MaybeFile, require_options
from geomface.cli.recognise.embedder_file import EmbedderFile, embedder_path
from geomface.cli.run import Run
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.gan.render_to_photo import PeopleApart, ReadBack


@dataclasses.dataclass(frozen=True)
class EvaluateTranslationOptions:
    """Measure a trained translation: how near its pictures come to photographs, whether people stay
    who they are, and how far pairs are off; the renders themselves stand beside.

    Give sets of 'geomface recognise align' of the training's size (64x64 for the translator that
    ships) that the training did not see, and an embedder that it did not know. It tells people
    apart by the squared distances of 1000 pairs of one person and 1000 of two, or as many as there
    are. With --set, landmarks, pose and light are also read back from renders and translations, by
    the landmark detector for photographs and a fit of the face model. Compare with what they read
    from the renders, which is within 6.5 % of the eye distance and 5 degrees at 32 px, 5.6 % and 4
    degrees at 64 px.
    """

    renders: Folder
    """Aligned set of renders of people who are not in the training."""
    photographs: Folder
    """Aligned set of photographs that are not in the training."""
    run: RunOrShipped = SHIPPED
    """Run directory, checkpoint or model file."""
    pairs: Annotated[
        tuple[Path, Path] | None,
        tyro.conf.arg(metavar="RENDERS PHOTOGRAPHS", help_behavior_hint="(optional)"),
    ] = None
    """Two aligned sets whose pictures of one name belong together."""
    embedder: EmbedderFile = None
    """Embedder that tells people apart."""
    set: Annotated[Path | None, tyro.conf.arg(metavar="SYNTH", help_behavior_hint="(optional)")] = (
        None
    )
    """Set of 'geomface synth faces' whose labels are read back."""
    most: int = 40
    """Pictures of it, from all over the set, that are read, at most; each takes a second or two."""
    report: MaybeFile = None
    """JSON record with the figures; default evaluation.json in the run directory, none where RUN is
    a file or the translator that ships."""
    figure: MaybeFile = None
    """PNG of the distances of pairs, of renders, translations and photographs (where these are
    labelled); default beside the record."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, most=COUNT)


def run_evaluate(options: EvaluateTranslationOptions, run: Run) -> int:
    """Translate, measure, write."""
    from geomface.gan.render_to_photo import (
        evaluate_translation,
        known_renders,
        load_translator,
        pair_faces,
        read_back,
    )
    from geomface.gan.render_to_photo.sampling import ASSET
    from geomface.recognition import load_aligned, load_embedder

    run.require_cpu()
    report = options.report or (options.run / "evaluation.json" if options.run.is_dir() else None)
    figure = options.figure or (None if report is None else report.with_suffix(".png"))
    require_output(report, "--report", (".json",))
    require_output(figure, "--figure", (".png",))
    translator = load_translator(trained_path(options.run, ASSET))
    renders, photographs = load_aligned(options.renders), load_aligned(options.photographs)
    pairs = None if options.pairs is None else pair_faces(*map(load_aligned, options.pairs))
    embedder = load_embedder(embedder_path(options.embedder))
    known = None
    if options.set is not None:
        known = known_renders(options.set, translator.alignment, options.most)
    if options.common.dry_run:
        written = [f"write {path}" for path in (report, figure) if path is not None]
        return run.plan([f"translate {len(renders)} renders and measure", *written])
    seed = options.common.seed
    found = evaluate_translation(translator, renders, photographs, embedder, pairs, seed=seed)
    read = None
    if known is not None:
        made = translator.translate(known.pictures, known.names, seed=seed)
        read = read_back(known, made.pictures)
    figures: dict[str, Any] = {
        field.name: getattr(found, field.name) for field in dataclasses.fields(found)
    }
    figures["read_back"] = read
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
    if read is not None:
        _tell(read, run)
    return 0


def _tell(read: "ReadBack", run: Run) -> None:
    """Say what was read back, and how far it differs between renders and translations."""

    def shown(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    rows = []
    for name, errors in (("renders", read.renders), ("translated", read.translated)):
        numbers = (shown(errors.landmarks, ".1%"), shown(errors.pose, ".1f"))
        light = (shown(errors.light, ".1%"), shown(errors.light_told, ".2f"))
        rows.append([name, f"{errors.found:.0%}", *numbers, *light])
    ratio = [f"x {shown(read.landmark_ratio, '.2f')}"] if read.landmark_ratio is not None else [""]
    moved = [shown(read.pose_moved, ".1f"), shown(read.light_moved, ".1%")]
    rows.append(["difference", "", *ratio, *moved, ""])
    heads = ["read back", "found", "landmarks", "pose, degrees", "light", "light told"]
    run.table(heads, rows)


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
