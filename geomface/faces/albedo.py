"""Procedural skin colour of a person's code, for any template with the 68 landmarks."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import LandmarkError
from geomface.faces.albedo_code import PATCHES, SPOTS, code_values
from geomface.faces.albedo_fields import SkinFields, skin_fields
from geomface.faces.albedo_hair import brow_cover
from geomface.faces.albedo_kernel import FIELDS, colors_of_lab, mix_colors
from geomface.faces.albedo_marks import patch_colors
from geomface.faces.albedo_paint import paint_of, spot_thresholds
from geomface.faces.traits import Traits, traits_of
from geomface.mesh import LandmarkEmbedding, Template
from geomface.statistics import MorphableModel, require_model

_SPOT_COLORS = np.array([(-10.0, 3.0, 6.5), (-26.0, 3.0, 1.0), (-10.0, 2.5, 6.0), (-9.0, 5.0, 2.0)])
# Lab, added to the skin: freckles, moles, age spots, birthmarks.


@dataclasses.dataclass(frozen=True, eq=False)
class AlbedoModel:
    """Skin colour as a function of a code, at fixed places of a template.

    Parameters
    ----------
    fields : what each place is (lip, brow, beard zone, ...), from `skin_fields`

    Convention
    ----------
    Colours are display-referred sRGB in [0, 1], as vertex colours and texture images hold them.
    A code is ALBEDO_SIZE numbers, N(0, 1) over people; 0 is the mean, and so are the last numbers
    of a code that is shorter. Names: `ALBEDO_PARAMETERS`.
    """

    fields: SkinFields

    def colors(self, code: FloatArray) -> ImageArray:
        """Return the (P, 3) float32 sRGB colours of one code (n,), n <= ALBEDO_SIZE.

        Lab colours are mixed place by place: the skin's tone and patches, redness, spots, folds
        and sockets, nostrils, the beard, lips, make-up, brows, lashes and the hair line in this
        order.

        Raises
        ------
        SettingsError : a code that is too long, NaN or infinity.
        """
        c, traits = code_values(code), traits_of(code)
        paint = paint_of(c, traits)
        codes = np.array([c[f"patch{k}"] for k in range(PATCHES)])
        amounts = (1.0 + 0.15 * (traits.age - 43.0) / 35.0) * patch_colors(codes)
        table, patches = self._table, self.fields.patches
        spots = self._spots(c, traits, paint.freckle)
        lab = mix_colors(table, patches, amounts, spots, _SPOT_COLORS, paint)
        hair = self.fields.hair
        brow = brow_cover(hair, c, traits.masculinity)[:, None]
        lab[hair.brow_rows] += brow * (np.array(paint.brow_color) - lab[hair.brow_rows])
        return colors_of_lab(lab)

    @functools.cached_property
    def _table(self) -> ImageArray:
        """(P, fields) float32, what the kernel reads."""
        f = self.fields
        parts = {**vars(f), **vars(f.hair), **f.folds, **f.openings}
        return np.stack([np.asarray(parts[name], np.float32) for name in FIELDS], axis=1)

    def _spots(self, c: Mapping[str, float], traits: Traits, freckled: float) -> ImageArray:
        """Return (P, kinds) how much freckles, moles, age spots and birthmarks cover."""
        codes = np.array([c[f"spots{k}"] for k in range(SPOTS)])
        covers = [
            self.fields.spots[kind].cover(codes, *shown)
            for kind, shown in spot_thresholds(c, traits).items()
        ]
        covers[0] = np.float32(freckled) * covers[0]
        return np.stack(covers, axis=1, dtype=np.float32)


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
    """Return the (V, 3) float32 sRGB colours of one code at the template's vertices.

    For many codes build `albedo_model` once and call its `colors`.
    """
    return albedo_model(source).colors(code)


def face_landmarks(template: Template) -> LandmarkEmbedding:
    """Return where the 68 landmarks lie on a template, after checking the scheme."""
    marks = template.landmarks
    if marks is None or len(marks) != 68 or marks.scheme != "multi-pie-68":
        found = "no landmarks" if marks is None else f"{len(marks)} of scheme {marks.scheme!r}"
        raise LandmarkError(
            f"{template.mesh.name}: the procedural albedo needs the 68 landmarks of scheme "
            f"'multi-pie-68' on the template, got {found}."
        )
    return marks


def landmark_places(template: Template) -> FloatArray:
    """Return the (68, 3) landmark positions on the template, after checking the scheme."""
    return face_landmarks(template).positions(template.mesh.vertices)
