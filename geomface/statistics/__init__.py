"""Statistics of registered faces: alignment, PCA, morphable models, what relates their parts.

`evaluation` (compactness, generalization, specificity, outliers), `correlation`, `assignment`,
`mixture`, `multilinear` and `shrinkage` are imported by their own names.
"""

from geomface.statistics.alignment import AlignmentResult, align_meshes
from geomface.statistics.coupling import fit_coupling
from geomface.statistics.decomposition import Decomposition, decompose_blocks, decompose_rows
from geomface.statistics.expression import ExpressionModel, fit_expressions, replace_neutral
from geomface.statistics.eyeballs import Eyeballs
from geomface.statistics.linear_model import LinearModel, without_empty
from geomface.statistics.model_file import read_morphable, write_morphable
from geomface.statistics.morphable import MorphableModel, anti_face, interpolate, require_model
from geomface.statistics.pca import fit_pca
from geomface.statistics.posterior import Posterior, posterior
from geomface.statistics.seen_texels import seen_coefficients
from geomface.statistics.texture import TextureModel, fit_texture_pca

__all__ = [
    "AlignmentResult",
    "Decomposition",
    "ExpressionModel",
    "Eyeballs",
    "LinearModel",
    "MorphableModel",
    "Posterior",
    "TextureModel",
    "align_meshes",
    "anti_face",
    "decompose_blocks",
    "decompose_rows",
    "fit_coupling",
    "fit_expressions",
    "fit_pca",
    "fit_texture_pca",
    "interpolate",
    "posterior",
    "read_morphable",
    "replace_neutral",
    "require_model",
    "seen_coefficients",
    "without_empty",
    "write_morphable",
]
