"""The identity embedder on people it was not trained on, and what its descriptors are good for.

    python tests/benchmarks/identity.py [--weights FILE] [--picture FILE.jpg] [--quick]

Prints verification on held-out people (in colour, in grey, and on grey surfaces, where only the
shape tells), identity distances (SWD x 1000) between sets of people, and how often the nearest
cluster names an attribute rightly; draws held-out faces in the plane.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from geomface.faces import load_builtin_face
from geomface.faces.albedo import AlbedoModel, albedo_model, landmark_places
from geomface.faces.albedo_code import ALBEDO_PARAMETERS
from geomface.mesh import Mesh
from geomface.metrics import annotate, embed_in_plane, identity_distance, verify_identities
from geomface.recognition import (
    FrontalView,
    describe_faces,
    describe_pictures,
    draw_identity_pictures,
    load_embedder,
)
from geomface.recognition.frontal_training.pictures import picture_settings
from geomface.report.embedding_figure import embedding_figure
from geomface.report.images import encode
from geomface.report.model_figures import figure_image
from geomface.statistics import MorphableModel
from geomface.synthesis import Person, draw_person

TRAIN, HELD_OUT = 0, 2


def people(model: MorphableModel, seed: int, numbers: range) -> list[Person]:
    """Return people of a set of training pictures."""
    settings = picture_settings(1, 1, seed, eyes=False).identity
    return [draw_person(settings, len(model.shape), seed, number) for number in numbers]


def faces(
    model: MorphableModel,
    skin: AlbedoModel,
    who: list[Person],
    look: int,
    *,
    sigma: float = 1.0,
    colored: bool = True,
) -> Iterator[Mesh]:
    """Yield each person with a random expression, look 0 is neutral."""
    for person in who:
        rng = np.random.default_rng([look, person.index])
        weights = model.sample_expression(rng) if look else None
        shape = model.vertices(sigma * person.coefficients, weights)
        colors = skin.colors(sigma * person.albedo) if colored else None
        yield model.mesh.replace(vertices=shape, colors=colors)


def show(label: str, descriptors: np.ndarray, identities: np.ndarray) -> None:
    """Print a row of verification."""
    r = verify_identities(descriptors, identities)
    strict = verify_identities(descriptors, identities, far=0.001)
    print(
        f"{label:44s} AUC {r.auc:.4f}  EER {r.equal_error:.3f}  TAR@1e-2 {r.accepted:.3f}  "
        f"TAR@1e-3 {strict.accepted:.3f}  rank-1 {r.rank_1:.3f}  "
        f"cosine {r.same_mean:.2f} +- {r.same_deviation:.2f} / "
        f"{r.other_mean:.2f} +- {r.other_deviation:.2f}",
        flush=True,
    )


def attributes(model: MorphableModel, who: list[Person]) -> dict[str, list[str]]:
    """Return labels of people: the skin's tone in three parts, the others above and below 0."""
    found = {}
    code = np.stack([person.albedo for person in who])
    tone = code[:, ALBEDO_PARAMETERS.index("tone")]
    found["tone"] = [("deep", "medium", "fair")[int(k)] for k in np.digitize(tone, (-0.43, 0.43))]
    for name in ("lipRedness", "beard", "browDensity"):
        values = code[:, ALBEDO_PARAMETERS.index(name)]
        found[name] = ["more" if value > 0 else "less" for value in values]
    marks = model.template.landmarks
    assert marks is not None
    ratio = []
    for person in who:
        points = marks.positions(model.vertices(person.coefficients))
        ratio.append(np.ptp(points[:17, 0]) / (points[27, 1] - points[8, 1]))
    average = landmark_places(model.template)
    middle = np.ptp(average[:17, 0]) / (average[27, 1] - average[8, 1])
    found["face"] = ["wide" if value > middle else "long" for value in ratio]
    return found


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    network, model = load_embedder(options.weights), load_builtin_face()
    skin = albedo_model(model)
    many, size = (30, 60) if options.quick else (200, 300)

    data = draw_identity_pictures(many, 8, HELD_OUT)
    images = data.pictures.transpose(0, 2, 3, 1).astype(np.float32) / 255
    began_again = time.perf_counter()
    found = describe_pictures(images, network=network)
    rate = len(images) / (time.perf_counter() - began_again)
    show(f"held-out pictures, {many} people x 8", found, data.identities)
    grey = images.mean(axis=3, keepdims=True).repeat(3, axis=3)
    show("the same without colour", describe_pictures(grey, network=network), data.identities)
    odd = np.arange(len(images)) % 8 % 2 == 1
    show("without eyeballs only", found[odd], data.identities[odd])

    strangers = people(model, HELD_OUT, range(size))
    looks: dict[bool, np.ndarray] = {}
    for colored in (True, False):
        drawn = [
            mesh for look in (1, 2) for mesh in faces(model, skin, strangers, look, colored=colored)
        ]
        looks[colored] = describe_faces(drawn, model.template, network=network)
        label = f"meshes, {size} people x 2 expressions, "
        who = np.tile(np.arange(size), 2)
        show(label + ("coloured" if colored else "grey"), looks[colored], who)
    print(f"{rate:.0f} pictures a second are described on one thread\n")

    def described(seed: int, start: int, **how: float) -> np.ndarray:
        chosen = people(model, seed, range(start, start + size))
        return describe_faces(faces(model, skin, chosen, 1, **how), model.template, network=network)

    reference, again = looks[True][:size], looks[True][size:]
    few = np.resize(reference[: size // 10], reference.shape)
    sets = {
        "the same people, other expressions": again,
        "other held-out people": described(HELD_OUT, size),
        "people of the training": described(TRAIN, 0),
        "people of 0.7 sigma": described(HELD_OUT, size, sigma=0.7),
        "people of 0.4 sigma": described(HELD_OUT, size, sigma=0.4),
        "a tenth of the people, ten times each": few,
        "grey surfaces": looks[False][:size],
    }
    print(f"identity SWD x 1000 from {size} held-out people to as many")
    for label, other in sets.items():
        values = [identity_distance(reference, other, seed=seed) for seed in range(3)]
        print(f"{label:44s} {np.mean(values):7.2f} +- {np.std(values):.2f}", flush=True)

    known = people(model, HELD_OUT, range(size, 2 * size))
    print("\nattribute named rightly: centres, 15 neighbours, the most frequent label")
    known_labels, labels = attributes(model, known), attributes(model, strangers)
    for name, truth in labels.items():
        right = []
        for neighbours in (None, 15):
            given = annotate(
                reference,
                sets["other held-out people"],
                known_labels[name],
                neighbours=neighbours,
            )
            right.append(np.mean(np.array(given.labels) == truth))
        _, counts = np.unique(truth, return_counts=True)
        print(f"{name:44s} {right[0]:.3f} {right[1]:.3f} {counts.max() / size:.3f}", flush=True)

    if options.picture is not None:
        places = embed_in_plane(reference, perplexity=30 if size > 100 else 10, seed=0)
        pictures = np.stack(
            list(FrontalView(model.template, 96).pictures(faces(model, skin, strangers, 1)))
        )
        figure = embedding_figure(
            places, labels=labels["tone"], pictures=pictures, most=70, thumbnail=0.075
        )
        options.picture.write_bytes(encode(figure_image(figure), quality=82))
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
