"""`geomface model pairs`: what textures tell about geometries, on a set of registered faces."""

import dataclasses
from typing import TYPE_CHECKING, Any

from geomface.cli.inputs import make_folder
from geomface.cli.options import CommonOptions, Flag, Folder, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.errors import SettingsError
from geomface.ranges import COUNT

if TYPE_CHECKING:
    from geomface.arrays import FloatArray
    from geomface.datasets.registered_faces import RegisteredFaces
    from geomface.statistics.assignment import AssignmentComparison
    from geomface.statistics.correlation import CanonicalCorrelation

_NEUTRAL = "neutral"
_TEXEL_NOISE = 0.02
_FACES_A_MODE = 4


@dataclasses.dataclass(frozen=True)
class ModelPairsOptions:
    """Measure how well the texture of a face foretells its geometry.

    Fits every assignment (random, mean, nearest neighbour, maximum likelihood, least squares, not
    linear) to part of the faces of a pipeline run and measures it on the rest. Writes pairs.json,
    correlation.png (canonical variables and their spectrum), errors.png (error of each method)
    and faces.png (what each method gives to the first faces held out).
    """

    run: Folder
    """Output folder of 'geomface pipeline run' with textures."""
    out: Folder
    """Folder for the results; it is created."""
    held_out: float = 0.25
    """Share of the faces to test on; they are drawn with the seed."""
    modes: int = 16
    """Modes of texture and of geometry; at most one for four training faces."""
    labels: MaybeFile = None
    """Label table (CSV or JSON lines) with file, identity, expression. Textures are paired with the
    neutral geometry of their subject then, and the held-out faces are of other subjects."""
    permutations: int = 200
    """Shuffled pairings to compare the correlations with."""
    remove_size: Flag = False
    """Align by similarity instead of rigid motion."""
    faces: int = 4
    """Faces in faces.png."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, held_out="(0, 1)", modes=COUNT, permutations=COUNT, faces=COUNT)


def run_pairs(options: ModelPairsOptions, run: Run) -> int:
    """Read, split, fit, measure, draw."""
    import numpy as np

    from geomface.datasets.registered_faces import load_registered_faces
    from geomface.report.model_figures import (
        correlation_figure,
        error_figure,
        save_figure,
    )
    from geomface.statistics import replace_neutral

    run.require_cpu()
    make_folder(options.out, create=False)
    if options.common.dry_run:
        return run.plan([f"pairs of {options.run}", f"write into {options.out}"])
    with run.progress("reading", 1) as step:
        pairs = load_registered_faces(
            options.run, on_progress=lambda done, total: step(done, "", total)
        )
    rng = np.random.default_rng(options.common.seed)
    subjects, neutral = _subjects(options, pairs)
    people, person = np.unique(np.asarray(subjects), return_inverse=True)
    order = rng.permutation(len(people))
    held_out = np.isin(person, order[: max(1, round(options.held_out * len(people)))])
    test, train = np.flatnonzero(held_out), np.flatnonzero(~held_out)
    if len(train) < 10:
        raise SettingsError(
            f"{options.run}: expected at least 10 faces to learn from, got {len(train)} of "
            f"{len(pairs)}. Register more scans, or hold out fewer."
        )
    modes = min(options.modes, len(train) // _FACES_A_MODE)
    if modes < options.modes:
        run.note(f"{len(train)} training faces carry {modes} modes, not {options.modes}.")
    scores, geometries = _coefficients(pairs, train, modes, options)
    if options.labels is not None:
        geometries = replace_neutral(geometries, subjects, neutral)
    compared, found = _compare(scores, geometries, train, test, modes, options, rng)
    make_folder(options.out)
    shuffled = found.correlations if found.shuffled is None else found.shuffled.mean(axis=0)
    scatter = correlation_figure(
        found.first_scores, found.second_scores, found.correlations, shuffled
    )
    save_figure(options.out / "correlation.png", scatter)
    save_figure(options.out / "errors.png", error_figure(compared.errors))
    _draw_faces(options, pairs, compared, scores[test], geometries[test])
    run.finish(_figures(compared, found, train, test, modes), options.out / "pairs.json")
    best = compared.mean_errors
    rows = [[name, f"{value:.3f}", f"{value / best['mean']:.3f}"] for name, value in best.items()]
    run.table(["assignment", "error, mm", "of the mean face's"], rows)
    significant = 0 if found.p_values is None else int((found.p_values < 0.05).sum())
    run.say(
        f"{len(train)} faces, {modes} modes: canonical correlations "
        f"{', '.join(f'{value:.2f}' for value in found.correlations[:6])}; shuffled the first is "
        f"{shuffled[0]:.2f}; {significant} pairs with p < 0.05"
    )
    run.say(f"pictures: {options.out}")
    return 0


def _subjects(
    options: ModelPairsOptions, pairs: "RegisteredFaces"
) -> tuple[tuple[str, ...], list[bool]]:
    """Return whose face each is, and whether it is neutral; without labels all are strangers."""
    from geomface.datasets import load_label_table

    if options.labels is None:
        return pairs.names, [True] * len(pairs)
    table = load_label_table(options.labels, ("identity", "expression"))
    missing = [name for name in pairs.names if not table.get(name, {}).get("identity")]
    if missing:
        raise SettingsError(
            f"--labels {options.labels}: expected the identity of each face of {options.run}; "
            f"{len(missing)} of {len(pairs)} have none, such as {missing[0]}. Column 'file' holds "
            "the names of the run's items."
        )
    rows = [table[name] for name in pairs.names]
    return tuple(row["identity"] for row in rows), [row["expression"] == _NEUTRAL for row in rows]


def _coefficients(
    pairs: "RegisteredFaces", train: Any, modes: int, options: ModelPairsOptions
) -> "tuple[FloatArray, FloatArray]":
    """Return texture coefficients (N, modes) by a model of the training faces, and aligned faces.

    Only the texels that a mask shows decide the coefficients of a face.
    """
    import numpy as np

    from geomface.statistics import align_meshes, fit_texture_pca, seen_coefficients

    model = fit_texture_pca(pairs.textures[train], pairs.masks[train], components=modes)
    seen = [
        seen_coefficients(model, texture, mask, sigma=_TEXEL_NOISE)
        for texture, mask in zip(pairs.textures, pairs.masks, strict=True)
    ]
    reference = pairs.template.mesh.vertices
    aligned = align_meshes(pairs.vertices, reference=reference, scale=options.remove_size).aligned
    return np.stack(seen) * np.sqrt(model.variances), aligned


def _compare(
    scores: "FloatArray",
    geometries: "FloatArray",
    train: Any,
    test: Any,
    modes: int,
    options: ModelPairsOptions,
    rng: Any,
) -> "tuple[AssignmentComparison, CanonicalCorrelation]":
    from geomface.statistics.assignment import compare_assignments, pair_faces
    from geomface.statistics.correlation import canonical_correlation

    kept = min(modes, scores.shape[1])
    compared = compare_assignments(
        scores[train],
        geometries[train],
        scores[test],
        geometries[test],
        rng,
        ridge="auto",
        texture_components=kept,
        geometry_components=modes,
    )
    known = pair_faces(
        scores[train], geometries[train], texture_components=kept, geometry_components=modes
    )
    found = canonical_correlation(
        known.textures.coefficients,
        known.geometries.coefficients,
        permutations=options.permutations,
        rng=rng,
    )
    return compared, found


def _draw_faces(
    options: ModelPairsOptions,
    pairs: "RegisteredFaces",
    compared: "AssignmentComparison",
    scores: "FloatArray",
    truths: "FloatArray",
) -> None:
    from geomface.files import save_image
    from geomface.report.model_figures import assignment_sheet
    from geomface.statistics import MorphableModel, fit_pca

    shown = slice(0, options.faces)
    assigned = {
        name: list(predictor.predict(scores[shown]))
        for name, predictor in compared.predictors.items()
    }
    model = MorphableModel(pairs.template, fit_pca(truths, components=1))
    save_image(options.out / "faces.png", assignment_sheet(model, list(truths[shown]), assigned))


def _figures(
    compared: "AssignmentComparison",
    found: "CanonicalCorrelation",
    train: Any,
    test: Any,
    modes: int,
) -> dict[str, Any]:
    return {
        "training_faces": len(train),
        "test_faces": len(test),
        "modes": modes,
        "mean_errors_mm": compared.mean_errors,
        "errors_mm": dict(compared.errors),
        "projection_mm": float(compared.projection.mean()),
        "correlations": found.correlations,
        "population": found.population,
        "p_values": found.p_values,
        "shuffled_p_values": found.shuffled_p_values,
    }
