"""Training sets from folders of baked textures with their masks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from geomface.datasets import layout
from geomface.datasets.image_set import ImageSet, read_images, require_square
from geomface.files.images import IMAGE_SUFFIXES, decode_image
from geomface.files.reading import log, read_bytes
from geomface.learning.errors import DatasetError
from geomface.mesh.io.texture_files import texture_fingerprint
from geomface.mesh.uv_fingerprint import Fingerprint, require_same_uv

_MASKS = (".mask", "_mask", "-mask")
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def no_textures(root: Path | str) -> DatasetError:
    """Return the error of a folder that is not there."""
    return DatasetError(f"{root}: expected a folder of textures, there is none. Check the path.")


def find_textures(folder: Path | str) -> list[tuple[Path, Path | None]]:
    """Return (texture, mask) pairs below a folder, sorted by name.

    Either a pipeline's output (registered.texture.png with mask.png beside it), or pictures
    NAME.png (or .jpg, ...) with NAME.mask.png, NAME_mask.png or NAME-mask.png; a texture without a
    mask is valid where its alpha says so. Hidden files are left out.

    Raises
    ------
    DatasetError : no such folder, or nothing in it
    """
    root = Path(folder)
    if not root.is_dir():
        raise no_textures(root)
    baked = layout.files_below(root, layout.TEXTURE)
    if baked:
        return [(path, _present(path.with_name(layout.MASK))) for path in baked]
    pictures = sorted(
        path
        for path in layout.files_below(root, "*", deep=False)
        if path.suffix.lower() in IMAGE_SUFFIXES
    )
    masks = {path.stem.lower(): path for path in pictures if path.stem.lower().endswith(_MASKS)}
    plain = [path for path in pictures if path.stem.lower() not in masks]
    if not plain:
        raise DatasetError(
            f"{root}: expected textures ({layout.TEXTURE} in subfolders, or NAME.png with "
            "NAME.mask.png), got none. Run 'geomface pipeline run' to bake some."
        )
    pairs = []
    for path in plain:
        found = [masks.pop(path.stem.lower() + end, None) for end in _MASKS]
        pairs.append((path, next(filter(None, found), None)))
    if masks:
        first = min(masks.values()).name
        log.warning("%s: %d masks such as %s belong to no texture.", root, len(masks), first)
    return pairs


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
    MeshError : textures made for different uv
    """
    pairs = find_textures(folder)
    first: list[tuple[Path, Fingerprint]] = []

    def read(pair: tuple[Path, Path | None]) -> tuple[Path, np.ndarray, np.ndarray]:
        path = pair[0]
        data = read_bytes(path, "an image (PNG, JPEG)")
        uv = texture_fingerprint(data, path)
        if uv is not None:
            first.append((path, uv))
            require_same_uv(first[0][1], uv, first[0][0], path)
            del first[1:]
        return _read_pair(data, *pair)

    images, masks = read_images(pairs, read, size, on_progress)
    names = tuple(path.relative_to(folder).as_posix() for path, _ in pairs)
    return ImageSet(images, masks, mirror, names, uv=first[0][1] if first else None)


def _read_pair(
    data: bytes, path: Path, mask_path: Path | None
) -> tuple[Path, np.ndarray, np.ndarray]:
    picture, valid = _opaque(data, path)
    if mask_path is not None:
        mask, opaque = _opaque(read_bytes(mask_path, "an image (PNG, JPEG)"), mask_path)
        require_square(mask_path, opaque.shape, valid.shape)
        valid &= opaque & (mask @ _GREY > 0.5)
    return path, np.round(picture * 255).astype(np.uint8), valid


def _opaque(data: bytes, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of a picture and where its alpha shows them."""
    pixels = decode_image(data, str(path), channels=4)
    return pixels[..., :3], pixels[..., 3] > 0.5


def _present(path: Path) -> Path | None:
    return path if path.is_file() else None
