"""Types that show themselves at the end of a notebook's cell; IPython knows them by name."""

import functools
import sys
from typing import Any

SHOWN = {
    "geomface.fitting.results.ImageFit": "mesh",
    "geomface.fitting.results.ImageLandmarkFit": "mesh",
    "geomface.fitting.results.LandmarkFit": "upright mesh",
    "geomface.fitting.results.ScanFit": "upright mesh",
    "geomface.geometry_image.bake.BakeResult": "texture",
    "geomface.geometry_image.image.GeometryImage": "picture",
    "geomface.landmarks.detect.DetectionResult": "landmarks",
    "geomface.mesh.mesh.Mesh": "itself",
    "geomface.mesh.template.Template": "itself",
    "geomface.parametrization.unwrapping.UnwrapResult": "checkered mesh",
    "geomface.registration.registering.RegistrationResult": "upright mesh",
    "geomface.scans.simulate.SimulatedScan": "mesh",
    "geomface.statistics.assignment.compare.AssignmentComparison": "errors",
    "geomface.statistics.correlation.CanonicalCorrelation": "correlation",
    "geomface.statistics.evaluation.compactness.Compactness": "compactness",
    "geomface.statistics.evaluation.curve.Curve": "curve",
    "geomface.statistics.linear_model.LinearModel": "spectrum",
    "geomface.statistics.morphable.MorphableModel": "itself",
}
"""{type: what `geomface.report.results` shows of it}. By name, so that no type must know the report
that draws it, and none is imported before it is used."""

_METHODS = {"text/html": "_repr_html_", "image/png": "_repr_png_"}


def show_in_notebooks() -> None:
    """Tell IPython, when this process is one of its sessions, how to show the types of `SHOWN`."""
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return
    for mime, method in _METHODS.items():
        formatter = shell.display_formatter.formatters[mime]
        for path in SHOWN:
            module, name = path.rsplit(".", 1)
            formatter.for_type_by_name(module, name, functools.partial(_draw, method))


def _draw(method: str, item: Any) -> Any:
    """Return the picture or the page of an item; None, so that its text stands, if it has none."""
    import geomface

    try:
        return getattr(geomface.show(item), method)()
    except geomface.GeomfaceError:
        return None
