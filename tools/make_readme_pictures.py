"""Make the README's small pictures, one a capability, all of people who do not exist.

    python tools/make_readme_pictures.py [NAME ...]

Written to docs/images, each at most 60 kB. The ones of learned systems are strips of the larger
pictures that their result pages show.
"""

import dataclasses
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import geomface as gf
from geomface.arrays import ImageArray
from geomface.report.figures import Gallery, uv_wireframe

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
MOST_BYTES = 60_000
MOST_WIDTH = 960
SIDE = 220
UPPER_MM = 3.0


def registration() -> ImageArray:
    """Return a scan, scan and template together, the distance to the truth, the texture."""
    face = gf.load_builtin_face()
    scan = gf.simulate_scan(face, rng=np.random.default_rng(5))
    fit = gf.register(face.template, scan.mesh, scan.landmarks)
    vertices, flat = fit.mesh.vertices, gf.unwrap(face.template).mesh
    gallery = Gallery.around(dataclasses.replace(face.template, mesh=flat), [vertices], SIDE)
    pose = gallery.pose_of(vertices)
    off = np.linalg.norm(vertices - scan.truth["vertices"], axis=1)
    bake = gf.bake_texture(flat, vertices, scan.mesh, size=512)
    textured = flat.replace(vertices=pose.apply(vertices), texture=bake.texture)
    panels = [
        gallery.scan(scan.mesh, pose),
        gallery.overlay(scan.mesh, vertices, pose),
        gallery.heat(vertices, pose, off, UPPER_MM),
        gallery.render(textured, yaw=-25.0),
    ]
    return gf.contact_sheet(panels, 4)


def landmarks() -> ImageArray:
    """Return the landmarks that are found on a lying scan and on two drawn photographs."""
    scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(3)).mesh
    found = gf.detect_landmarks(scan)
    panels = [gf.landmark_picture(scan, found, size=SIDE, yaws=(0.0, 40.0))]
    sampler = gf.FaceSampler(gf.FaceImageSettings(identities=9, size=SIDE, seed=4, preset="photo"))
    for person in (1, 6):
        image = sampler.batch([(person, 0)]).images["rgb"][0].copy()
        for x, y in gf.detect_photograph_landmarks(image).faces[0].points:
            row, column = int(y), int(x)
            image[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = (0.1, 0.9, 0.3)
        panels.append(image)
    return beside(panels)


def uv() -> ImageArray:
    """Return a checker on the template, the map itself, and a baked texture."""
    face = gf.load_builtin_face()
    flat = gf.unwrap(face.template).mesh
    gallery = Gallery.around(dataclasses.replace(face.template, mesh=flat), size=SIDE)
    scan = gf.simulate_scan(face, rng=np.random.default_rng(5))
    fit = gf.register(face.template, scan.mesh, scan.landmarks)
    bake = gf.bake_texture(flat, fit.mesh.vertices, scan.mesh, size=SIDE)
    image = gf.GeometryImageEncoder(flat, SIDE).encode(fit.mesh.vertices)
    moved = np.where(image.mask[..., None], image.pixels, np.nan)
    low, high = np.nanmin(moved, axis=(0, 1)), np.nanmax(moved, axis=(0, 1))
    shown = np.nan_to_num((moved - low) / (high - low), nan=1.0).astype(np.float32)
    return beside([gallery.checkered(30.0), uv_wireframe(flat, SIDE), bake.texture, shown])


def model() -> ImageArray:
    """Return walks along the leading modes of the built-in face."""
    return gf.walk_sheet(gf.load_builtin_face(), modes=2, size=SIDE - 40)


def photograph() -> ImageArray:
    """Return the sheet of a fit to a drawn photograph."""
    settings = gf.FaceImageSettings(identities=9, size=256, seed=4, preset="photo")
    image = gf.FaceSampler(settings).batch([(6, 0)]).images["rgb"][0]
    return gf.fit_sheet(image, gf.fit_image(image), height=SIDE)


def synthetic_people() -> ImageArray:
    """Return twelve people who do not exist, as if photographed."""
    settings = gf.FaceImageSettings(identities=12, size=150, seed=11, preset="photo")
    sampler = gf.FaceSampler(settings)
    people = [sampler.batch([(person, 0)]).images["rgb"][0] for person in range(12)]
    return gf.contact_sheet(people, 6)


def progressive_texture() -> ImageArray:
    """Return the upper rows of the faces that the texture generator draws."""
    return strip("generated_faces.jpg", 1.0)


def factored_geometry() -> ImageArray:
    """Return the upper half of the grid of people and expressions."""
    return strip("factored_faces.jpg", 0.5)


def render_to_photo() -> ImageArray:
    """Return renders above their translations."""
    return strip("translated_faces.jpg", 1.0)


def landmark_reenactment() -> ImageArray:
    """Return the first of the people who are turned."""
    return strip("reenacted_views.jpg", 0.5)


def recognition() -> ImageArray:
    """Return three pictures of two drawn people; the cosines stand below them."""
    from geomface.recognition import describe_pictures

    settings = gf.FaceImageSettings(identities=9, samples=2, size=SIDE, seed=4, preset="photo")
    sampler = gf.FaceSampler(settings)
    pictures = [sampler.batch([place]).images["rgb"][0] for place in ((1, 0), (1, 1), (6, 0))]
    points = [gf.detect_photograph_landmarks(one).faces[0].points for one in pictures]
    rows = describe_pictures(pictures, landmarks=points)
    labels = ["one person", *(f"cosine {float(rows[0] @ row):.2f}" for row in rows[1:])]
    return gf.contact_sheet(pictures, 3, labels)


def strip(name: str, share: float) -> ImageArray:
    """Return the upper share of one of the larger pictures."""
    image = gf.load_image(IMAGES / name)
    return image[: round(share * len(image))]


def beside(panels: list[ImageArray]) -> ImageArray:
    """Return pictures of one height side by side."""
    return np.concatenate([panel[:SIDE] for panel in panels], axis=1)


def save(name: str, image: ImageArray) -> int:
    """Write a picture as JPEG, as fine as its bytes allow, and return them."""
    picture = Image.fromarray((np.clip(image, 0, 1) * 255).round().astype(np.uint8))
    if picture.width > MOST_WIDTH:
        height = round(picture.height * MOST_WIDTH / picture.width)
        picture = picture.resize((MOST_WIDTH, height), Image.Resampling.LANCZOS)
    for quality in range(88, 30, -6):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= MOST_BYTES:
            break
    (IMAGES / f"readme_{name}.jpg").write_bytes(data.getvalue())
    return data.tell()


PICTURES: dict[str, Callable[[], ImageArray]] = {
    made.__name__: made
    for made in (
        registration,
        landmarks,
        uv,
        model,
        photograph,
        synthetic_people,
        progressive_texture,
        factored_geometry,
        render_to_photo,
        landmark_reenactment,
        recognition,
    )
}


if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        sys.stdout.write(f"{name}: {save(name, PICTURES[name]()):,} bytes\n")
        sys.stdout.flush()
