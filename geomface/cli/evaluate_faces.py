"""`geomface evaluate faces`: how real a set of face pictures is, beside photographs."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.framed_faces import read_framed
from geomface.cli.inputs import PICTURE_SUFFIXES, require_output
from geomface.cli.options import CommonOptions, Flag, Folder, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import OutputError, SettingsError
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.metrics.face_sets import FaceSetComparison, FramedFaces


@dataclasses.dataclass(frozen=True)
class EvaluateFacesOptions:
    """How real a set of face pictures is: distances to photographs, and what differs.

    Both are folders of pictures, or the output of 'geomface synth faces'. Faces are brought to one
    size and place (92 x 112, grey) by their landmarks: those of the set, or files beside the
    pictures (X.landmarks.json, X.pts, X.txt), or those that are found. People are subfolders, or
    the column identity of labels.csv. Heads turned by more than about 30 degrees are left out, and
    so are pictures that cannot be read or show no face (exit code 3).

    Of the features: 'told apart' is how often a classifier tells a picture of the set from a
    photograph (50 % is chance, the best), 'frechet' a distance, and 'people' the variance between
    people over that within one; 'of photos' beside a figure is what photographs alone have.
    """

    faces: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SET")]
    """The pictures to measure."""
    photographs: Folder
    """Photographs to measure them by."""
    sheet: MaybeFile = None
    """Picture of both, in turns, at the same size and crop."""
    cropped: Flag = False
    """Pictures without landmark files are portraits that were cropped alike: take the middle of
    each, look for no face."""
    window: Literal["face", "picture"] = "face"
    """What the features see: an ellipse from the hair to the chin, or all of the crop."""
    count: int = 400
    """Pictures of each at most; whole people are drawn."""
    report: MaybeFile = None
    """JSON record with all figures."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT)


def run_evaluate_faces(options: EvaluateFacesOptions, run: Run) -> int:
    """Read, frame, compare, show."""
    from geomface.datasets.photographs import load_photographs
    from geomface.metrics.face_sets import compare_face_sets

    run.require_cpu()
    require_output(options.report, "--report", (".json",))
    require_output(options.sheet, "--sheet", PICTURE_SUFFIXES)
    folders = {"faces": options.faces, "photographs": options.photographs}
    sets = {what: load_photographs(folder) for what, folder in folders.items()}
    _require_apart(options)
    if options.common.dry_run:
        return run.plan(
            [f"compare {len(sets['faces'])} faces with {len(sets['photographs'])} photographs"]
        )
    failed: dict[str, dict[str, str]] = {what: {} for what in sets}
    framed = {
        what: read_framed(
            what,
            photographs,
            run,
            failed[what],
            count=options.count,
            seed=options.common.seed,
            cropped=options.cropped,
        )
        for what, photographs in sets.items()
    }
    found = compare_face_sets(
        framed["faces"],
        framed["photographs"],
        window=options.window,
        seed=options.common.seed,
    )
    if options.sheet is not None:
        _save_sheet(options.sheet, framed["faces"], framed["photographs"], options.common.seed)
    figures = _figures(found) | {"pictures": _counts(framed), "failed": failed}
    run.finish(figures, options.report)
    _show(found, run)
    if options.sheet is not None:
        run.say(f"{options.sheet}: faces and photographs in turns")
    return 3 if any(failed.values()) else 0


def _require_apart(options: EvaluateFacesOptions) -> None:
    """Refuse sets that share pictures, and a sheet that would be one of theirs next time."""
    faces, photographs = options.faces.resolve(), options.photographs.resolve()
    if faces.is_relative_to(photographs) or photographs.is_relative_to(faces):
        raise SettingsError(
            f"--photographs {options.photographs}: expected other pictures than those of "
            f"{options.faces}, got the same, or one folder within the other. How far photographs "
            "are from each other is measured along with every set."
        )
    for folder in (faces, photographs):
        if options.sheet is not None and options.sheet.resolve().is_relative_to(folder):
            raise OutputError(
                f"--sheet {options.sheet}: it would be one of the pictures of {folder} next time. "
                "Write elsewhere."
            )


def _counts(framed: "dict[str, FramedFaces]") -> dict[str, Any]:
    return {
        what: {"pictures": len(side.pictures), "people": len(set(side.people) - {""})}
        for what, side in framed.items()
    }


def _figures(found: "FaceSetComparison") -> dict[str, Any]:
    """Return everything that was measured, in JSON's own types."""
    return {
        "statistics": {
            name: dataclasses.asdict(both) | {"ratio": both.ratio}
            for name, both in found.statistics.items()
        },
        "features": {name: dataclasses.asdict(both) for name, both in found.features.items()},
        "patches": {str(level): value for level, value in found.patches.items()},
        "patches_of_photographs": {
            str(level): value for level, value in found.patches_of_photographs.items()
        },
        "compared": found.compared,
    }


def _show(found: "FaceSetComparison", run: Run) -> None:
    run.table(
        ("figure (median)", "faces", "photographs", "ratio"),
        [
            (name, f"{both.faces:.3f}", f"{both.photographs:.3f}", f"{both.ratio:.2f}")
            for name, both in found.statistics.items()
        ],
    )
    run.say()
    run.table(
        ("features", "told apart", "separation", "frechet", "of photos", "people", "of photos"),
        [
            (
                name,
                f"{both.telling_apart.accuracy.value:.1%}",
                f"{both.telling_apart.separation:.2f}",
                f"{both.frechet:.3f}",
                f"{both.frechet_of_photographs:.3f}",
                _or_dash(both.between_people),
                _or_dash(both.between_people_of_photographs),
            )
            for name, both in found.features.items()
        ],
    )
    run.say()
    run.table(
        ("patches (sliced Wasserstein)", *(f"{level} px" for level in found.patches)),
        [
            ("faces", *(f"{value:.0f}" for value in found.patches.values())),
            ("of photos", *(f"{value:.0f}" for value in found.patches_of_photographs.values())),
        ],
    )


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _save_sheet(path: Path, faces: "FramedFaces", photographs: "FramedFaces", seed: int) -> None:
    """Write rows of both in turns."""
    import numpy as np

    from geomface.files.images import save_image
    from geomface.rendering import contact_sheet

    columns, rows = 8, 3
    rng = np.random.default_rng(seed)
    picked = [
        side.pictures[rng.permutation(len(side.pictures))[: columns * rows]]
        for side in (faces, photographs)
    ]
    cells, labels = [], []
    for start in range(0, columns * rows, columns):
        for side, label in zip(picked, ("face", "photograph"), strict=True):
            row = side[start : start + columns]
            blank = np.ones((columns - len(row), *side.shape[1:]), np.float32)
            cells += list(np.repeat(np.concatenate([row, blank])[..., None], 3, axis=3))
            labels += [label] * len(row) + [""] * len(blank)
    save_image(path, contact_sheet(cells, columns, labels, font_size=11))
