"""Training sets from folders of baked textures with their masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from geomface.datasets import layout
from geomface.datasets.image_set import ImageSet, read_images, require_square
from geomface.files import load_image
from geomface.learning.errors import DatasetError


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
    baked = layout.files_below(root, layout.TEXTURE)
    if baked:
        return [(path, _present(path.with_name(layout.MASK))) for path in baked]
    plain = sorted(path for path in root.glob("*.png") if not path.name.endswith(".mask.png"))
    if not plain:
        raise DatasetError(
            f"{root}: expected textures ({layout.TEXTURE} in subfolders, or NAME.png with "
            "NAME.mask.png), got none. Run 'geomface pipeline run' to bake some."
        )
    return [(path, _present(path.with_name(f"{path.stem}.mask.png"))) for path in plain]


def load_textures(
    folder: Path | str,
    size: int,
    *,
    mirror: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImageSet:
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
    images, masks = read_images(pairs, _read_pair, size, on_progress)
    names = tuple(path.relative_to(folder).as_posix() for path, _ in pairs)
    return ImageSet(images, masks, mirror, names)


def _read_pair(pair: tuple[Path, Path | None]) -> tuple[Path, np.ndarray, np.ndarray]:
    path, mask_path = pair
    picture = load_image(path)
    valid = np.ones(picture.shape[:2], bool)
    if mask_path is not None:
        valid = load_image(mask_path, channels=1)[..., 0] > 0.5
        require_square(mask_path, valid.shape, picture.shape[:2])
    return path, np.round(picture * 255).astype(np.uint8), valid


def _present(path: Path) -> Path | None:
    return path if path.is_file() else None
