"""A result as a notebook shows it: the face that turns, or a picture, with the figures below."""

import dataclasses
import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.notebook import SHOWN
from geomface.rendering.camera import Frame
from geomface.report import display
from geomface.report.images import checkerboard, data_uri, encode
from geomface.report.landmark_picture import picture_of_landmarks
from geomface.report.model_figures import (
    correlation_figure,
    curves_figure,
    error_figure,
    figure_image,
    spectrum_figure,
)

CHECKER = 512
"""Pixels of the checker that shows a uv map."""


@dataclasses.dataclass(frozen=True, eq=False)
class ShownResult:
    """What a notebook shows when a result is the last value of a cell.

    Parameters
    ----------
    view : a face that turns, or a picture (H, W, 3)
    figures : {name: value as text}, shown below
    name : of the kind of result
    """

    view: display.Display | ImageArray
    figures: Mapping[str, str]
    name: str

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align: left">{html.escape(name)}</th>'
            f'<td style="text-align: left">{html.escape(text)}</td></tr>'
            for name, text in self.figures.items()
        )
        if isinstance(self.view, display.Display):
            view = self.view._repr_html_()
        else:
            picture = data_uri(self.view, form="png")
            view = f'<img src="{picture}" alt="{html.escape(self.name, quote=True)}">'
        return f"{view}<table>{rows}</table>"

    def _repr_png_(self) -> bytes:
        if isinstance(self.view, display.Display):
            return self.view._repr_png_()
        return encode(self.view, "png")

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}: {text}" for name, text in self.figures.items())
        return f"{self.name}({figures})"


def show(
    item: Any, *, colors: ImageArray | None = None, people: int = 3
) -> display.Display | ShownResult:
    """Return a mesh, a model or a result for a notebook to show.

    Parameters
    ----------
    item : a mesh with its texture or colours; a template, with eyes; a model, with its mean face
        and some random people, always the same ones; or what the verbs return
    colors : (V, 3) in [0, 1], shown instead of those of a mesh or template, such as `heat_colors`
    people : how many a model shows beside its mean face

    Raises
    ------
    MeshError : something else, colours of another shape, a mesh too large for a page.
    SettingsError : colours for a model, a negative number of people.

    Convention
    ----------
    A face turns about the y axis and is seen from +z. A mesh is shown as its coordinates have it;
    the result of a fit to a scan in the pose of a face.

    Example
    -------
    >>> import geomface as gf
    >>> gf.show(gf.load_builtin_face(), people=1)  # in a notebook: a face that turns
    Display('builtin': mean face, person 1)
    """
    kind = f"{type(item).__module__}.{type(item).__qualname__}"
    view = _VIEWS.get(SHOWN.get(kind, "itself"))
    if view is None or colors is not None:
        return display.show(item, colors=colors, people=people)
    return ShownResult(view(item), figures_of(item), type(item).__name__)


def figures_of(result: Any) -> dict[str, str]:
    """Return the numbers, words and notes of a result as text, in its own order."""
    found = {}
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name == "report":
            found |= figures_of(value)
        elif isinstance(value, bool | str | int):
            found[field.name] = str(value)
        elif isinstance(value, float):
            found[field.name] = f"{value:.3g}"
        elif isinstance(value, dict) and all(isinstance(part, float) for part in value.values()):
            found[field.name] = ", ".join(f"{key} {part:.3g}" for key, part in value.items())
        elif isinstance(value, tuple) and value and all(isinstance(part, str) for part in value):
            found[field.name] = " ".join(value)
    return found


def _mesh(result: Any) -> display.Display:
    return display.show(result.mesh)


def _upright(result: Any) -> display.Display:
    """The mesh of a fit, brought from the scan's pose back to that of the model or template."""
    points = result.similarity.inverse().apply(result.mesh.vertices)
    return display.show(result.mesh.replace(vertices=points, unit="mm"))


def _checkered(result: Any) -> display.Display:
    return display.show(result.mesh.replace(texture=checkerboard(CHECKER)))


def _compactness(result: Any) -> ImageArray:
    share = result.share
    band = (share.components, *(100.0 * part for part in (share.mean, share.low, share.high)))
    return figure_image(curves_figure({"compactness": {"share of the variance": band}}))


def _curve(curve: Any) -> ImageArray:
    """A measure by the number of modes; of models, the error on new faces, or of random ones."""
    band = (curve.components, curve.mean, curve.low, curve.high)
    title = f"distance by {curve.distance}" if curve.distance else "share"
    return figure_image(curves_figure({title: {"mean and interval": band}}, unit=curve.unit))


def _correlation(result: Any) -> ImageArray:
    count = len(result.correlations)
    chance = np.full(count, np.nan) if result.shuffled is None else result.shuffled.mean(axis=0)
    scores = (result.first_scores, result.second_scores)
    return figure_image(correlation_figure(*scores, result.correlations, chance))


def _picture(image: Any) -> ImageArray:
    """One geometry image, or the first of a stack."""
    picture = image.picture()
    return picture.reshape(-1, *picture.shape[-3:])[0]


def _landmarks(result: Any) -> ImageArray:
    points = result.similarity.inverse().apply(result.landmarks.points)
    return picture_of_landmarks(points, result.filled, Frame(np.mean(points, axis=0), 200.0))


_VIEWS: dict[str, Callable[[Any], display.Display | ImageArray]] = {
    "checkered mesh": _checkered,
    "compactness": _compactness,
    "correlation": _correlation,
    "curve": _curve,
    "errors": lambda result: figure_image(error_figure(result.errors)),
    "landmarks": _landmarks,
    "mesh": _mesh,
    "picture": _picture,
    "spectrum": lambda model: figure_image(spectrum_figure({"model": model})),
    "texture": lambda result: result.texture,
    "upright mesh": _upright,
}
"""How the words of `SHOWN` look; what shows "itself" is no result."""
