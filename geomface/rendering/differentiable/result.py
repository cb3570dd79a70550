"""What a render call returns."""

import dataclasses
from collections.abc import Mapping

import torch

from geomface.errors import SettingsError
from geomface.rendering.visibility import BackendChoice


@dataclasses.dataclass(frozen=True, eq=False)
class RenderResult:
    """The pictures that were asked for, all of one visibility pass.

    Parameters
    ----------
    images : {output: tensor}
    backend : which visibility backend drew, and why

    Convention
    ----------
    Channels last, row 0 at the top. Where nothing is covered: 0, and -1 in `face_id`.
    """

    images: Mapping[str, torch.Tensor]
    backend: BackendChoice

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self.images:
            raise SettingsError(
                f"render: {name!r} was not asked for. Add it to outputs; this result holds "
                f"{', '.join(self.images)}."
            )
        return self.images[name]

    @property
    def rgb(self) -> torch.Tensor:
        """(B, H, W, 3): over the background, or premultiplied by alpha when there is none."""
        return self["rgb"]

    @property
    def alpha(self) -> torch.Tensor:
        """(B, H, W) in [0, 1]: how much of the pixel the surface covers."""
        return self["alpha"]

    @property
    def depth(self) -> torch.Tensor:
        """(B, H, W) view depth at the pixel centre, millimetres."""
        return self["depth"]

    @property
    def normals(self) -> torch.Tensor:
        """(B, H, W, 3) unit outward normal in world axes."""
        return self["normals"]

    @property
    def position(self) -> torch.Tensor:
        """(B, H, W, 3) point of the surface in the world, millimetres."""
        return self["position"]

    @property
    def uv(self) -> torch.Tensor:
        """(B, H, W, 2) uv, origin bottom-left."""
        return self["uv"]

    @property
    def albedo(self) -> torch.Tensor:
        """(B, H, W, 3) the surface's colour without light, as the texture or colours hold it."""
        return self["albedo"]

    @property
    def shading(self) -> torch.Tensor:
        """(B, H, W, 3) what a white surface would show, in linear light, without highlights."""
        return self["shading"]

    @property
    def region(self) -> torch.Tensor:
        """(B, H, W) int64: 1 + place of the nearest corner's region in the names, 0 for none."""
        return self["region"]

    @property
    def face_id(self) -> torch.Tensor:
        """(B, H, W) int32 triangle, -1 where there is none."""
        return self["face_id"]

    @property
    def landmarks(self) -> torch.Tensor:
        """(B, L, 2) pixel x and y of the landmarks."""
        return self["landmarks"]

    @property
    def landmarks_visible(self) -> torch.Tensor:
        """(B, L) bool: inside the picture, and nothing nearer hides the landmark."""
        return self["landmarks_visible"]
