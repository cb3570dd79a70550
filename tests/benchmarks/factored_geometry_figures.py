"""Figures 3 and 5 to 10 of Abrevaya et al. 2019 from trained runs.

    python tests/benchmarks/factored_geometry_figures.py RUN --model FILE [--region NAME]
        [--arms RUN...] [--out FOLDER] [--size 120]

RUN is the full model, --arms what it is compared with in Figure 3; FILE is the face model that drew
the training faces, from which other people are drawn.

    figure3   a row an arm: random faces, faces of one person, faces of one expression
    figure5   the samples nearest to and farthest from the training faces
    figure6   people that were not trained on, their fits, and the distance (violet 0, yellow 3 mm)
    figure7   a row a person, its expressions random
    figure8   a row an expression code, its people random
    figure9   target, source, expression replaced, expression added
    figure10  interpolation of the person (above) and of the expression
"""

import argparse
from pathlib import Path

import numpy as np

from geomface.datasets.labelled_faces import split_faces
from geomface.files import save_image
from geomface.gan.factored_geometry import SYSTEM, FactoredModel, load_factored, stack_codes
from geomface.gan.factored_geometry.editing import edit_faces, interpolation_row
from geomface.gan.factored_geometry.fitting import PAPER_FIT, fit_faces
from geomface.gan.factored_geometry.pictures import face_pictures, labelled_grid, trimmed
from geomface.learning import load_trained
from geomface.metrics import nearest_meshes
from geomface.model_files import load_model
from geomface.rendering import heat_colors
from geomface.rendering.camera import frame_of
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces

SHOWN = 6


def rows_of(model: FactoredModel, seed: int) -> np.ndarray:
    """Return (9, V, 3): three random faces, three of one person, three of one expression."""
    codes = model.draw(9, seed=seed)
    first = {name: codes.part(name)[:1] for name in ("identity", "expression")}
    person = codes[3:6].replace(identity=first["identity"])
    expression = codes[6:].replace(expression=first["expression"])
    return model.vertices(stack_codes([codes[:3], person, expression]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--region")
    parser.add_argument("--arms", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--size", type=int, default=120)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--faces", type=int, default=40)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = load_factored(options.run)
    drawing = load_model(options.model)
    settings = LabelledFacesSettings(
        people=options.people, faces=options.faces, region=options.region
    )
    share = load_trained(options.run, system=SYSTEM).config["held_out"]
    training, held_out = split_faces(draw_labelled_faces(drawing, settings), share)
    mesh = model.template.mesh
    frame = frame_of([mesh.vertices])

    def save(name, faces, columns, rows, colors=None):
        pictures = trimmed(
            face_pictures(mesh, faces, size=options.size, frame=frame, colors=colors, yaw=15.0)
        )
        save_image(options.out / f"{name}.jpg", labelled_grid(pictures, columns, rows))
        print(options.out / f"{name}.jpg", flush=True)

    arms = {path.name: load_factored(path) for path in [*options.arms, options.run]}
    kinds = ["random"] * 3 + ["one person"] * 3 + ["one expression"] * 3
    save("figure3", np.concatenate([rows_of(arm, 3) for arm in arms.values()]), kinds, list(arms))

    samples = model.vertices(model.draw(500, seed=5))
    every = slice(None, None, 8)
    distances, _ = nearest_meshes(samples[:, every], training.vertices[:, every])
    order = np.argsort(distances)
    ends = np.concatenate([order[:3], order[-3:]])
    save("figure5", samples[ends], [f"{distances[row]:.2f} mm" for row in ends], [""])

    chosen = np.linspace(0, len(held_out) - 1, SHOWN).astype(int)
    faces = held_out.vertices[chosen].astype(float)
    fit = fit_faces(model, faces, settings=PAPER_FIT)
    gaps = np.linalg.norm(fit.vertices - faces, axis=2)
    colors = [None] * (2 * SHOWN) + [heat_colors(gap, 3.0) for gap in gaps]
    save(
        "figure6",
        np.concatenate([faces, fit.vertices, fit.vertices]),
        [f"{gap.mean():.2f} mm" for gap in gaps],
        ["true", "fit", "distance"],
        colors,
    )

    for name, kept in (("figure7", "identity"), ("figure8", "expression")):
        codes = model.draw(4 * SHOWN, seed=7)
        codes = codes.replace(**{kept: np.repeat(codes.part(kept)[::SHOWN], SHOWN, axis=0)})
        save(name, model.vertices(codes), [""] * SHOWN, [f"{kept} {k + 1}" for k in range(4)])

    labels, classes = held_out.truth["expression"], held_out.classes["expression"]
    pair = [
        np.flatnonzero(labels == classes.index("neutral"))[0],
        np.flatnonzero(labels == classes.index("surprise"))[-1],
    ]
    own, other = (held_out.vertices[row : row + 1].astype(float) for row in pair)
    both = fit_faces(model, np.concatenate([own, other]), settings=PAPER_FIT).codes
    target, source = both[:1], both[1:]
    replaced = target.replace(expression=source.part("expression"))
    added = target.add(expression=source.part("expression"))
    changed = [edit_faces(model, target, codes, own) for codes in (replaced, added)]
    save(
        "figure9",
        np.concatenate([own, other, *changed]),
        ["target", "source", "replaced", "added"],
        [""],
    )

    ends = model.draw(2, seed=11, expression=["neutral", "happy"])
    steps = [
        interpolation_row(ends[:1], ends[1:], SHOWN, parts=(name,))
        for name in ("identity", "expression")
    ]
    save(
        "figure10",
        model.vertices(stack_codes(steps)),
        [f"{share:.1f}" for share in np.linspace(0, 1, SHOWN)],
        ["identity", "expression"],
    )


if __name__ == "__main__":
    main()
