"""The part of a report about scans: summary, registration, textures, geometry images, failures."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.dressing import sunken_eyes
from geomface.report.collection import Collection, ScanResult
from geomface.report.figures import Gallery, masked_texture
from geomface.report.glossary import meaning
from geomface.report.images import data_uri, heat_css, resize
from geomface.report.page import (
    Figure,
    Section,
    color_bar,
    grid,
    heading,
    paragraph,
    table,
    tiles,
)
from geomface.report.scan_table import error_charts, mean_errors, scan_table
from geomface.report.set_sections import failures
from geomface.statistics import MorphableModel

HEAT_UPPER_MM = 3.0
"""Distance of the last heat colour."""
TEXTURE_PIXELS = 256
"""Side of a texture as shown."""

MOST_NOTES = 200
"""Notes on a page; the records hold all."""


def overview(collection: Collection) -> Section:
    """Return the summary: counts, errors, times."""
    status, results = collection.status, collection.results
    total = len(status.done) + len(status.failed) + len(status.missing)
    pairs = [(f"{len(status.done):,} of {total:,}", "scans on one topology")]
    errors = mean_errors(collection.measured)
    if errors:
        pairs.append((f"{errors['mean']:.2f} mm", "mean distance to the truth, vertex by vertex"))
        pairs.append((f"{errors['p95']:.2f} mm", "95 % of the vertices are nearer than this"))
    known = [result.residual for result in results if np.isfinite(result.residual)]
    if known:
        pairs.append((f"{np.mean(known):.2f} mm", "median distance of matches to the scan"))
    seconds = [result.record.seconds for result in results]
    pairs.append((f"{np.mean(seconds):.1f} s", "a scan: register, bake, encode"))
    pairs.append((f"{len(collection.template.mesh.vertices):,}", "vertices of the template"))
    parts = [tiles(pairs)]
    if collection.large:
        parts.append(
            paragraph(
                f"Pictures are of {len(collection.shown)} scans evenly through the run and of the "
                f"{len(collection.worst)} that fit worst; charts and table are of all"
                + (f", distances to the truth of {len(collection.measured)}." if errors else ".")
            )
        )
    if errors:
        parts.append(
            paragraph(
                "The scans are simulated, so the true place of every template vertex is known. "
                "Distances are between equal vertices, without re-alignment: they see sliding "
                "along the surface, which a distance to the surface does not."
            )
        )
    return Section("Overview", "overview", parts)


def registration(collection: Collection, gallery: Gallery, model: MorphableModel | None) -> Section:
    """Return a row of pictures a scan, the error table and the charts; of many scans, of some."""
    parts = [
        paragraph(
            "From left to right: the raw scan; the scan (grey) and the registered template "
            "(orange) in one picture, where a fine mixture means that both surfaces agree; the "
            "error; the registered template with the texture baked from the scan."
        ),
        color_bar(heat_css(), "0 mm", f"{HEAT_UPPER_MM:g} mm or more"),
        meaning(_distances_shown(collection.shown)),
    ]
    parts += [_scan_row(result, gallery, model) for result in collection.shown]
    if collection.worst:
        parts.append(heading("The worst fits"))
        parts.append(paragraph("Of all scans, those whose matches lie farthest from the scan."))
        parts += [_scan_row(result, gallery, model) for result in collection.worst]
    parts.append(scan_table(collection))
    charts = error_charts(collection)
    if charts:
        parts.append(grid(charts, 2))
    return Section("Scans and registration", "registration", parts)


def textures(collection: Collection) -> Section | None:
    """Return the baked textures with what was not seen hatched; None without any."""
    figures = []
    for result in collection.pictured:
        if result.texture is None or result.mask is None:
            continue
        shown = masked_texture(result.texture, result.mask)
        shown = resize(shown, TEXTURE_PIXELS, TEXTURE_PIXELS)
        share = 100 * float(result.mask.mean())
        figures.append(Figure(data_uri(shown), f"{result.name}: {share:.0f} % of the texels seen"))
    if not figures:
        return None
    text = (
        "Each scan's colours on the template's UV square. Hatched texels were not seen by the "
        "scanner, or lie where the scan turns away: the mask file beside the texture marks them."
    )
    return Section(
        "Textures", "textures", [paragraph(text), meaning(["texture_seen"]), grid(figures, 6)]
    )


def geometry_images(collection: Collection) -> Section | None:
    """Return the geometry images; None without any."""
    figures = []
    for result in collection.pictured:
        picture = result.geometry_picture
        if picture is None:
            continue
        lost = result.record.figures.get("geometry_image_rms_mm")
        caption = result.name if lost is None else f"{result.name}: {lost:.3f} mm RMS and back"
        shown = picture if picture.shape[0] <= 128 else resize(picture, 128, 128)
        figures.append(Figure(data_uri(shown, form="png"), caption, pixels=True))
    if not figures:
        return None
    text = (
        "The registered surface as an image: red, green and blue are its x, y and z displacement "
        "from the template at each texel centre of the UV square, each image over its own range. "
        "The caption says what is lost on the way to the image and back to vertices."
    )
    parts = [paragraph(text), meaning(["geometry_image_rms_mm"]), grid(figures, 6)]
    return Section("Geometry images", "geometry-images", parts)


def problems(collection: Collection) -> Section | None:
    """Return failed scans and the notes on imperfect input; None when there are neither."""
    noted = [[result.name, note] for result in collection.results for note in result.record.notes]
    parts = failures(collection.status)
    if noted:
        parts.append(paragraph("Accepted, with a note on what was done:"))
        parts.append(table(["scan", "note"], noted[:MOST_NOTES], text_columns=(0, 1)))
        if len(noted) > MOST_NOTES:
            parts.append(paragraph(f"And {len(noted) - MOST_NOTES:,} more, in the records."))
    return Section("Failures and notes", "notes", parts) if parts else None


def _scan_row(result: ScanResult, gallery: Gallery, model: MorphableModel | None) -> str:
    pose = gallery.pose_of(result.registered)
    figures = []
    if result.scan is not None:
        figures.append(Figure(data_uri(gallery.scan(result.scan, pose)), result.name))
        figures.append(
            Figure(data_uri(gallery.overlay(result.scan, result.registered, pose)), "overlay")
        )
    values, caption = _heat_values(result)
    if values is not None:
        picture = gallery.heat(result.registered, pose, values, HEAT_UPPER_MM)
        figures.append(Figure(data_uri(picture), caption))
    if result.texture is not None:
        posed = pose.apply(result.registered)
        picture = gallery.textured(posed, result.texture, sunken_eyes(model, posed), yaw=-25.0)
        figures.append(Figure(data_uri(picture), "with its texture"))
    return grid(figures, 4)


def _distances_shown(results: Sequence[ScanResult]) -> list[str]:
    """Return the names of the distances that the pictures show in colours."""
    kinds = {
        "error_mean": any(result.errors is not None for result in results),
        "surface_distance_mm": any(
            result.errors is None and result.surface_distances is not None for result in results
        ),
    }
    return [name for name, shown in kinds.items() if shown]


def _heat_values(result: ScanResult) -> tuple[FloatArray | None, str]:
    if result.errors is not None:
        mean = result.error_figures["mean"]
        return result.errors, f"distance to the truth: {mean:.2f} mm"
    if result.surface_distances is not None:
        median = float(np.median(result.surface_distances[result.core]))
        return result.surface_distances, f"distance to the scan: median {median:.2f} mm"
    return None, ""
