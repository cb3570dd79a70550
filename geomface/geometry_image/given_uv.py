"""Is the uv that a mesh brings a map that textures and geometry images can use?"""

import numpy as np

from geomface.arrays import FloatArray
from geomface.geometry_image.sampling import sample_texels
from geomface.mesh.mesh import Mesh

_SAME = 1e-6
_TEXELS = 1024
# What rounding to whole texels alone takes from the sum of areas or adds to it.
_ROUNDING = 0.005


def given_uv(mesh: Mesh) -> tuple[FloatArray | None, str]:
    """Return the one uv of every vertex, if it is a map of the surface onto part of the square.

    Parameters
    ----------
    mesh : with uv or without, every vertex in a face

    Returns
    -------
    uv : (V, 2) float64, None when there is no uv that can be used
    reason : why not, as the end of a sentence about "its uv"; empty for one that can be used

    Convention
    ----------
    One uv a vertex, in [0, 1], every triangle counter-clockwise, no two triangles at one place.
    """
    if mesh.uv is None or mesh.uv_faces is None:
        return None, "is missing"
    low, high = float(mesh.uv.min()), float(mesh.uv.max())
    if low < -_SAME or high > 1 + _SAME:
        return None, f"leaves the unit square ({low:.3g} to {high:.3g})"
    uv = np.zeros((len(mesh.vertices), 2))
    uv[mesh.faces.ravel()] = mesh.uv[mesh.uv_faces.ravel()]
    apart = np.abs(uv[mesh.faces] - mesh.uv[mesh.uv_faces]).max(axis=2) > _SAME
    if apart.any():
        count = len(np.unique(mesh.faces[apart]))
        return None, f"has seams ({count:,} vertices with more than one uv)"
    first, second = (uv[mesh.faces[:, k]] - uv[mesh.faces[:, 0]] for k in (1, 2))
    areas = 0.5 * (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    if (areas < 0).mean() > 0.5:
        return None, "is a mirror image"
    if (areas <= 0).any():
        return None, f"turns over or flattens {int((areas <= 0).sum()):,} triangles"
    covered = float(sample_texels(mesh.replace(uv=uv, uv_faces=mesh.faces), _TEXELS).mask.mean())
    if areas.sum() > covered * (1 + _ROUNDING):
        twice = 1 - covered / float(areas.sum())
        return None, f"lays {100 * twice:.0f} % of the surface over other parts of it"
    return uv, ""
