"""The part of a report about the template, its UV map, the model and the new faces."""

import json
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray
from geomface.datasets import layout
from geomface.faces.dressing import sunken_eyes
from geomface.files import load_image, read_json
from geomface.files.reading import taking_apart
from geomface.files.records import plain
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh
from geomface.report.charts import bar_chart
from geomface.report.collection import Collection
from geomface.report.figures import Gallery, uv_wireframe
from geomface.report.glossary import meaning
from geomface.report.images import data_uri
from geomface.report.page import Figure, Section, columns, details, grid, heading, paragraph, table
from geomface.report.viewer import ViewerShape, viewer_html
from geomface.statistics import LinearModel, MorphableModel, read_morphable

SIGMA = 3.0
MODES = 4


def template(collection: Collection, gallery: Gallery) -> Section:
    """Return the template with its UV map and how much that stretches."""
    mesh = collection.template.mesh
    place = collection.out / layout.TEMPLATE_REPORT
    record = read_json(place)
    figures = [
        Figure(data_uri(gallery.checkered()), "A checker on the UV square, on the template."),
        Figure(data_uri(gallery.checkered(yaw=50.0)), "The same, from the side."),
        Figure(
            data_uri(uv_wireframe(mesh), form="png"),
            "The template's edges on the unit square; the subject's left is on the right.",
        ),
    ]
    with taking_apart(place, "the report of a template"):
        report = record.get("report", {})
        rows = [
            ["vertices", f"{len(mesh.vertices):,}"],
            ["triangles", f"{len(mesh.faces):,}"],
            ["topology", mesh.topology_id],
            *[
                [label, f"{report[key]:.4g}"]
                for key, label in (
                    ("flips", "flipped triangles"),
                    ("l2_stretch", "L2 stretch (1 is the least)"),
                    ("linf_stretch", "largest stretch"),
                    ("mirror_error", "mirror error"),
                    ("covered_area", "square covered"),
                    ("vertices_without_texel", "vertices without a texel of their own"),
                )
                if report.get(key) is not None
            ],
        ]
        shares = [
            [name, f"{100 * share:.1f} %"]
            for name, share in sorted(report.get("share", {}).items())
        ]
    tables = [heading("Figures") + table(["figure", "value"], rows, figures=True)]
    if shares:
        tables.append(heading("Share of the square") + table(["region", "share"], shares))
    parts = [grid(figures, 3), columns(tables)]
    return Section("Template and UV", "template", parts)


def shape_model(
    collection: Collection, gallery: Gallery, model: MorphableModel | None
) -> Section | None:
    """Return the modes of the shape model; None without one."""
    points = _shape_model(collection)
    if points is None or not len(points):
        return None
    explained = points.explained
    single = np.diff(np.concatenate([[0.0], explained]))
    chart = bar_chart(
        [str(index + 1) for index in range(len(points))],
        [100 * float(share) for share in single],
        unit="% of the variance",
    )
    parts = [
        paragraph(
            f"Principal components of {points.sample_count} registered meshes after alignment: "
            f"{len(points)} modes hold {100 * explained[-1]:.1f} % of the variance. Each row "
            "shows one mode at -3, 0 and +3 standard deviations, from two sides."
        )
    ]
    parts.append(meaning(["variance_share"]))
    parts += [grid(row, 6) for row in _mode_pictures(points, gallery, model)]
    parts.append(grid([Figure(chart, "Share of the variance that each mode holds.")], 2))
    return Section("Shape model", "model", parts)


def new_faces(
    collection: Collection, gallery: Gallery, model: MorphableModel | None
) -> Section | None:
    """Return the viewer with the sampled faces; None when there are none."""
    folder = collection.out / layout.MODEL
    shapes = []
    for index, path in enumerate(sorted(folder.glob("sample*.ply"))):
        vertices = load_mesh(path, texture=False).vertices
        vertices = gallery.pose_of(vertices).apply(vertices)
        image = _texture_of(path)
        eyes = sunken_eyes(model, vertices)
        thumbnail = gallery.textured(vertices, image, eyes, yaw=20.0)
        shapes.append(ViewerShape(f"new face {index + 1}", vertices, image, thumbnail, eyes))
    if not shapes:
        return None
    files = "sample000.obj, .ply and .glb and so on"
    parts = [
        paragraph(
            f"{len(shapes)} people who do not exist: shape and texture drawn from the models of "
            f"this collection. Their files lie in {layout.MODEL}/ as {files}."
        ),
        viewer_html(gallery.template, shapes, mouth=gallery.mouth),
    ]
    return Section("New faces", "faces", parts)


def settings(collection: Collection) -> Section:
    """Return the settings of the run and what each scan cost."""
    text = json.dumps(plain(collection.settings), indent=2)
    peak = max((result.record.peak_rss_mb for result in collection.results), default=0.0)
    parts = [
        paragraph(
            f"{collection.status.seconds:.1f} s of work on the scans in all; the largest worker "
            f"took {peak:.0f} MB."
        ),
        meaning(["seconds", "peak_memory"]),
        details("Settings of the run", text),
    ]
    return Section("How it was made", "settings", parts)


def _shape_model(collection: Collection) -> LinearModel | None:
    path = collection.out / layout.MODEL / layout.MORPHABLE_MODEL
    return read_morphable(path).shape if path.is_file() else None


def _mode_pictures(
    points: LinearModel, gallery: Gallery, model: MorphableModel | None
) -> list[list[Figure]]:
    """Return a row a mode: two views of -3, 0 and +3 standard deviations."""
    pose = gallery.pose_of(points.mean)

    def views(coefficients: FloatArray) -> list[str]:
        vertices = pose.apply(points.reconstruct(coefficients))
        eyes = sunken_eyes(model, vertices)
        return [data_uri(gallery.plain(vertices, eyes, yaw)) for yaw in (0.0, 60.0)]

    rows = []
    mean = views(np.zeros(0))
    for mode in range(min(MODES, len(points))):
        one = np.eye(mode + 1)[mode]
        low, high = views(-SIGMA * one), views(SIGMA * one)
        row = []
        for below, middle, above in zip(low, mean, high, strict=True):
            row += [
                Figure(below, f"mode {mode + 1}, -{SIGMA:g} σ"),
                Figure(middle, "mean"),
                Figure(above, f"mode {mode + 1}, +{SIGMA:g} σ"),
            ]
        rows.append(row)
    return rows


def _texture_of(path: Path) -> np.ndarray:
    """Return the texture beside a sampled mesh, grey without one."""
    for name in (f"{path.stem}.texture.png", f"{path.stem}.png", f"{path.stem}.texture.jpg"):
        if path.with_name(name).is_file():
            return load_image(path.with_name(name))
    return np.full((8, 8, 3), 0.75, np.float32)


def matching_face(mesh: Mesh) -> MorphableModel | None:
    """Return the built-in face when `mesh` has its topology: then pictures can have eyeballs."""
    from geomface.faces.builtin import load_builtin_face

    model = load_builtin_face()
    return model if model.mesh.topology_id == mesh.topology_id else None
