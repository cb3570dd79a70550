"""Unwrap figures beside those of peers, in one run.

    python tests/benchmarks/unwrap.py [--data FOLDER] [--repeat 15] [--json FILE]

Prints, for the ICT template (when FOLDER holds ict/template.obj) and the built-in face: every
weight scheme, libigl's harmonic and least squares conformal maps on the same boundary, prescribed
shares, and the time of the default.
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import igl
import numpy as np

from geomface.errors import GeomfaceError
from geomface.mesh import Template
from geomface.mesh.mirror import mirror_map
from geomface.mesh.topology import require_disk_with_holes
from geomface.parametrization import (
    DistortionReport,
    UnwrapSettings,
    measure_distortion,
    place_boundary,
    unwrap,
)

PLAIN = {"stretch_steps": 0, "detail": 0.0}
SCHEMES: dict[str, dict] = {
    "default": {},
    "default, holes open": {"holes": "open"},
    "default, triangles' edges": {"graph": "triangles"},
    "default, detail 0": {"detail": 0.0},
    "l_uniform / l_3D": PLAIN,
    "l_uniform / l_3D, triangles": {**PLAIN, "graph": "triangles"},
    "uniform": {"weights": "uniform"},
    "uniform, triangles": {"weights": "uniform", "graph": "triangles"},
    "mean value": {"weights": "mean_value"},
    "mean value, triangles": {"weights": "mean_value", "graph": "triangles"},
    "shape preserving": {"weights": "shape_preserving"},
    "shape preserving, triangles": {"weights": "shape_preserving", "graph": "triangles"},
    "1 / l_3D": {"weights": "chord_length"},
    "cotangent": {"weights": "cotangent"},
}


def row(name: str, report: DistortionReport) -> dict[str, object]:
    """Print one line of the table and return its figures."""
    mirror = "-" if report.mirror_error is None else f"{report.mirror_error:.0e}"
    print(
        f"{name:30s} {report.flips:5d} {report.l2_stretch:8.3f} {report.linf_stretch:9.1f} "
        f"{report.mean_sigma_ratio:7.2f} {report.rms_log_area:7.3f} "
        f"{100 * report.small_triangles:7.1f} {report.vertices_without_texel:6d} {mirror:>7s} "
        f"{abs(report.covered_area - 1):8.0e} {report.solves:6d} {1e3 * report.seconds:7.0f}"
    )
    record = report.as_dict()
    record.pop("settings")
    return record


def header(title: str) -> None:
    print(f"\n{title}")
    print(
        f"{'weights':30s} {'flips':>5s} {'L2':>8s} {'Linf':>9s} {'s1/s2':>7s} {'logA':>7s} "
        f"{'<.5px %':>7s} {'empty':>6s} {'mirror':>7s} {'|cov-1|':>8s} {'solves':>6s} {'ms':>7s}"
    )


def peers(template: Template) -> dict[str, dict[str, object]]:
    """Measure igl.harmonic and igl.lscm on the template."""
    mesh = template.mesh
    loops = require_disk_with_holes(mesh)
    mirror = mirror_map(mesh)
    boundary = place_boundary(template, loops[0], mirror)
    figures = {}
    started = time.perf_counter()
    uv = igl.harmonic(mesh.vertices, mesh.faces, boundary.loop, boundary.uv, 1)
    figures["igl.harmonic"] = uv, time.perf_counter() - started
    ends = boundary.loop[[0, len(boundary.loop) // 2]]
    started = time.perf_counter()
    uv, _ = igl.lscm(mesh.vertices, mesh.faces, ends, np.array([[0.5, 0.0], [0.5, 1.0]]))
    figures["igl.lscm (free boundary)"] = uv, time.perf_counter() - started
    result = {}
    for name, (uv, seconds) in figures.items():
        report = measure_distortion(
            mesh.vertices, mesh.faces, np.asarray(uv), mirror=mirror, holes=loops[1:]
        )
        result[name] = row(name, dataclasses.replace(report, seconds=seconds, solves=1))
    return result


def measure(template: Template, label: str, repeat: int) -> dict[str, object]:
    """Print the tables of one template."""
    header(f"{label}: {len(template.mesh.vertices)} vertices")
    table = {
        name: row(name, unwrap(template, settings=UnwrapSettings(**options)).report)
        for name, options in SCHEMES.items()
    }
    table.update(peers(template))
    print(f"\n{label}: prescribed shares")
    requests = [{"eyes+nose+mouth": share} for share in (0.2, 0.3, 0.4)]
    requests += [{"eyes": 0.1, "mouth": 0.1}, {"eyes": 0.15, "nose": 0.1, "mouth": 0.15}]
    shares = []
    for request in requests:
        try:
            report = unwrap(template, settings=UnwrapSettings(shares=request)).report
        except GeomfaceError as refused:
            print(f"  {request}: {refused}")
            continue
        reached = {name: round(report.share[name], 4) for name in request}
        print(
            f"  asked {request}, reached {reached}: {report.flips} flips, {report.solves} solves, "
            f"L2 {report.l2_stretch:.2f}, {1e3 * report.seconds:.0f} ms"
        )
        shares.append({"asked": request, "reached": reached, "solves": report.solves})
    times = sorted(1e3 * unwrap(template).report.seconds for _ in range(repeat))
    print(
        f"\n{label}: default unwrap {times[0]:.0f} ms at best, {times[len(times) // 2]:.0f} ms "
        f"median of {repeat}"
    )
    return {"schemes": table, "shares": shares, "milliseconds": times}


def main() -> None:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser = argparse.ArgumentParser(description="Unwrap figures beside those of peers.")
    parser.add_argument("--data", type=Path, default=beside)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = {}
    folder = options.data / "ict"
    if (folder / "template.obj").is_file():
        from geomface.mesh.io import load_template

        template = load_template(
            folder / "template.obj",
            folder / "template.landmarks.json",
            folder / "template.regions.json",
        )
        figures["ict"] = measure(template, "ICT template", options.repeat)
    else:
        print(f"no ICT template under {options.data}: skipped")
    from geomface.faces.builtin import load_builtin_face

    figures["builtin"] = measure(load_builtin_face().template, "built-in face", options.repeat)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
