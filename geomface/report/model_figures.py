"""Pictures of a statistical model: spectrum, walks along modes, curves, correlation, assignment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import SettingsError
from geomface.faces.dressing import dressed, mouth_loop, sunken_eyes
from geomface.mesh import Mesh
from geomface.rendering import Frame, Studio, contact_sheet, frame_of, render_mesh
from geomface.report.charts import COLORS
from geomface.report.display_colors import vertex_colors_from
from geomface.statistics import LinearModel, MorphableModel, require_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Band = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""Components, mean, lower and upper bound of a curve."""


def save_figure(path: Path, figure: "Figure") -> None:
    """Write a figure as PNG, PDF or SVG, whole or not at all."""
    import io

    from geomface.files.atomic import write_bytes

    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lstrip(".").lower() or "png", dpi=120)
    write_bytes(path, buffer.getvalue())


def figure_image(figure: "Figure") -> ImageArray:
    """Return a figure as an image (H, W, 3) float32, for a notebook or a sheet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return (np.asarray(canvas.buffer_rgba())[..., :3] / 255).astype(np.float32)


def _panels(count: int, width: float = 4.6, height: float = 3.4) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * count, height), layout="constrained")
    axes = [figure.add_subplot(1, count, index + 1) for index in range(count)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, axes


def spectrum_figure(models: "Mapping[str, LinearModel]") -> "Figure":
    """Draw what one sigma of each mode moves (log) and the share of variance it holds."""
    figure, (left, right) = _panels(2)
    for color, (name, model) in zip(COLORS, models.items(), strict=False):
        order = 1 + np.arange(len(model))
        spread = np.sqrt(model.variances / len(model.mean))
        left.semilogy(order, spread, color=color, label=name, marker=".")
        right.plot(order, 100 * model.explained, color=color, marker=".")
    left.set(xlabel="mode", ylabel="RMS a vertex at one sigma")
    right.set(xlabel="modes", ylabel="share of the variance, %", ylim=(0, 102))
    left.legend(frameon=False)
    return figure


def curves_figure(panels: Mapping[str, Mapping[str, Band]], *, unit: str = "mm") -> "Figure":
    """Draw curves with their confidence bands, one panel a measure, one line a model.

    Parameters
    ----------
    panels : {title: {label: (components, mean, low, high)}}
    """
    figure, axes = _panels(len(panels))
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for color, (label, (components, mean, low, high)) in zip(
            COLORS, lines.items(), strict=False
        ):
            axis.plot(components, mean, color=color, label=label)
            axis.fill_between(components, low, high, color=color, alpha=0.18, linewidth=0)
        axis.set(title=title, xlabel="modes", ylabel="%" if "ompact" in title else unit)
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False)
    return figure


def correlation_figure(
    first: FloatArray, second: FloatArray, correlations: FloatArray, shuffled: FloatArray
) -> "Figure":
    """Draw the leading pairs of canonical variables and the spectrum beside that of chance.

    Parameters
    ----------
    first, second : (N, K) canonical scores of texture and geometry
    correlations : (K,) canonical correlations
    shuffled : (K,) the same after shuffling who belongs to whom
    """
    shown = min(3, first.shape[1])
    figure, axes = _panels(shown + 1, 3.6)
    for index, axis in enumerate(axes[:shown]):
        axis.scatter(first[:, index], second[:, index], s=8, color=COLORS[0], alpha=0.6)
        axis.set(
            title=f"pair {index + 1}: r = {correlations[index]:.2f}",
            xlabel="texture",
            ylabel="geometry",
        )
    order = 1 + np.arange(len(correlations))
    axes[-1].plot(order, correlations, color=COLORS[0], marker=".", label="as paired")
    axes[-1].plot(order, shuffled, color=COLORS[1], marker=".", label="shuffled")
    axes[-1].set(title="canonical correlations", xlabel="pair", ylim=(0, 1.03))
    axes[-1].legend(frameon=False)
    return figure


def error_figure(errors: Mapping[str, FloatArray], *, unit: str = "mm") -> "Figure":
    """Draw the error of each method over the test faces as boxes, and its mean as a number.

    Parameters
    ----------
    errors : {method: (n,) mean vertex error of each test face}
    """
    figure, (axis,) = _panels(1, 1.4 + 1.1 * len(errors), 3.6)
    axis.boxplot(
        list(errors.values()),
        tick_labels=[name.replace("_", "\n") for name in errors],
        showfliers=False,
    )
    for place, values in enumerate(errors.values(), start=1):
        axis.annotate(f"{np.mean(values):.2f}", (place, 0.0), ha="center", va="bottom")
    axis.set(ylabel=f"mean vertex error, {unit}")
    axis.set_ylim(bottom=0)
    return figure


def face_picture(
    model: MorphableModel,
    face: Mesh,
    *,
    size: int = 220,
    yaw: float = 25.0,
    frame: Frame | None = None,
    studio: Studio | None = None,
) -> ImageArray:
    """Render a face of a model with eyeballs and the inside of the mouth: it looks at somebody."""
    if face.texture is not None and len(face.uv if face.uv is not None else ()) == len(
        face.vertices
    ):
        colors = vertex_colors_from(face, face.texture)
    elif face.colors is not None:
        colors = face.colors
    else:
        colors = np.full((len(face.vertices), 3), 0.79, np.float32)
    eyes = sunken_eyes(require_model(model, "face picture"), face.vertices)
    whole = dressed(face, colors, eyes, mouth_loop(model.template))
    return render_mesh(whole, size=size, yaw=yaw, frame=frame, studio=studio)


def walk_sheet(
    model: MorphableModel,
    *,
    modes: int = 4,
    sigma: float = 3.0,
    part: str = "shape",
    size: int = 220,
    yaw: float = 25.0,
) -> ImageArray:
    """Render a walk along the leading modes: a row a mode, from -sigma over the mean to +sigma.

    Parameters
    ----------
    part : "shape", "expression" (0 to 1 for blendshapes) or "texture"

    Returns
    -------
    (H, W, 3) float32

    Example
    -------
    >>> import geomface as gf
    >>> sheet = gf.walk_sheet(gf.load_builtin_face(), modes=2, size=48)  # a row a mode
    >>> sheet.ndim, sheet.dtype
    (3, dtype('float32'))
    """
    require_model(model, "walk")
    parts = {"shape": model.shape, "expression": model.expression, "texture": model.texture}
    if part not in parts:
        raise SettingsError(f"part: expected {', '.join(parts)}, got {part!r}.")
    linear = parts[part]
    if linear is None:
        raise SettingsError(f"{model.name}: this model has no {part} to walk along.")
    steps = np.linspace(-sigma, sigma, 5)
    if model.expression is not None and part == "expression":
        steps = np.linspace(0.0, 1.0, 5) if model.expression.kind == "blendshapes" else steps
    frame = frame_of([model.mesh.vertices], margin=0.06)
    pictures, labels = [], []
    for mode in range(min(modes, len(linear))):
        for step in steps:
            face = model.instance(**{part: step * np.eye(mode + 1)[mode]})
            pictures.append(face_picture(model, face, size=size, yaw=yaw, frame=frame))
            labels.append(f"{part} {mode + 1}: {step:+.2g}")
    if not pictures:
        raise SettingsError(f"{model.name}: the {part} model holds no modes.")
    return contact_sheet(pictures, len(steps), labels)


def sample_sheet(
    model: MorphableModel, *, count: int = 8, seed: int = 0, sigma: float = 1.0, size: int = 220
) -> ImageArray:
    """Render random faces of a model, each from the front and from the side."""
    require_model(model, "sample sheet")
    frame = frame_of([model.mesh.vertices], margin=0.06)
    pictures = []
    for index in range(count):
        face = model.sample(np.random.default_rng([seed, index]), sigma=sigma)
        for yaw in (0.0, 50.0):
            pictures.append(face_picture(model, face, size=size, yaw=yaw, frame=frame))
    return contact_sheet(pictures, 8 if count > 2 else 2 * count)


def assignment_sheet(
    model: MorphableModel,
    truths: Sequence[FloatArray],
    assigned: Mapping[str, Sequence[FloatArray]],
    *,
    size: int = 200,
) -> ImageArray:
    """Render the geometry that each method gives to a texture, beside the true one.

    Parameters
    ----------
    truths : (V, 3) of each test face
    assigned : {method: (V, 3) of each test face}

    Returns
    -------
    (H, W, 3) float32, a row a face: the truth, then the methods
    """
    frame = frame_of([model.mesh.vertices, *truths], margin=0.06)
    pictures, labels = [], []
    for index, truth in enumerate(truths):
        row = {"true geometry": truth, **{name: faces[index] for name, faces in assigned.items()}}
        for name, vertices in row.items():
            mesh = model.mesh.replace(vertices=vertices)
            pictures.append(face_picture(model, mesh, size=size, frame=frame))
            miss = np.linalg.norm(vertices - truth, axis=1).mean()
            labels.append(name if name == "true geometry" else f"{name}: {miss:.2f} mm")
    return contact_sheet(pictures, 1 + len(assigned), labels)
