"""The part of a report about scans: summary, registration, textures, geometry images, failures."""

import math
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.dressing import sunken_eyes
from geomface.report.charts import bar_chart, cumulative_chart
from geomface.report.collection import Collection, ScanResult
from geomface.report.figures import Gallery, masked_texture
from geomface.report.glossary import meaning
from geomface.report.images import data_uri, heat_css, resize
from geomface.report.page import Figure, Section, color_bar, grid, paragraph, table, tiles
from geomface.report.set_sections import failures
from geomface.statistics import MorphableModel

HEAT_UPPER_MM = 3.0
"""Distance of the last heat colour."""
TEXTURE_PIXELS = 256
"""Side of a texture as shown."""

ERROR_COLUMNS = (
    ("mean", "mean mm", 2),
    ("p95", "95 % mm", 2),
    ("seen", "seen mm", 2),
    ("unseen", "unseen mm", 2),
    ("albedo", "colour error", 3),
)
"""(figure, title, digits) of the distances to the truth; the colour error is a share of 1."""


def number(value: float | None, digits: int = 2) -> str:
    """Return a number for a table, a dash for None or NaN."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def overview(collection: Collection) -> Section:
    """Return the summary: counts, errors, times."""
    status, results = collection.status, collection.results
    total = len(status.done) + len(status.failed) + len(status.missing)
    pairs = [(f"{len(status.done)} of {total}", "scans on one topology")]
    errors = _mean_figures(results)
    if errors:
        pairs.append((f"{errors['mean']:.2f} mm", "mean distance to the truth, vertex by vertex"))
        pairs.append((f"{errors['p95']:.2f} mm", "95 % of the vertices are nearer than this"))
    residuals = [result.record.figures.get("residual_mm", {}).get("median") for result in results]
    known = [value for value in residuals if value is not None]
    if known:
        pairs.append((f"{np.mean(known):.2f} mm", "median distance of matches to the scan"))
    seconds = [result.record.seconds for result in results]
    pairs.append((f"{np.mean(seconds):.1f} s", "a scan: register, bake, encode"))
    pairs.append((f"{len(collection.template.mesh.vertices):,}", "vertices of the template"))
    parts = [tiles(pairs)]
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
    """Return a row of pictures a scan, the error table and the charts."""
    parts = [
        paragraph(
            "From left to right: the raw scan; the scan (grey) and the registered template "
            "(orange) in one picture, where a fine mixture means that both surfaces agree; the "
            "error; the registered template with the texture baked from the scan."
        ),
        color_bar(heat_css(), "0 mm", f"{HEAT_UPPER_MM:g} mm or more"),
        meaning(_distances_shown(collection.results)),
    ]
    parts += [_scan_row(result, gallery, model) for result in collection.results]
    parts.append(_figures_table(collection.results))
    charts = _error_charts(collection.results)
    if charts:
        parts.append(grid(charts, 2))
    return Section("Scans and registration", "registration", parts)


def textures(collection: Collection) -> Section | None:
    """Return the baked textures with what was not seen hatched; None without any."""
    figures = []
    for result in collection.results:
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
    for result in collection.results:
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
        parts.append(table(["scan", "note"], noted, text_columns=(0, 1)))
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


def _figures_table(results: Sequence[ScanResult]) -> str:
    known = {key for result in results for key in result.error_figures}
    measured = [row for row in ERROR_COLUMNS if row[0] in known]
    header = ["scan", *(title for _, title, _ in measured)]
    header += ["residual mm", "residual 95 % mm", "matched %", "flips", "seconds"]
    rows = []
    for result in results:
        figures = result.error_figures
        row = [result.name, *(number(figures.get(key), digits) for key, _, digits in measured)]
        fit = result.record.figures
        residual = fit.get("residual_mm") or {}
        row += [number(residual.get("median")), number(residual.get("p95"))]
        row += [number(100 * fit.get("kept_fraction", math.nan), 0), str(fit.get("flips", "–"))]
        rows.append([*row, number(result.record.seconds, 1)])
    return table(header, rows, total=_mean_row(header, rows))


def _mean_row(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the mean of every column with the digits of its cells."""
    cells = ["mean"]
    for column in range(1, len(header)):
        texts = [row[column] for row in rows if row[column] != "–"]
        digits = max((len(text.partition(".")[2]) for text in texts), default=0)
        cells.append(number(float(np.mean([float(t) for t in texts])), digits) if texts else "–")
    return cells


def _error_charts(results: Sequence[ScanResult]) -> list[Figure]:
    measured = [result for result in results if result.errors is not None]
    if not measured:
        return []
    figures = [result.error_figures for result in measured]
    means = [figure["mean"] for figure in figures]
    bars = bar_chart(
        [result.name.removeprefix("scan") or result.name for result in measured],
        means,
        unit="mm",
        line=float(np.mean(means)),
        marks=[figure["p95"] for figure in figures],
    )
    series = {"all vertices of the face": _pooled(measured, None)}
    if all(result.truth is not None and result.truth.seen is not None for result in measured):
        series = {"seen by the scanner": _pooled(measured, True)} | series
        series["not seen"] = _pooled(measured, False)
    curves = cumulative_chart(series, unit="mm", upper=4.0)
    return [
        Figure(bars, "Mean distance a scan (bars), 95th percentile (ticks), mean of all (line)."),
        Figure(curves, "Share of vertices nearer to the truth than x."),
    ]


def _pooled(results: Sequence[ScanResult], seen: bool | None) -> FloatArray:
    parts = []
    for result in results:
        chosen = result.core
        if seen is not None and result.truth is not None and result.truth.seen is not None:
            chosen = chosen & (result.truth.seen == seen)
        if result.errors is not None:
            parts.append(result.errors[chosen])
    return np.concatenate(parts)


def _mean_figures(results: Sequence[ScanResult]) -> dict[str, float]:
    """Return the error figures averaged over scans, empty without truth."""
    figures = [result.error_figures for result in results if result.errors is not None]
    if not figures:
        return {}
    return {
        key: float(np.nanmean([figure.get(key, np.nan) for figure in figures]))
        for key in ("mean", "p95")
    }
