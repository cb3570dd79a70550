"""Edits of registered faces through their codes; what the generator cannot say of a face stays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.gan.factored_geometry.codes import Codes, stack_codes
from geomface.gan.factored_geometry.fitting import FitSettings, fit_faces
from geomface.gan.factored_geometry.registered_input import registered_vertices
from geomface.mesh.mesh import Mesh

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel


def edit_faces(
    model: "FactoredModel",
    before: Codes,
    after: Codes,
    vertices: FloatArray | None = None,
    *,
    alpha: float | None = None,
) -> FloatArray:
    """Return the faces (N, V, 3) mm of edited codes.

    v' = v + f(after) - f(before): what distinguishes the face v from its fit f(before), such as
    fine detail, is kept. Without v the result is f(after).

    Parameters
    ----------
    model : a trained one
    before : N codes that were fitted to the faces
    after : N edited codes, of `Codes.replace`, `add` or `interpolate`
    vertices : (N, V, 3) mm, the faces themselves, or None
    alpha : smoothness of f, default the model's

    Raises
    ------
    SettingsError : codes of another model, or another number of codes before than after
    MeshError : vertices of another shape, NaN or infinity
    """
    if len(before) != len(after):
        raise SettingsError(
            f"edit: expected as many codes before as after, got {len(before)} and {len(after)}."
        )
    if vertices is not None:
        shape = (len(after), len(model.frame.template.vertices), 3)
        vertices = require_shape(vertices, shape, "edit: vertices of the faces")
        require_finite(vertices, "edit: vertices of the faces")
    edited = model.vertices(after, alpha=alpha)
    if vertices is None:
        return edited
    return vertices + edited - model.vertices(before, alpha=alpha)


def transfer_expression(
    model: "FactoredModel",
    source: Mesh | np.ndarray,
    target: Mesh | np.ndarray,
    *,
    factor: str = "expression",
    keep_detail: bool = True,
    settings: FitSettings | None = None,
) -> Mesh:
    """Return the target person with the expression of the source.

    Both are fitted; the target's code takes the source's part for the expression; see `edit_faces`.

    Parameters
    ----------
    model : a trained one
    source : a registered face, a mesh or (V, 3)
    target : another one, of the same or another person
    factor : which part is transferred
    keep_detail : keep what the fit of the target leaves out; False gives the generated face
    settings : of the fits

    Returns
    -------
    Mesh : mm, on the model's template with its uv

    Raises
    ------
    TopologyMismatchError, MeshError, SettingsError : as `fit_faces`; a factor that is not there

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_factored()
    >>> smile, rest = model.meshes(model.draw(2, seed=4, expression=["happy", "neutral"]))
    >>> gf.transfer_expression(model, smile, rest).topology_id == rest.topology_id
    True
    """
    model.spec.factor(factor)
    mean = model.frame.template
    faces = []
    for role, face in (("source", source), ("target", target)):
        vertices, _, names = registered_vertices(face, mean)
        if len(vertices) != 1:
            raise MeshError(f"{role}: expected one face, got {len(vertices)}.")
        faces.append((vertices[0], names[0]))
    (first, _), (second, name) = faces
    fit = fit_faces(model, np.stack([first, second]), settings=settings)
    before = fit.codes[1:]
    after = before.replace(**{factor: fit.codes[:1].part(factor)})
    kept = second[None] if keep_detail else None
    vertices = edit_faces(model, before, after, kept)[0]
    return model.template.mesh.replace(vertices=vertices, name=f"{name} with another {factor}")


def interpolation_row(
    first: Codes, second: Codes, count: int, *, parts: Sequence[str] | None = None
) -> Codes:
    """Return codes on the line from one face to another, both ends included.

    Parameters
    ----------
    first, second : one code each
    count : codes, at least 2
    parts : which parts move, such as ("expression",); None moves all

    Raises
    ------
    SettingsError : several codes in one, fewer than 2 codes, a factor that is not there
    """
    if len(first) != 1 or len(second) != 1 or count < 2:
        raise SettingsError(
            f"interpolation: expected two codes and 2 or more steps, got {len(first)} and "
            f"{len(second)} codes and {count} steps."
        )
    return stack_codes([first.interpolate(second, s, parts) for s in np.linspace(0, 1, count)])
