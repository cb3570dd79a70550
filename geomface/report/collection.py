"""What a pipeline's output folder holds, read for a report."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.datasets import find_scans, layout
from geomface.datasets.registered_faces import load_run_template
from geomface.errors import FileFormatError
from geomface.files import load_image
from geomface.files.numpy_files import read_archive
from geomface.mesh import Mesh, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_mesh
from geomface.mesh.units import in_millimetres
from geomface.pipeline import ItemRecord, JobStatus, PipelineSettings, load_run, read_status
from geomface.report.display_colors import vertex_colors_from

MOST_WHOLE = 60
"""Scans up to which a report shows and measures every one."""
SHOWN, WORST = 12, 12
"""Of more scans, how many are shown evenly through the run, and how many that fit worst."""

Member = TypeVar("Member")


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a simulated scan; for measuring only.

    Parameters
    ----------
    vertices : (V, 3) float64, the template on the clean surface, in scan space
    seen : (V,) bool, vertices that the scanner saw, or None
    albedo : (V, 3) colours, or None
    """

    vertices: FloatArray
    seen: BoolArray | None
    albedo: FloatArray | None


@dataclasses.dataclass(frozen=True, eq=False)
class ScanResult:
    """One scan and what was made of it; files are read when they are asked for.

    Parameters
    ----------
    record : the pipeline's record, state "done"
    scan_path : the raw scan, None when it is not there any more
    folder : where its outputs lie
    template : the run's template with uv
    core : (V,) bool, the vertices that count in the error figures
    textures : folder where the scan's pictures may lie too
    """

    record: ItemRecord
    scan_path: Path | None
    folder: Path
    template: Mesh
    core: BoolArray
    textures: Path | None = None

    @property
    def name(self) -> str:
        """Name of the item."""
        return self.record.name

    @property
    def residual(self) -> float:
        """Median distance of the matches to the scan, mm, as the record tells; NaN without."""
        value = (self.record.figures.get("residual_mm") or {}).get("median")
        return math.nan if value is None else float(value)

    @property
    def millimetres(self) -> float:
        """Millimetres in one unit of the registered mesh."""
        return float(self.record.figures.get("unit_factor", 1.0))

    @property
    def _to_registered(self) -> float:
        """Units of the registered mesh in one of the scan's own numbers."""
        return float(self.record.figures.get("scan_unit_mm", 1.0))

    @functools.cached_property
    def scan(self) -> Mesh | None:
        """The raw scan in the unit of `registered`, None when it is gone."""
        if self.scan_path is None:
            return None
        there = self.textures is not None and self.textures.is_dir()
        scan = load_mesh(self.scan_path, texture=(self.textures if there else None) or True)
        return in_millimetres(scan, self._to_registered)

    @functools.cached_property
    def registered(self) -> FloatArray:
        """(V, 3) float64: the template's vertices on the scan."""
        return load_mesh(self.folder / layout.REGISTERED, texture=False).vertices

    @functools.cached_property
    def texture(self) -> ImageArray | None:
        """The baked texture, None when none was baked."""
        return _image_or_none(self.folder / layout.TEXTURE)

    @functools.cached_property
    def mask(self) -> BoolArray | None:
        """(H, W) bool: texels that the scan saw."""
        image = _image_or_none(self.folder / layout.MASK)
        return None if image is None else image[..., 0] > 0.5

    @functools.cached_property
    def geometry_picture(self) -> ImageArray | None:
        """The geometry image as a picture."""
        return _image_or_none(self.folder / layout.GEOMETRY_PICTURE)

    @functools.cached_property
    def truth(self) -> Truth | None:
        """The truth beside the scan, None without one or when it is of another template."""
        if self.scan_path is None:
            return None
        path = self.scan_path.with_name(self.scan_path.stem + layout.SCAN_TRUTH)
        return read_truth(path, len(self.template.vertices)) if path.is_file() else None

    @functools.cached_property
    def errors(self) -> FloatArray | None:
        """(V,) distance to the truth, mm; None without truth."""
        if self.truth is None:
            return None
        miss = np.linalg.norm(self.registered - self._to_registered * self.truth.vertices, axis=1)
        return self.millimetres * miss

    @functools.cached_property
    def surface_distances(self) -> FloatArray | None:
        """(V,) distance from each vertex to the scan's surface, mm; None without the scan."""
        if self.scan is None:
            return None
        return self.millimetres * ClosestPointIndex(self.scan).query(self.registered).distances

    @functools.cached_property
    def error_figures(self) -> Mapping[str, float]:
        """Distances to the truth over the face core, mm, and the colour error; or empty."""
        if self.errors is None or self.truth is None:
            return {}
        core = self.errors[self.core]
        figures = {"mean": float(core.mean()), "p95": float(np.percentile(core, 95))}
        if self.truth.seen is not None:
            seen = self.truth.seen[self.core]
            figures["seen"] = float(core[seen].mean()) if seen.any() else np.nan
            figures["unseen"] = float(core[~seen].mean()) if (~seen).any() else np.nan
        albedo = self._albedo_error()
        if albedo is not None:
            figures["albedo"] = albedo
        return figures

    def _albedo_error(self) -> float | None:
        """Mean absolute error of the baked colours at vertices whose texels were seen."""
        truth, texture, mask = self.truth, self.texture, self.mask
        if truth is None or truth.albedo is None or texture is None or mask is None:
            return None
        seen = np.repeat(mask[..., None], 3, axis=2).astype(np.float32)
        covered = vertex_colors_from(self.template, seen)[:, 0] > 0.999
        if not covered.any():
            return None
        colors = vertex_colors_from(self.template, texture)
        return float(np.abs(colors - truth.albedo)[covered].mean())


