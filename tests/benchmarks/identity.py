"""Descriptors of renders: how well they tell people apart, and what else they are good for.

    python tests/benchmarks/identity.py [--embedder FILE] [--picture FILE.jpg] [--quick]

Prints verification of people that no training saw (in colour, in grey, and on grey surfaces, where
only the shape tells), identity distances (SWD x 1000) between sets of people, and how often the
nearest cluster names an attribute rightly; draws faces in the plane. Light and background of
`FrontalView` were chosen on people of set 2; those that are measured are of set 3.
"""

import argparse
import dataclasses
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
    FaceEmbedder,
    FrontalView,
    describe_faces,
    describe_pictures,
    load_embedder,
)
from geomface.recognition.frontal import BEHIND
from geomface.report.embedding_figure import embedding_figure
from geomface.report.images import encode
from geomface.report.model_figures import figure_image
from geomface.statistics import MorphableModel
from geomface.synthesis import (
    CameraSettings,
    FaceImageSettings,
    FaceSampler,
    Gaussian,
    IdentitySettings,
    Person,
    PoseSettings,
    Uniform,
    draw_person,
)

HELD_OUT, TRAINED = 3, 101
"""Sets of people: those measured; those of the training that ships, the even ones of whom are of
the built-in face."""
SIZE, SAMPLES = 112, 8


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures of people in any expression, light and camera, turned by up to 10 degrees.

    Every other one is drawn without eyeballs, which scans and models do not have.
    """

    colors: np.ndarray
    """(N, size, size, 3) on black."""
    cover: np.ndarray
    """(N, size, size, 1), share of a pixel that the face covers."""
    landmarks: np.ndarray
    """(N, 68, 2)."""

    def on(self, behind: float, *, grey: bool = False) -> np.ndarray:
        """Return the pictures on a background, or as a grey camera takes them."""
        shown = np.clip(self.colors + (1.0 - self.cover) * np.float32(behind), 0.0, 1.0)
        return shown.mean(axis=3, keepdims=True).repeat(3, axis=3) if grey else shown


def draw_pictures(model: MorphableModel, count: int) -> Pictures:
    """Draw `SAMPLES` pictures of each of `count` people, person by person."""
    turn = Uniform(-10.0, 10.0)
    settings = FaceImageSettings(
        identities=count,
        samples=SAMPLES,
        size=SIZE,
        seed=HELD_OUT,
        outputs=("rgb", "alpha"),
        pose=PoseSettings(turn, turn, Uniform(-5.0, 5.0)),
        camera=CameraSettings(
            scale=Gaussian(0.88, 0.03),
            offset_x=Gaussian(0.0, 0.012),
            offset_y=Gaussian(0.0, 0.012),
        ),
    )
    samplers = [
        FaceSampler(dataclasses.replace(settings, eyes=eyes), model) for eyes in (True, False)
    ]
    found = Pictures(
        np.empty((count, SAMPLES, SIZE, SIZE, 3), np.float32),
        np.empty((count, SAMPLES, SIZE, SIZE, 1), np.float32),
        np.empty((count, SAMPLES, 68, 2)),
    )
    for person in range(count):
        for first, sampler in enumerate(samplers):
            batch = sampler.batch([(person, k) for k in range(first, SAMPLES, 2)])
            found.colors[person, first::2] = batch.images["rgb"]
            found.cover[person, first::2] = batch.images["alpha"][..., None]
            found.landmarks[person, first::2] = batch.landmarks
    return Pictures(*(part.reshape(-1, *part.shape[2:]) for part in vars(found).values()))


def people(model: MorphableModel, seed: int, numbers: range) -> list[Person]:
    """Return people of a set of synthetic faces."""
    return [draw_person(IdentitySettings(), len(model.shape), seed, number) for number in numbers]


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
    parser.add_argument("--embedder", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    embedder, model = load_embedder(options.embedder), load_builtin_face()
    many, size = (30, 60) if options.quick else (200, 300)
    measure_pictures(model, embedder, many)
    measure_meshes(model, embedder, size, options.picture)
    print(f"\n{time.perf_counter() - began:.0f} s")


def measure_pictures(model: MorphableModel, embedder: FaceEmbedder, count: int) -> None:
    """Print how well people are told apart in pictures."""
    drawn = draw_pictures(model, count)
    identities = np.repeat(np.arange(count), SAMPLES)

    def describe(images: np.ndarray) -> np.ndarray:
        return describe_pictures(images, drawn.landmarks, embedder=embedder)

    images = drawn.on(BEHIND)
    began = time.perf_counter()
    found = describe(images)
    rate = len(images) / (time.perf_counter() - began)
    show(f"pictures, {count} people x {SAMPLES}", found, identities)
    show("the same without colour", describe(drawn.on(BEHIND, grey=True)), identities)
    eyes = np.arange(len(images)) % SAMPLES % 2 == 0
    show("those with eyeballs", found[eyes], identities[eyes])
    show("those without eyeballs", found[~eyes], identities[~eyes])
    dark = describe(drawn.on(0.0))
    show("all on black", dark, identities)
    show("those with eyeballs on black", dark[eyes], identities[eyes])
    print(f"{rate:.0f} pictures a second are described on one thread\n")


def measure_meshes(
    model: MorphableModel, embedder: FaceEmbedder, size: int, picture: Path | None
) -> None:
    """Print what descriptors of `size` people say of them and of sets of people."""
    skin = albedo_model(model)
    strangers = people(model, HELD_OUT, range(size))
    looks: dict[bool, np.ndarray] = {}
    for colored in (True, False):
        shown = (
            mesh for look in (1, 2) for mesh in faces(model, skin, strangers, look, colored=colored)
        )
        looks[colored] = describe_faces(shown, model.template, embedder=embedder)
        label = f"meshes, {size} people x 2 expressions, "
        who = np.tile(np.arange(size), 2)
        show(label + ("coloured" if colored else "grey"), looks[colored], who)

    def described(seed: int, numbers: range, **how: float) -> np.ndarray:
        chosen = people(model, seed, numbers)
        shown = faces(model, skin, chosen, 1, **how)
        return describe_faces(shown, model.template, embedder=embedder)

    reference, again = looks[True][:size], looks[True][size:]
    few, others = np.resize(reference[: size // 10], reference.shape), range(size, 2 * size)
    sets = {
        "the same people, other expressions": again,
        "people of the training": described(TRAINED, range(0, 2 * size, 2)),
        "other held-out people": described(HELD_OUT, others),
        "a tenth of the people, ten times each": few,
        "people of 0.7 sigma": described(HELD_OUT, others, sigma=0.7),
        "people of 0.4 sigma": described(HELD_OUT, others, sigma=0.4),
        "grey surfaces": looks[False][:size],
    }
    print(f"identity SWD x 1000 from {size} held-out people to as many")
    for label, other in sets.items():
        values = [identity_distance(reference, other, seed=seed) for seed in range(3)]
        print(f"{label:44s} {np.mean(values):7.2f} +- {np.std(values):.2f}", flush=True)

    known = people(model, HELD_OUT, others)
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

    if picture is not None:
        places = embed_in_plane(reference, perplexity=30 if size > 100 else 10, seed=0)
        view = FrontalView(model.template, 96)
        thumbs = [shown for shown, _ in view.pictures(faces(model, skin, strangers, 1))]
        figure = embedding_figure(
            places, labels=labels["tone"], pictures=np.stack(thumbs), most=70, thumbnail=0.075
        )
        picture.write_bytes(encode(figure_image(figure), quality=82))


if __name__ == "__main__":
    main()
