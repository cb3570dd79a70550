"""How much people differ: modes of their skin and of their pictures, beside photographs.

    python tests/benchmarks/people.py [--people 300] [--sigma 1.0] [--photographs DIR] [--sheet F]

Prints the participation ratio, (sum l)^2 / sum l^2 over the eigenvalues l of a covariance, of the
skins of random people on the uv square (as they are, and with each skin's mean colour taken out)
and of their pictures from the front (neutral, one light); then how much people differ over how
much pictures of one person do, for photographs as well.
"""

import argparse
from pathlib import Path

import numpy as np

import geomface as gf
from geomface.faces.albedo_texture import AlbedoTexture
from geomface.files import save_image
from geomface.metrics.face_frame import frame_face
from geomface.metrics.face_sets import FramedFaces, compare_face_sets
from geomface.rendering import contact_sheet
from geomface.synthesis import Constant, ExpressionSettings, IdentitySettings, LightSettings

TEXTURE, PICTURE = 128, 227
STILL = Constant(0.0)


def participation(rows: np.ndarray) -> float:
    """Return the effective number of modes of (N, D) rows."""
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    gram = rows - rows.mean(axis=0)
    values = np.linalg.eigvalsh(gram @ gram.T)
    return float(values.sum() ** 2 / (values**2).sum())


def skins(model: gf.MorphableModel, count: int) -> None:
    """Print the modes of the skins of random people."""
    mesh = gf.unwrap(model.template).mesh
    painter = AlbedoTexture(gf.Template(mesh, model.template.landmarks), TEXTURE)
    rng = np.random.default_rng(7)
    codes = [gf.sample_albedo_code(model.sample_identity(rng), rng) for _ in range(count)]
    texels = np.stack([painter.image(code)[painter.covered] for code in codes])
    bare = texels - texels.mean(axis=1, keepdims=True)
    print(f"skin: {participation(texels):.2f} modes, {participation(bare):.2f} without mean colour")
    print(f"      spread {texels.std(axis=0).mean():.4f}, {bare.std(axis=0).mean():.4f} without")


def pictures(count: int, samples: int, sigma: float, still: bool) -> tuple[FramedFaces, list]:
    """Return people in the frame, and some as they were rendered."""
    settings = gf.FaceImageSettings(
        identities=count,
        samples=samples,
        size=PICTURE,
        preset="photo",
        seed=3,
        identity=IdentitySettings(coefficients=gf.Gaussian(0.0, sigma)),
        expression=ExpressionSettings(kind="neutral" if still else "groups"),
        pose=gf.PoseSettings(STILL, STILL, STILL)
        if still
        else gf.PoseSettings(gf.Gaussian(0.0, 12.0), gf.Gaussian(0.0, 6.0), gf.Gaussian(0.0, 3.0)),
        light=LightSettings(Constant(20.0), Constant(30.0), Constant(0.45))
        if still
        else LightSettings(),
    )
    framed, people, shown = [], [], []
    for batch in gf.FaceSampler(settings).batches(8):
        for picture, marks, item in zip(
            batch.images["rgb"], batch.landmarks, batch.parameters, strict=True
        ):
            face = frame_face(picture, marks)
            if face is not None:
                framed.append(face.picture)
                people.append(str(item.identity))
            if len(shown) < 24 and item.sample == 0:
                shown.append(picture)
    return FramedFaces(np.stack(framed), people), shown


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--sigma", type=float, default=1.0)
    parser.add_argument("--photographs", type=Path, help="folder of photographs, one a person")
    parser.add_argument("--sheet", type=Path, help="PNG with 24 people")
    given = parser.parse_args()
    skins(gf.load_builtin_face(), given.people)
    frontal, shown = pictures(given.people, 1, given.sigma, still=True)
    print(f"pictures: {participation(frontal.pictures):.2f} modes")
    if given.sheet is not None:
        save_image(given.sheet, contact_sheet(shown, 6, [""] * len(shown)))
    if given.photographs is not None:
        real = read_photographs(given.photographs)
        moving, _ = pictures(max(given.people // 10, 8), 10, given.sigma, still=False)
        found = compare_face_sets(moving, real)
        print(f"photographs: {participation(one_a_person(real)):.2f} modes of one picture a person")
        for name, both in found.features.items():
            print(
                f"{name}: people over pictures {both.between_people:.3f}, of photographs "
                f"{both.between_people_of_photographs:.3f}"
            )


def read_photographs(path: Path) -> FramedFaces:
    """Return photographs (people, pictures, 112, 92) of an npz."""
    images = np.load(path)["images"]
    people, each = images.shape[:2]
    names = [str(k) for k in np.repeat(np.arange(people), each)]
    return FramedFaces(images.reshape(-1, *images.shape[2:]).astype(np.float32) / 255.0, names)


def one_a_person(faces: FramedFaces) -> np.ndarray:
    """Return the first picture of everybody."""
    _, first = np.unique(faces.people, return_index=True)
    return faces.pictures[first]


if __name__ == "__main__":
    main()
