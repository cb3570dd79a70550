"""The page of a template that was made: is everything where it belongs?"""

import numpy as np

import geomface
from geomface.arrays import ImageArray, IndexArray
from geomface.mesh import Template
from geomface.pipeline import OwnTemplate
from geomface.report.figures import FIT_INK, Gallery, uv_wireframe
from geomface.report.images import data_uri
from geomface.report.landmark_picture import with_dots
from geomface.report.page import (
    Figure,
    Section,
    build_page,
    columns,
    details,
    grid,
    heading,
    paragraph,
    table,
    tiles,
)

PIXELS, SMALL = 480, 200
_PLAIN = (0.80, 0.79, 0.78)
_DISTORTION = (
    ("flips", "flipped triangles"),
    ("l2_stretch", "L2 stretch (1 is the least)"),
    ("linf_stretch", "largest stretch"),
    ("mirror_error", "mirror error"),
    ("covered_area", "square covered"),
    ("vertices_without_texel", "vertices without a texel of their own"),
)


def template_page(made: OwnTemplate, name: str, folder: str) -> str:
    """Return the page as HTML: checks, landmarks, regions and uv as pictures, and what is next.

    Parameters
    ----------
    name : of the mesh that it was made of
    folder : where the template lies, for the commands
    """
    template = made.template
    sections = [_checks(made), _landmarks(template), _regions(template), _uv(made), _next(folder)]
    count = len(template.mesh.vertices)
    return build_page(
        f"Template {name}",
        f"{count:,} vertices in millimetres. Look at the pictures before scans are registered to "
        "it: what is wrong here is wrong in every result.",
        sections,
        footer=f"Made by geomface {geomface.__version__}. This file is complete: it loads nothing.",
    )


def _checks(made: OwnTemplate) -> Section:
    figures = made.figures
    picked = figures["landmarks_picked"]
    size = np.ptp(made.template.mesh.vertices, axis=0)
    marks = 0 if made.template.landmarks is None else len(made.template.landmarks)
    rows = [
        [check.name, "passed" if check.passed else "failed", check.sentence]
        for check in made.checks
    ]
    parts = [
        tiles(
            [
                (f"{figures['vertices']:,}", "vertices"),
                (f"{size[0]:.0f} × {size[1]:.0f} × {size[2]:.0f}", "mm wide, high, deep"),
                (f"{picked} of {marks}", "landmarks picked, the others carried over"),
                (str(len(made.template.regions)), "regions"),
                (figures["uv"], "uv: the mesh's own, or made"),
            ]
        ),
        table(
            ["check", "state", "what was found"], rows, text_columns=(0, 1, 2), states=("passed",)
        ),
    ]
    parts += [paragraph(note) for note in made.notes]
    return Section("Checks", "checks", parts)


def _landmarks(template: Template) -> Section:
    gallery = Gallery.around(template, size=PIXELS)
    figures = []
    if template.landmarks is not None:
        points = template.landmarks.positions(template.mesh.vertices)
        for yaw, side in ((-45.0, "from its right"), (0.0, "from the front"), (45.0, "left")):
            view = gallery.render(template.mesh, yaw=yaw)
            nothing = np.zeros(len(points), bool)
            dotted = with_dots(view, points, nothing, gallery.frame, yaw, numbers=True)
            side = "from its left" if side == "left" else side
            figures.append(Figure(data_uri(dotted, quality=92), f"Landmarks {side}, from 0."))
    text = paragraph(
        "Left and right are the subject's. A landmark that sits wrong: pick it on the mesh (null "
        "for the others) and make the template again with --landmarks."
    )
    return Section("Landmarks", "landmarks", [text, grid(figures, 3)])


def _regions(template: Template) -> Section:
    gallery = Gallery.around(template, size=SMALL)
    figures = [
        Figure(
            data_uri(_shown(gallery, template, ids)),
            f"{name}: {len(ids):,} vertices",
            alt=f"region {name} on the template",
        )
        for name, ids in sorted(template.regions.items())
    ]
    text = paragraph(
        "Regions weigh the uv (geomface unwrap --share eyes=0.1), choose where errors are measured "
        "(face_core) and which vertices a photograph is fitted with (narrow_face). They are vertex "
        "lists in template.regions.json: edit them as you like."
    )
    return Section("Regions", "regions", [text, grid(figures, 5)])


def _shown(gallery: Gallery, template: Template, ids: IndexArray) -> ImageArray:
    colors = np.tile(np.array(_PLAIN, np.float32), (len(template.mesh.vertices), 1))
    colors[ids] = FIT_INK
    return gallery.render(template.mesh, colors, yaw=20.0)


def _uv(made: OwnTemplate) -> Section:
    mesh = made.template.mesh
    gallery = Gallery.around(made.template, size=PIXELS)
    distortion = made.figures["distortion"]
    figures = [
        Figure(data_uri(gallery.checkered()), "A checker on the uv square, on the template."),
        Figure(data_uri(gallery.checkered(yaw=50.0)), "The same, from the side."),
        Figure(
            data_uri(uv_wireframe(mesh), form="png"),
            "The edges on the unit square; the subject's left is on the right.",
        ),
    ]
    rows = [
        [label, f"{distortion[key]:.4g}"]
        for key, label in _DISTORTION
        if distortion.get(key) is not None
    ]
    shares = [[name, f"{100 * share:.1f} %"] for name, share in sorted(distortion["share"].items())]
    tables = [
        heading("Figures") + table(["figure", "value"], rows, figures=True),
        heading("Share of the square") + table(["region", "share"], shares),
    ]
    return Section("UV", "uv", [grid(figures, 3), columns(tables)])


def _next(folder: str) -> Section:
    lines = [
        f"geomface register --template {folder} --scan scan.ply --out registered.ply",
        f"geomface pipeline run --template {folder} --scans my-scans --out my-result",
        "geomface report my-result",
    ]
    return Section("What is next", "next", [details("Commands", "\n".join(lines))])
