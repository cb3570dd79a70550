"""A generated person as a GLB with one morph target for each expression."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.gan.factored_geometry.codes import Codes
from geomface.mesh.io.glb_morphs import write_morph_glb

if TYPE_CHECKING:
    from geomface.gan.factored_geometry.model import FactoredModel


def morph_targets_of(
    model: "FactoredModel",
    person: Codes,
    expressions: Sequence[str] | Mapping[str, np.ndarray] | None = None,
    *,
    factor: str = "expression",
    alpha: float | None = None,
) -> dict[str, FloatArray]:
    """Return what each expression adds to a person's face, {name: (V, 3)} mm.

    t_e = f(person with the code e) - f(person)

    Parameters
    ----------
    model : a trained one
    person : one code, whose face is seen at weight 0
    expressions : classes of the factor, or {name: code of the factor}; None for all classes
    factor : that is varied
    alpha : smoothness of the meshes, default the model's

    Raises
    ------
    SettingsError : several people, or a class that is not there
    """
    if len(person) != 1:
        raise SettingsError(f"morph targets: expected the code of one person, got {len(person)}.")
    if not isinstance(expressions, Mapping):
        expressions = class_codes(model, factor, expressions)
    if not expressions:
        raise SettingsError("morph targets: expected at least one expression, got none.")
    rest = model.vertices(person, alpha=alpha)[0]
    codes = [person.replace(**{factor: np.asarray(code)}).values for code in expressions.values()]
    faces = model.vertices(Codes(model.spec, np.concatenate(codes)), alpha=alpha)
    return {name: face - rest for name, face in zip(expressions, faces, strict=True)}


def save_morph_targets(
    path: str | Path,
    model: "FactoredModel",
    person: Codes,
    expressions: Sequence[str] | Mapping[str, np.ndarray] | None = None,
    *,
    factor: str = "expression",
    alpha: float | None = None,
) -> None:
    """Write a person's face with a morph target for each expression, see `morph_targets_of`.

    Parameters
    ----------
    path : *.glb
    model, person, expressions, factor, alpha : as `morph_targets_of`

    Raises
    ------
    SettingsError : several people, or a class that is not there
    OutputError : the place cannot be written
    """
    targets = morph_targets_of(model, person, expressions, factor=factor, alpha=alpha)
    rest = model.vertices(person, alpha=alpha)[0]
    write_morph_glb(path, model.template.mesh.replace(vertices=rest), targets)


def class_codes(
    model: "FactoredModel", factor: str, names: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the fixed codes {class: (d,)} of some classes of a factor, None for all.

    Raises
    ------
    SettingsError : no such factor, or a class that it has not
    """
    chosen = model.spec.factor(factor).classes if names is None else names
    return {name: model.code(factor, name) for name in chosen}
