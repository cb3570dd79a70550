"""Training sets from folders of geometry images."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geomface.datasets import layout
from geomface.datasets.image_set import ImageSet, read_images
from geomface.geometry_image.files import load_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.learning.errors import DatasetError
from geomface.mesh.uv_fingerprint import require_same_uv


@dataclasses.dataclass(frozen=True, eq=False)
class GeometryImageSet:
    """Geometry images as a training set, and the way back to millimetres.

    Parameters
    ----------
    images : channels are x, y, z, scaled to [-1, 1] by the set's own range
    low, high : (3,) range of each coordinate, in mm
    topology_id : of the template
    mode : "absolute" positions, or "displacement" from the template's
    """

    images: ImageSet
    low: np.ndarray
    high: np.ndarray
    topology_id: str
    mode: str = "absolute"


def load_geometry_images(
    folder: Path | str,
    size: int,
    *,
    mirror: bool = False,
    span: tuple[np.ndarray, np.ndarray] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> GeometryImageSet:
    """Read a folder of geometry images at `size` pixels, each coordinate scaled to [-1, 1].

    Parameters
    ----------
    folder : a pipeline's output, or NAME.safetensors
    size : pixels a side; the files must have this size or a multiple of it
    mirror : show each coordinate mirrored as often as not, independently of the others: eight
        images of one, for a uv map and a pose that are symmetric about x = 0
    span : (low, high) of each coordinate in mm that become -1 and 1; by default the set's own
        range, with `mirror` that of x made symmetric
    on_progress : called with (read, in all)

    Raises
    ------
    DatasetError : nothing there, mixed sizes or topologies
    FileFormatError : a file that is no geometry image
    """
    root = Path(folder)
    paths = layout.files_below(root, layout.GEOMETRY_IMAGE)
    paths = paths or layout.files_below(root, "*.safetensors", deep=False)
    if not paths:
        raise DatasetError(
            f"{root}: expected geometry images ({layout.GEOMETRY_IMAGE} in subfolders, or "
            "*.safetensors), got none. Run 'geomface pipeline run' or 'geomface geoimage encode'."
        )
    first = load_geometry_image(paths[0])
    read = functools.partial(_read_like, first, paths[0])
    stack, valid = read_images(paths, read, size, on_progress)
    if span is None:
        # The range comes from the surface; the gutter around it may lie anywhere and is hidden.
        inside = valid.expand_as(stack)
        low = torch.where(inside, stack, torch.inf).amin(dim=(0, 2, 3))
        high = torch.where(inside, stack, -torch.inf).amax(dim=(0, 2, 3))
        if mirror:
            high[0] = torch.maximum(high[0], -low[0])
            low[0] = -high[0]
    else:
        low, high = (torch.as_tensor(np.asarray(item, np.float32)) for item in span)
    spread = (high - low).clamp_min(1e-6)
    scaled = (stack - low[:, None, None]) / spread[:, None, None] * 2.0 - 1.0
    names = tuple(path.relative_to(root).as_posix() for path in paths)
    images = ImageSet(
        scaled.clamp(-1, 1), valid, mirror, names, coordinates=True, uv=first.uv_fingerprint
    )
    return GeometryImageSet(
        images, low.numpy(), (low + spread).numpy(), first.topology_id, first.mode
    )


def _read_like(
    first: GeometryImage, first_path: Path, path: Path
) -> tuple[Path, np.ndarray, np.ndarray]:
    image = load_geometry_image(path)
    if image.mode != first.mode:
        raise DatasetError(
            f"{path}: expected {first.mode} coordinates as in {first_path}, got {image.mode}. "
            "Encode all in one mode."
        )
    if image.topology_id != first.topology_id:
        raise DatasetError(
            f"{path}: expected topology {first.topology_id} as in {first_path}, got "
            f"{image.topology_id}. One set needs one template."
        )
    require_same_uv(first.uv_fingerprint, image.uv_fingerprint, first_path, path)
    return path, np.array(image.values, np.float32), np.array(image.mask)
