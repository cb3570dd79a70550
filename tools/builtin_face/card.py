"""The card of the built-in face: where it comes from, its licence and its figures."""

import numpy as np

from builtin_face.anthropometry import TYPICAL, measure_face
from builtin_face.sculpture import Sculpture

_SAMPLES = 400
_SEED = 0


def card(face: Sculpture) -> str:
    """Return the text of card.md, with measures of the mean face and of 400 random faces."""
    modes = np.stack(list(face.identity.values()))
    weights = np.random.default_rng(_SEED).standard_normal((_SAMPLES, len(modes)))
    mean = measure_face(face.layout, face.landmarks, face.vertices[None])
    # Measures need few vertices, but all samples at once are small enough: 400 x V x 3.
    shapes = face.vertices + np.tensordot(weights.astype(np.float32), modes.astype(np.float32), 1)
    spread = measure_face(face.layout, face.landmarks, shapes)
    rows = [
        f"| {name} | {typical[0]:.1f} ± {typical[1]:.1f} | "
        f"{float(mean[name][0]):.1f} ± {float(spread[name].std()):.1f} |"
        for name, typical in TYPICAL.items()
    ]
    edges = face.vertices[face.layout.quads] - face.vertices[np.roll(face.layout.quads, -1, 1)]
    lengths = np.linalg.norm(edges, axis=2)
    return "\n".join(
        [
            "# The built-in face",
            "",
            "**Origin.** Own modelling for geomface: control points set by hand after typical",
            "measures of adult faces, a quad layout with loops round eyes and mouth, fairing, and",
            "smooth fields for identity and expression. Where the 68 landmarks lie in depth and",
            "the place of the origin were first set by the 68 landmark positions of ICT-FaceKit's",
            "neutral face (MIT), as figures; the points were then moved by hand and by looking. No",
            "surface, basis or topology of another model went in. Source: `tools/builtin_face`;",
            "rebuilt by `python tools/make_builtin_face.py`.",
            "",
            "**Licence.** MIT, as the project.",
            "",
            "**Use.** Template and default model of commands and tests; simulated people. It is a",
            "caricature of human variety by named forms, not statistics of a population: do not",
            "draw conclusions about people from it.",
            "",
            "## Figures",
            "",
            f"- {face.layout.vertex_count} vertices, {len(face.layout.quads)} quads, exactly",
            "  symmetric; one disk with three holes (two eyes, mouth)",
            f"- edges {lengths.min():.2f} to {lengths.max():.1f} mm, mean {lengths.mean():.1f} mm",
            f"- {len(face.identity)} identity modes, coefficients N(0, 1), millimetres per sigma",
            f"- {len(face.expression)} expressions with ARKit names, weights 0 to 1",
            "- landmarks multi-pie-68 and the 43 of them without jaw contour and inner lips",
            f"- regions: {', '.join(face.regions)}",
            "",
            "Measures in millimetres, both sexes; typical figures are rounded from the literature.",
            "Ours: the mean face ± the spread of 400 random faces.",
            "",
            "| measure | typical adult | ours |",
            "|---|---|---|",
            *rows,
            "",
            "## Modes",
            "",
            "Identity: " + ", ".join(face.identity) + ".",
            "",
            "Expressions: " + ", ".join(face.expression) + ".",
            "",
        ]
    )
