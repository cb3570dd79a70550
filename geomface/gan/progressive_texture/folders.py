"""Training sets from folders: baked textures with their masks, or geometry images."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geomface.files import load_image
from geomface.gan.progressive_texture.dataset import TextureSet, reduce_set
from geomface.geometry_image.files import load_geometry_image
from geomface.learning.errors import DatasetError

TEXTURE, MASK = "registered.texture.png", "mask.png"
GEOMETRY = "geometry_image.safetensors"


@dataclasses.dataclass(frozen=True, eq=False)
class GeometrySet:
    """Geometry images as a training set, and the way back to millimetres.

    Parameters
    ----------
    textures : channels are x, y, z, scaled to [-1, 1] by the set's own range
    low, high : (3,) range of each coordinate, in mm
    topology_id : of the template
    mode : "absolute" positions, or "displacement" from the template's
    """

    textures: TextureSet
    low: np.ndarray
    high: np.ndarray
    topology_id: str
    mode: str = "absolute"


def find_textures(folder: Path | str) -> list[tuple[Path, Path | None]]:
    """Return (texture, mask) pairs below a folder, sorted by name.

    Either a pipeline's output (registered.texture.png with mask.png beside it), or NAME.png with
    NAME.mask.png; a texture without a mask is valid everywhere.

    Raises
    ------
    DatasetError : no such folder, or nothing in it
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root}: expected a folder of textures, there is none. Check the path.")
    baked = _below(root, TEXTURE)
    if baked:
        return [(path, _present(path.with_name(MASK))) for path in baked]
    plain = sorted(path for path in root.glob("*.png") if not path.name.endswith(".mask.png"))
    if not plain:
        raise DatasetError(
            f"{root}: expected textures ({TEXTURE} in subfolders, or NAME.png with "
            "NAME.mask.png), got none. Run 'geomface pipeline run' to bake some."
        )
    return [(path, _present(path.with_name(f"{path.stem}.mask.png"))) for path in plain]


def load_textures(
    folder: Path | str,
    size: int,
    *,
    mirror: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> TextureSet:
    """Read a folder of textures at `size` pixels.

    Parameters
    ----------
    folder : as for `find_textures`
    size : pixels a side; the files must have this size or a multiple of it
    mirror : whether left and right of the texture may be exchanged (a symmetric uv map)
    on_progress : called with (read, in all)

    Raises
    ------
    DatasetError : nothing there, mixed sizes, a mask of another size, or one that hides everything
    FileFormatError : a file that is no image
    """
    pairs = find_textures(folder)
    images, masks, expected = [], [], None
    for index, (path, mask_path) in enumerate(pairs):
        picture = load_image(path)
        expected = expected or picture.shape[:2]
        _require_size(path, picture.shape[:2], expected)
        valid = np.ones(picture.shape[:2], bool)
        if mask_path is not None:
            valid = load_image(mask_path, channels=1)[..., 0] > 0.5
            _require_size(mask_path, valid.shape, expected)
        pixels = torch.from_numpy(np.round(picture * 255).astype(np.uint8)).permute(2, 0, 1)
        small, small_mask = reduce_set(pixels[None], torch.from_numpy(valid)[None, None], size)
        images.append(small)
        masks.append(small_mask)
        if on_progress is not None:
            on_progress(index + 1, len(pairs))
    names = tuple(path.relative_to(folder).as_posix() for path, _ in pairs)
    return TextureSet(torch.cat(images), torch.cat(masks), mirror, names)


def load_geometry(
    folder: Path | str,
    size: int,
    *,
    mirror: bool = False,
    span: tuple[np.ndarray, np.ndarray] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> GeometrySet:
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
    paths = _below(root, GEOMETRY) or sorted(root.glob("*.safetensors"))
    if not paths:
        raise DatasetError(
            f"{root}: expected geometry images ({GEOMETRY} in subfolders, or *.safetensors), got "
            "none. Run 'geomface pipeline run' or 'geomface geoimage encode'."
        )
    images, masks, topology, mode, expected = [], [], "", "", None
    for index, path in enumerate(paths):
        image = load_geometry_image(path)
        topology, expected = topology or image.topology_id, expected or image.mask.shape
        mode = mode or image.mode
        if image.mode != mode:
            raise DatasetError(
                f"{path}: expected {mode} coordinates as in {paths[0]}, got {image.mode}. Encode "
                "all in one mode."
            )
        _require_size(path, image.mask.shape, expected)
        if image.topology_id != topology:
            raise DatasetError(
                f"{path}: expected topology {topology} as in {paths[0]}, got {image.topology_id}. "
                "One set needs one template."
            )
        pixels = torch.from_numpy(np.array(image.values, np.float32)).permute(2, 0, 1)
        valid = torch.from_numpy(np.array(image.mask))[None, None]
        small, small_mask = reduce_set(pixels[None], valid, size)
        images.append(small)
        masks.append(small_mask)
        if on_progress is not None:
            on_progress(index + 1, len(paths))
    stack, valid = torch.cat(images), torch.cat(masks)
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
    textures = TextureSet(scaled.clamp(-1, 1), valid, mirror, names, coordinates=True)
    return GeometrySet(textures, low.numpy(), (low + spread).numpy(), topology, mode)


def _below(root: Path, name: str) -> list[Path]:
    """Return the files of that name, but for those in hidden folders, which are being written."""
    found = root.rglob(name)
    return sorted(
        path for path in found if not any(p[0] == "." for p in path.relative_to(root).parts)
    )


def _present(path: Path) -> Path | None:
    return path if path.is_file() else None


def _require_size(path: Path, got: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(got) != tuple(expected):
        raise DatasetError(
            f"{path}: expected {expected[1]} x {expected[0]} pixels as in the first image, got "
            f"{got[1]} x {got[0]}. Bake all at one size."
        )
    if got[0] != got[1]:
        raise DatasetError(f"{path}: expected a square image, got {got[1]} x {got[0]} pixels.")