@dataclasses.dataclass(frozen=True, eq=False)
class Collection:
    """A pipeline's output folder.

    Parameters
    ----------
    out : the folder
    status : how far its items are
    settings : of the last run
    template : template with uv, landmarks, regions
    results : one a scan that is done
    """

    out: Path
    status: JobStatus
    settings: PipelineSettings
    template: Template
    results: tuple[ScanResult, ...]

    @property
    def large(self) -> bool:
        """Are there too many scans to show and measure each?"""
        return len(self.results) > MOST_WHOLE

    @functools.cached_property
    def shown(self) -> tuple[ScanResult, ...]:
        """The scans of which there are pictures: all, or some evenly through the run."""
        return tuple(evenly(self.results, SHOWN)) if self.large else self.results

    @functools.cached_property
    def worst(self) -> tuple[ScanResult, ...]:
        """Of many scans, those that fit worst and are not shown already, the worst first."""
        if not self.large:
            return ()
        shown = {result.name for result in self.shown}
        known = [result for result in self.results if math.isfinite(result.residual)]
        rest = [result for result in known if result.name not in shown]
        return tuple(sorted(rest, key=lambda result: -result.residual)[:WORST])

    @property
    def pictured(self) -> tuple[ScanResult, ...]:
        """All scans of which there are pictures."""
        return self.shown + self.worst

    @functools.cached_property
    def measured(self) -> tuple[ScanResult, ...]:
        """The scans that are measured against the truth: all, or some evenly through the run."""
        return tuple(evenly(self.results, MOST_WHOLE)) if self.large else self.results


def evenly(members: Sequence[Member], count: int) -> list[Member]:
    """Return up to `count` members at even distances, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(members) - 1, count).round().astype(int))
    return [members[index] for index in chosen]


def read_collection(out: Path | str, scans: Path | str | None = None) -> Collection:
    """Read what a report needs of a pipeline's output folder.

    Parameters
    ----------
    out : the folder
    scans : where the raw scans (and truth files) are, by default where the run found them

    Raises
    ------
    FileFormatError : no run, no scan that is done, or records of another version.
    """
    out = Path(out)
    settings, status = load_run(out), read_status(out)
    if not status.done:
        raise FileFormatError(
            f"{out}: expected at least one registered scan, none is done ({len(status.failed)} "
            f"failed). See: geomface pipeline status {out}"
        )
    template = load_run_template(out)
    paths = _scan_paths(Path(scans) if scans is not None else settings.scans)
    core = np.zeros(len(template.mesh.vertices), bool)
    core[template.regions.get("face_core", template.regions.get("narrow_face", slice(None)))] = True
    results = tuple(
        ScanResult(
            record=record,
            scan_path=paths.get(record.name),
            folder=out / layout.ITEMS / record.name,
            template=template.mesh,
            core=core,
            textures=settings.textures,
        )
        for record in status.done
    )
    return Collection(out, status, settings, template, results)


def _scan_paths(folder: Path) -> dict[str, Path]:
    try:
        return {scan.name: scan.scan for scan in find_scans(folder)}
    except FileFormatError:  # the results outlive the scans
        return {}


def read_truth(path: Path, vertex_count: int) -> Truth | None:
    """Read the truth of a simulated scan, None when it is of another template.

    Raises
    ------
    FileFormatError : not a truth file.
    """
    try:
        arrays = read_archive(path, "the truth of a simulated scan", ("vertices", "seen", "albedo"))
        vertices = np.asarray(arrays["vertices"], np.float64)
        seen = arrays["seen"].astype(bool) if "seen" in arrays else None
        albedo = arrays["albedo"].astype(np.float64) if "albedo" in arrays else None
    except (ValueError, KeyError) as error:
        raise FileFormatError(
            f"{path}: expected the truth of a simulated scan with 'vertices' "
            f"({error}). Delete it to go without."
        ) from error
    return Truth(vertices, seen, albedo) if vertices.shape == (vertex_count, 3) else None


def _image_or_none(path: Path) -> ImageArray | None:
    return load_image(path) if path.is_file() else None
