"""People that a texture GAN draws, against people: identity distance, novelty, the plane.

    python tests/benchmarks/generated_identities.py RUN|shipped SET TEST [--picture FILE.jpg]
                                                    [--figures FOLDER] [--generated 1000]

RUN is a training on SET's textures, "shipped" the model that comes with geomface. SET and TEST are
made by `geomface synth textures` with other seeds, TEST without damage. Faces are drawn from the
front at the run's resolution and described by the embedder that ships. Prints

    SWD         identity distance x 1000 to the people of TEST, mean and deviation of three seeds of
                the directions: GAN textures on the geometries that least squares assigns to them,
                varied as people vary or not; the same with samples of the linear texture model;
                people of SET; half of TEST against the other half
    nearest     cosine with the nearest person of SET, median and 95 %: of GAN faces, of TEST

All sets are cut to one size. --picture draws GAN faces and people of TEST in one plane (t-SNE).
--figures draws Figures 14 to 16 of the paper with the same descriptors, of people who hide nothing:

    novelty.jpg     14: distances of generated faces and of TEST to SET, of TEST to generated ones
    neighbours.jpg  15: generated faces above their nearest of SET, TEST above its nearest generated
    planes.jpg      16: SET and generated, SET and the linear model, generated faces by the tone of
                    skin of the nearest cluster of SET
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from geomface.datasets import ImageSet, layout, load_textures
from geomface.datasets.registered_faces import registered_mm
from geomface.faces.albedo_code import ALBEDO_PARAMETERS
from geomface.faces.builtin import load_builtin_face
from geomface.files import load_tensors
from geomface.gan.progressive_texture import (
    JointModel,
    fit_joint_model,
    load_generator,
    load_joint,
    textured_faces,
)
from geomface.learning import is_held_out, to_pictures
from geomface.mesh import Mesh, Template
from geomface.metrics import (
    annotate,
    embed_in_plane,
    identity_distance,
    nearest_distances,
    novelty,
)
from geomface.pipeline.texture_face import TRUTH_KIND, TRUTH_SCHEMA
from geomface.recognition import FrontalView, describe_faces
from geomface.report.embedding_figure import embedding_figure, planes_figure
from geomface.report.images import encode, side_by_side
from geomface.report.model_figures import figure_image
from geomface.report.neighbour_figures import neighbour_sheet, novelty_figure
from geomface.statistics import align_meshes

SHOWN = 12
"""Faces of each kind in the figure of neighbours: the first ones, as they come."""


def whole(folder: Path, size: int, held_out: float) -> list[str]:
    """Return the names of those who hide nothing, `held_out` of the names left out."""
    data: ImageSet = load_textures(folder, size)
    names = [data.names[index] for index in np.flatnonzero(data.complete())]
    return [name for name in names if not is_held_out(name, held_out)]


def people(folder: Path, names: list[str], template: Mesh, size: int) -> Iterator[Mesh]:
    """Yield registered people of a set."""
    data: ImageSet = load_textures(folder, size)
    images, _ = data.read(torch.tensor([data.names.index(name) for name in names]))
    for name, picture in zip(names, to_pictures(images), strict=True):
        vertices = registered_mm((folder / name).parent, template)
        shape = align_meshes(vertices[None], reference=template.vertices, scale=False).aligned[0]
        yield template.replace(vertices=shape, texture=picture, colors=None)


def linear_faces(joint: JointModel, count: int, seed: int, variety: bool) -> Iterator[Mesh]:
    """Yield samples of the linear texture model on the geometry assigned to them."""
    draws = np.random.default_rng(seed).standard_normal((count, len(joint.textures)))
    shapes = joint.assignment.predict(draws * np.sqrt(joint.textures.variances))
    if variety:
        code = np.random.default_rng([seed, 2]).standard_normal((count, len(joint.variety)))
        shapes = shapes + np.tensordot(code, joint.variety, axes=1)
    for code, shape in zip(draws, shapes, strict=True):
        picture = joint.textures.reconstruct(code)
        yield joint.template.replace(vertices=shape, texture=picture, colors=None)


def tones(folder: Path, names: list[str]) -> list[str]:
    """Return the tone of the skin of people of a set, from the truth."""
    codes = []
    for name in names:
        path = (folder / name).parent / layout.TRUTH_ARRAYS
        codes.append(load_tensors(path, kind=TRUTH_KIND, schema=TRUTH_SCHEMA)[0]["albedo_code"])
    tone = np.stack(codes)[:, ALBEDO_PARAMETERS.index("tone")]
    return [("deep", "medium", "fair")[int(k)] for k in np.digitize(tone, (-0.43, 0.43))]


def draw_figures(
    folder: Path,
    faces: dict[str, list[Mesh]],
    rows: dict[str, np.ndarray],
    tone: list[str],
    template: Template,
) -> None:
    """Write Figures 14 to 16 and print what they show.

    Parameters
    ----------
    faces, rows : meshes and descriptors of "generated", "linear", "train", "test"
    tone : of the people of "train"
    """
    folder.mkdir(parents=True, exist_ok=True)
    generated, train, test = (rows[name] for name in ("generated", "train", "test"))
    result = novelty(generated, train, test)
    equal = np.median(nearest_distances(test, generated[: len(train)])[0])
    print(f"{len(generated)} generated, {len(train)} of SET, {len(test)} of TEST; 5, 50, 95 %")
    for name in ("generated_to_train", "test_to_train", "test_to_generated"):
        low, middle, high = np.percentile(getattr(result, name), [5, 50, 95])
        print(f"{name:<20} {low:.3f} {middle:.3f} {high:.3f}")
    print(
        f"test to the first {len(train)} generated, median {equal:.3f}; copies {result.copies:.2%}"
    )
    figure = novelty_figure(result, unit="distance of descriptors to the nearest")
    write_image(folder / "novelty.jpg", figure_image(figure))

    view, sheets = FrontalView(template, 96), []
    for first, second in (("generated", "train"), ("test", "generated")):
        chosen = rows[first][:SHOWN]
        distances, nearest = nearest_distances(chosen, rows[second])
        pairs = [faces[first][:SHOWN], [faces[second][k] for k in nearest]]
        above, below = (
            np.stack([shown for shown, _ in view.pictures(iter(part))]) for part in pairs
        )
        sheets.append(neighbour_sheet(above, below, distances=distances, columns=SHOWN // 2))
    write_image(folder / "neighbours.jpg", side_by_side(sheets, gap=24))

    many = min(len(rows[name]) for name in ("generated", "linear", "train"))
    parts = [rows[name][:many] for name in ("train", "generated", "linear")]
    places = embed_in_plane(np.concatenate(parts), perplexity=30, seed=0).reshape(3, many, 2)
    given = annotate(parts[1], train, tone)
    shares = {name: given.labels.count(name) / many for name in given.names}
    print("tone of SET", {name: round(tone.count(name) / len(tone), 3) for name in given.names})
    print("tone of generated, by cluster", {name: round(part, 3) for name, part in shares.items()})
    figure = planes_figure(
        {
            "people and generated": (
                np.concatenate(places[:2]),
                ["people"] * many + ["generated"] * many,
            ),
            "people and linear model": (
                np.concatenate(places[::2]),
                ["people"] * many + ["linear model"] * many,
            ),
            "generated, by nearest cluster": (places[1], given.labels),
        }
    )
    write_image(folder / "planes.jpg", figure_image(figure))


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a JPEG."""
    path.write_bytes(encode(image, quality=85))


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run")
    parser.add_argument("set", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--generated", type=int, default=1000, help="faces of the figures")
    options = parser.parse_args()
    shipped = options.run == "shipped"
    generator = load_generator(None if shipped else options.run)
    size, held_out = generator.config["networks"]["size"], generator.config.get("held_out", 0.1)
    joint = load_joint() if shipped else fit_joint_model(options.set, size)
    template = load_builtin_face().template
    names, tested = whole(options.set, size, held_out), whole(options.test, size, 0.0)
    test = describe_faces(people(options.test, tested, joint.template, size), template)
    train = describe_faces(people(options.set, names, joint.template, size), template)
    count = min(len(test), len(train))
    generated = list(textured_faces(generator, joint, count, variety=1.0))
    found = {
        "GAN": describe_faces(iter(generated), template),
        "GAN, mean geometries": describe_faces(textured_faces(generator, joint, count), template),
        "linear model": describe_faces(linear_faces(joint, count, 0, True), template),
        "linear model, mean geometries": describe_faces(
            linear_faces(joint, count, 0, False), template
        ),
        "people of SET": train,
    }
    print(f"{count} faces a row, {size} px; identity SWD x 1000 to the people of TEST")
    for name, rows in found.items():
        values = [identity_distance(rows[:count], test[:count], seed=seed) for seed in range(3)]
        print(f"{name:<28} {np.mean(values):6.2f} +- {np.std(values):.2f}", flush=True)
    half = len(test) // 2
    values = [identity_distance(test[:half], test[half : 2 * half], seed=s) for s in range(3)]
    print(f"{f'TEST, {half} against {half}':<28} {np.mean(values):6.2f} +- {np.std(values):.2f}")
    print("cosine with the nearest person of SET: median, 95 %")
    for name, rows in (("GAN", found["GAN"]), ("TEST", test)):
        nearest = (rows[:count] @ train.T).max(axis=1)
        print(f"{name:<28} {np.median(nearest):.3f} {np.percentile(nearest, 95):.3f}")
    if options.picture is not None:
        real = list(people(options.test, tested, joint.template, size))[:count]
        both = [face for pair in zip(generated, real, strict=False) for face in pair]
        rows = np.stack([found["GAN"][:count], test[:count]], axis=1).reshape(2 * count, -1)
        labels = ["generated", "real"] * count
        pictures = np.stack([shown for shown, _ in FrontalView(template, 96).pictures(both)])
        figure = embedding_figure(
            embed_in_plane(rows, perplexity=30, seed=0),
            labels=labels,
            pictures=pictures,
            most=70,
            thumbnail=0.075,
        )
        options.picture.write_bytes(encode(figure_image(figure), quality=82))
    if options.figures is not None:
        faces = {
            "generated": list(textured_faces(generator, joint, options.generated, variety=1.0)),
            "train": list(people(options.set, names, joint.template, size)),
            "test": list(people(options.test, tested, joint.template, size)),
        }
        rows = {"train": train, "test": test, "linear": found["linear model"]}
        rows["generated"] = describe_faces(iter(faces["generated"]), template)
        draw_figures(options.figures, faces, rows, tones(options.set, names), template)


if __name__ == "__main__":
    main()
