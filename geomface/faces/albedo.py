"""Procedural skin colour with 16 parameters, for any template with the 68 landmarks."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import LandmarkError
from geomface.faces.albedo_code import code_values
from geomface.faces.albedo_fields import SkinFields, skin_fields
from geomface.faces.color import lab_to_srgb
from geomface.mesh import Template
from geomface.statistics import MorphableModel, require_model


@dataclasses.dataclass(frozen=True, eq=False)
class AlbedoModel:
    """Skin colour as a function of a code, at fixed places of a template.

    Parameters
    ----------
    fields : what each place is (lip, brow, beard zone, ...), from `skin_fields`

    Convention
    ----------
    Colours are display-referred sRGB in [0, 1], as vertex colours and texture images hold them.
    A code is 16 numbers, N(0, 1) over people; 0 is the mean. Names: `ALBEDO_PARAMETERS`.
    """

    fields: SkinFields

    def colors(self, code: FloatArray) -> ImageArray:
        """Return the (P, 3) float32 sRGB colours of one code (16,).

        Lab colours are mixed place by place: the skin's tone, then redness, freckles, socket,
        beard, lips, brows and lashes in this order.

        Raises
        ------
        SettingsError : a code of the wrong length, NaN or infinity.
        """
        c = code_values(code)
        f = self.fields
        light = 1.0 / (1.0 + np.exp(-1.35 * c["tone"] - 0.35))
        # From deep brown to fair, the path that human skin takes through Lab.
        lab = np.empty((len(f.lip), 3))
        lab[:, 0] = np.interp(light, [0, 0.35, 0.7, 1], [31, 47, 63, 75])
        lab[:, 1] = np.interp(light, [0, 0.35, 0.7, 1], [11, 15.5, 14, 10]) - 0.9 * c["warmth"]
        lab[:, 2] = np.interp(light, [0, 0.35, 0.7, 1], [14, 22, 19.5, 14]) + 2.2 * c["warmth"]
        lab[:, 0] += f.mottle[:, 0] * (0.9 + 0.7 * c["patch0"])
        lab[:, 1] += f.mottle[:, 1] * (0.8 + 0.7 * c["patch1"])

        blush = f.cheek * _positive(c["cheekRedness"], 0.7) * 4.2
        blush += f.nose * _positive(c["noseRedness"], 0.7) * 2.8
        blush += 1.6 * c["ruddiness"] * (0.4 + 0.6 * f.flush)
        lab += np.outer(blush, [-0.45, 1.0, 0.1])
        freckled = f.freckle * _positive(c["freckles"] - 0.6, 0.5) * 0.9
        lab += np.outer(freckled, [-7.0, 2.0, 5.0])
        socket = f.socket * _positive(c["socketDarkness"], 0.7)
        lab += np.outer(socket, [-5.0, 1.2, -2.6])

        hair = np.array([lab[:, 0].mean() * 0.22 + 9.0 + 2.5 * c["hairTone"], 4.5, 6.5])
        hair[1:] += np.array([0.8, 1.6]) * c["hairTone"]
        extent = f.moustache + (1 - f.moustache) * f.jaw * _share(c["jawBeard"] + 1.2)
        stubble = extent * _share(1.5 * c["beard"] - 2.2) * 0.62
        lab += stubble[:, None] * (hair * [1, 0.3, 0.1] + [6, 0, 0] - lab)

        red = np.stack([lab[:, 0] * 0.80 - 1.0, lab[:, 1] * 0.9 + 13.0, lab[:, 2] * 0.62], axis=1)
        red += np.array([-2.2, 5.0, 1.0]) * 0.8 * c["lipRedness"]
        red += np.array([3.4, -1.0, 0.4]) * c["lipLightness"]
        red[:, 0] -= 9.0 * f.mouth_line
        lab += f.lip[:, None] * (red - lab)

        width = np.exp(0.22 * c["browWidth"])
        brow = np.exp(-((f.brow_distance / width) ** 2)) * f.brow_taper
        brow *= np.clip(0.80 + 0.15 * c["browDensity"], 0.15, 0.97) * f.brow_grain
        lab += brow[:, None] * (hair - lab)
        lab += (0.75 * f.lash)[:, None] * ([14.0, 5.0, 4.0] - lab)
        lab[:, 0] = np.clip(lab[:, 0], 4.0, 96.0)
        return lab_to_srgb(lab)


def template_of(source: MorphableModel | Template, verb: str) -> Template:
    """Return the template itself, or that of a model."""
    return source if isinstance(source, Template) else require_model(source, verb).template


def albedo_model(source: MorphableModel | Template) -> AlbedoModel:
    """Return the albedo model at the vertices of a face model's template.

    Raises
    ------
    LandmarkError : the template has no multi-pie-68 landmarks.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face, rng = gf.load_builtin_face(), np.random.default_rng(1)
    >>> identity = face.sample_identity(rng)
    >>> colors = gf.albedo_model(face).colors(gf.sample_albedo_code(identity, rng))
    >>> colors.shape == face.mesh.vertices.shape
    True
    """
    template = template_of(source, "albedo")
    vertices = template.mesh.vertices
    return AlbedoModel(skin_fields(vertices, landmark_places(template)))


def albedo_colors(source: MorphableModel | Template, code: FloatArray) -> ImageArray:
    """Return the (V, 3) float32 sRGB colours of one code (16,) at the template's vertices.

    For many codes build `albedo_model` once and call its `colors`.
    """
    return albedo_model(source).colors(code)


def landmark_places(template: Template) -> FloatArray:
    """Return the (68, 3) landmark positions on the template, after checking the scheme."""
    marks = template.landmarks
    if marks is None or len(marks) != 68 or marks.scheme != "multi-pie-68":
        found = "no landmarks" if marks is None else f"{len(marks)} of scheme {marks.scheme!r}"
        raise LandmarkError(
            f"{template.mesh.name}: the procedural albedo needs the 68 landmarks of scheme "
            f"'multi-pie-68' on the template, got {found}."
        )
    return marks.positions(template.mesh.vertices)


def _positive(value: float, scale: float) -> float:
    """Return a smooth amount that is never negative: softplus, 1 near value 0.3 / scale."""
    return float(np.log1p(np.exp(value / scale)) * scale / 0.7)


def _share(value: float) -> float:
    """Return a share between 0 and 1 (logistic)."""
    return float(1.0 / (1.0 + np.exp(-value)))
