"""Relief of a person's own: what is left of a face when its sizes are those of a model's modes."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo_geometry import bump, closed_curve, nearest, rise
from geomface.faces.eyes import LEFT, RIGHT
from geomface.mesh import Template
from geomface.mesh.topology import boundary_loops

_WAVES = 64
RELIEF_SIZE = 2 * 2 * _WAVES * 3
"""Numbers that say what relief a person has."""

_SEED = 71
_LENGTHS = (7.0, 15.0)  # over which the relief of two places is alike, mm
_SIZE = (1.6, 1.6, 2.2)  # standard deviation where it is strongest: aside, up and outwards, mm
_SYMMETRIC = 0.85  # share of the variance that both sides have in common
_QUIET = 0.35  # strength between the features, as a share
# Where noses, brows, cheeks, lips and chins are: means of landmarks, mm to move them, mm around.
_FEATURES = (
    ((27, 28), (0, 0, 0), (10, 12, 14)),
    ((29, 30), (0, 0, 0), (12, 11, 14)),
    ((31, 35), (0, 3, 0), (18, 9, 14)),
    ((19, 20), (0, -1, 0), (15, 8, 14)),
    ((23, 24), (0, -1, 0), (15, 8, 14)),
    ((2, 36), (6, 2, 0), (16, 14, 20)),
    ((14, 45), (-6, 2, 0), (16, 14, 20)),
    ((51, 57), (0, 0, 0), (22, 10, 14)),
    ((8,), (0, 8, 4), (18, 14, 18)),
    ((5,), (6, 8, 0), (14, 14, 20)),
    ((11,), (-6, 8, 0), (14, 14, 20)),
)


@dataclasses.dataclass(frozen=True, eq=False)
class ReliefModel:
    """Smooth displacements of a template's vertices as a function of a code.

    u(x) = w(x) (sqrt(s) (h(x) + M h(M x)) / n(x) + sqrt(1 - s) g(x)), with M the mirror image, h
    and g sums of plane waves of fixed frequencies whose amplitudes are the code, and w largest on
    the features, small about the eyes and 0 at the rim.

    Parameters
    ----------
    even, odd, own : (V, 2 waves) float32, waves of both sides alike, mirrored, and of every side
    strength : (V, 3) float32, unit of the template

    Source
    ------
    Rahimi and Recht 2007, "Random features for large-scale kernel machines": such a sum has the
    covariance exp(-|x - y|^2 / 2 l^2) when frequencies are Gaussian of deviation 1 / l.
    """

    even: np.ndarray
    odd: np.ndarray
    own: np.ndarray
    strength: np.ndarray

    def displacements(self, code: FloatArray) -> FloatArray:
        """Return (V, 3) float64, unit of the template.

        Parameters
        ----------
        code : (RELIEF_SIZE,) standard normal over people
        """
        both, side = code.astype(np.float32).reshape(2, 2 * _WAVES, 3)
        # Not a product of matrices: its last bits depend on the number of threads.
        total = np.einsum("vw,wc->vc", self.own, np.sqrt(np.float32(1 - _SYMMETRIC)) * side)
        both = np.sqrt(np.float32(_SYMMETRIC)) * both
        total[:, :1] += np.einsum("vw,wc->vc", self.odd, both[:, :1])
        total[:, 1:] += np.einsum("vw,wc->vc", self.even, both[:, 1:])
        return (total * self.strength).astype(np.float64)


def relief_model(template: Template, landmarks: FloatArray) -> ReliefModel:
    """Return the relief of faces on a template.

    Parameters
    ----------
    template : any face
    landmarks : (68, 3) float64, multi-pie-68 on the template

    Convention
    ----------
    Lengths are those of a face whose outer corners of the eyes lie 90 mm apart; its plane of
    symmetry goes through the root of the nose. x to the subject's left, y up, z out of the face.
    """
    scale = 90.0 / float(np.linalg.norm(landmarks[45] - landmarks[36]))
    p = (template.mesh.vertices - landmarks[27]) * scale
    marks = (landmarks - landmarks[27]) * scale
    rng = np.random.default_rng(_SEED)
    shortest, longest = np.log(_LENGTHS)
    lengths = np.exp(rng.uniform(shortest, longest, _WAVES))
    frequencies = rng.standard_normal((_WAVES, 3)) / lengths[:, None]
    here, there = _waves(p, frequencies), _waves(p * [-1, 1, 1], frequencies)
    # Where the sides meet, waves of both add up: n(x)^2 is the variance of their sum.
    alike = np.cos(2 * p[:, :1] * frequencies[:, 0]).mean(axis=1)
    even = (here + there) / np.sqrt(2 * (1 + np.maximum(alike, -0.5)))[:, None]
    strength = _strength(template, p, marks)[:, None] * np.array(_SIZE) / scale
    return ReliefModel(
        even.astype(np.float32),
        ((here - there) / np.sqrt(2)).astype(np.float32),
        here.astype(np.float32),
        strength.astype(np.float32),
    )


def _waves(p: FloatArray, frequencies: FloatArray) -> FloatArray:
    """Return (P, 2 waves) cosines and sines, of a summed variance of 1."""
    phase = np.einsum("pi,wi->pw", p, frequencies)
    return np.hstack([np.cos(phase), np.sin(phase)]) / np.sqrt(len(frequencies))


def _strength(template: Template, p: FloatArray, marks: FloatArray) -> FloatArray:
    """Return (P,) how strong the relief is, in [0, 1]."""
    quiet = np.ones(len(p))
    for places, move, around in _FEATURES:
        quiet *= 1.0 - bump(p, marks[list(places)].mean(axis=0) + move, around)
    strength = 1.0 - (1.0 - _QUIET) * quiet
    # Lids stay on the eyeballs, and beyond the landmarks nobody looks.
    for lids in (LEFT, RIGHT):
        away, _ = nearest(p, closed_curve(marks[lids]))
        strength *= 0.25 + 0.75 * rise(away, 1.0, 11.0)
    strength *= 1.0 - rise(nearest(p / 2, marks / 2)[0], 17.0, 29.0)
    rim = _outer_rim(template, p)
    return strength if rim is None else strength * rise(nearest(p, rim)[0], 1.0, 22.0)


def _outer_rim(template: Template, p: FloatArray) -> FloatArray | None:
    """Return the places of the longest loop of the border, None for a closed mesh."""
    loops = [p[loop] for loop in boundary_loops(template.mesh.faces)]
    if not loops:
        return None
    lengths = [np.linalg.norm(loop - np.roll(loop, 1, axis=0), axis=1).sum() for loop in loops]
    return loops[int(np.argmax(lengths))]
