"""People that a texture GAN draws, against people: identity distance, novelty, the plane.

    python tests/benchmarks/generated_identities.py RUN SET TEST [--picture FILE.jpg]

RUN is a training on SET's textures; SET and TEST are made by `geomface synth textures` with other
seeds, TEST without damage. All faces are drawn from the front at the run's resolution and described
by the identity embedder. Prints

    SWD         identity distance x 1000 to the people of TEST, mean and deviation of three seeds of
                the directions: GAN textures on the geometries that least squares assigns to them,
                varied as people vary or not; the same with samples of the linear texture model;
                people of SET; half of TEST against the other half
    nearest     cosine with the nearest person of SET, median and 95 %: of GAN faces, of TEST

All sets are cut to one size. --picture draws GAN faces and people of TEST in one plane (t-SNE).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from geomface.datasets import ImageSet, load_textures
from geomface.datasets.registered_faces import registered_mm
from geomface.faces.builtin import load_builtin_face
from geomface.gan.progressive_texture import (
    JointModel,
    fit_joint_model,
    load_generator,
    textured_faces,
)
from geomface.learning import is_held_out, to_pictures
from geomface.mesh import Mesh
from geomface.metrics import embed_in_plane, identity_distance
from geomface.recognition import FrontalView, describe_faces
from geomface.report.embedding_figure import embedding_figure
from geomface.report.images import encode
from geomface.report.model_figures import figure_image
from geomface.statistics import align_meshes


def people(folder: Path, template: Mesh, size: int, held_out: float) -> Iterator[Mesh]:
    """Yield the registered people of a set who hide nothing, `held_out` of its names left out."""
    data: ImageSet = load_textures(folder, size)
    kept = [
        index
        for index in np.flatnonzero(data.complete())
        if not is_held_out(data.names[index], held_out)
    ]
    images, _ = data.read(torch.tensor(kept))
    for index, picture in zip(kept, to_pictures(images), strict=True):
        item = (folder / data.names[index]).parent
        shape = align_meshes(
            registered_mm(item, template)[None], reference=template.vertices, scale=False
        ).aligned[0]
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


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    generator = load_generator(options.run)
    size, held_out = generator.config["networks"]["size"], generator.config["held_out"]
    joint, template = fit_joint_model(options.set, size), load_builtin_face().template
    test = describe_faces(people(options.test, joint.template, size, 0.0), template)
    train = describe_faces(people(options.set, joint.template, size, held_out), template)
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
        real = list(people(options.test, joint.template, size, 0.0))[:count]
        both = [face for pair in zip(generated, real, strict=False) for face in pair]
        rows = np.stack([found["GAN"][:count], test[:count]], axis=1).reshape(2 * count, -1)
        labels = ["generated", "real"] * count
        pictures = np.stack(list(FrontalView(template, 96).pictures(iter(both))))
        figure = embedding_figure(
            embed_in_plane(rows, perplexity=30, seed=0),
            labels=labels,
            pictures=pictures,
            most=70,
            thumbnail=0.075,
        )
        options.picture.write_bytes(encode(figure_image(figure), quality=82))


if __name__ == "__main__":
    main()
