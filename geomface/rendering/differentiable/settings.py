"""Settings of the differentiable renderer."""

import dataclasses

from geomface.errors import SettingsError
from geomface.ranges import SIDE, require_numbers

OUTPUTS = (
    "rgb",
    "alpha",
    "depth",
    "normals",
    "position",
    "uv",
    "albedo",
    "shading",
    "region",
    "face_id",
    "landmarks",
)
"""Everything that one pass can return."""

ANTIALIAS = ("analytic", "none")
COLOR_SPACES = ("srgb", "linear")


@dataclasses.dataclass(frozen=True)
class RenderSettings:
    """How a renderer draws.

    Parameters
    ----------
    height, width : pixels
    backend : "auto", or the name of a visibility backend
    antialias : "analytic" blends rgb and alpha over silhouettes and gives them gradients there;
        "none" leaves pixels as their centre sees them
    color_space : "srgb" takes textures, colours and backgrounds as sRGB, lights them in linear
        light and returns sRGB; "linear" multiplies the numbers as they are
    two_sided : light a face seen from its inside as if it faced the eye
    landmark_tolerance : a landmark is visible unless something is nearer by more than this,
        millimetres
    check_input : look for triangles without area and vertices behind the camera, and raise; without
        it they are left out of the picture
    compiled : on a CPU use the compiled twins of the busiest stages; without them all is plain
        torch, slower, with second derivatives

    Example
    -------
    >>> import torch
    >>> import geomface as gf
    >>> mesh = gf.load_builtin_face().mesh
    >>> renderer = gf.Renderer(mesh, gf.RenderSettings(48, 64, backend="torch"))
    >>> vertices = torch.tensor(mesh.vertices, dtype=torch.float32)[None]
    >>> seen = renderer.render(vertices, gf.look_at_face(48, 64), outputs=("face_id",))
    >>> tuple(seen.face_id.shape)
    (1, 48, 64)
    """

    height: int = 256
    width: int = 256
    backend: str = "auto"
    antialias: str = "analytic"
    color_space: str = "srgb"
    two_sided: bool = True
    landmark_tolerance: float = 2.0
    check_input: bool = True
    compiled: bool = True

    def __post_init__(self) -> None:
        require_numbers(self, height=SIDE, width=SIDE, landmark_tolerance="[0, inf]")
        for name, value, known in (
            ("antialias", self.antialias, ANTIALIAS),
            ("color_space", self.color_space, COLOR_SPACES),
        ):
            if value not in known:
                raise SettingsError(
                    f"render: expected {name} to be {' or '.join(known)}, got {value!r}."
                )
