"""Data sets for streams: arrays in memory or on disk, folders of pictures, tar shards of them."""

import dataclasses
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geomface.errors import FileFormatError
from geomface.files.images import IMAGE_SUFFIXES, decode_image, may_have_alpha
from geomface.files.reading import log, read_bytes, reading, require_file
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import Fingerprint, content_hash, fingerprint_rows
from geomface.learning.stream import Batch


def network_values(column: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Return rows as networks take them.

    8 bits become x / 127.5 - 1, bools 0 and 1, other integers int64; floats stay what they are.
    """
    tensor = column if isinstance(column, torch.Tensor) else torch.from_numpy(column)
    if tensor.dtype == torch.uint8:
        return tensor.to(torch.get_default_dtype()) / 127.5 - 1.0
    if tensor.dtype == torch.bool or tensor.is_floating_point():
        return tensor.to(torch.get_default_dtype())
    return tensor.long()


@dataclasses.dataclass(frozen=True, eq=False)
class ArraySet:
    """Columns of equal length: arrays, tensors, or arrays that stay on disk (`numpy.memmap`).

    Parameters
    ----------
    columns : {name: (N, ...)}; pictures are (N, C, H, W), labels (N,) with -1 for unknown

    Example
    -------
    >>> data = ArraySet({"images": np.zeros((5, 1, 112, 96), np.uint8), "labels": np.arange(5)})
    >>> batch = data.batch(torch.tensor([3, 0]))
    >>> batch["images"].shape, batch["labels"].tolist()
    (torch.Size([2, 1, 112, 96]), [3, 0])
    """

    columns: Mapping[str, np.ndarray | torch.Tensor]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) != 1:
            raise DatasetError(f"training set: expected columns of one length, got {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return the rows of some numbers, through `network_values`."""
        rows = indices.numpy()
        return {
            name: network_values(
                column[indices]
                if isinstance(column, torch.Tensor)
                else np.ascontiguousarray(column[rows])
            )
            for name, column in self.columns.items()
        }

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each row."""
        return fingerprint_rows(self.columns)


class Span(NamedTuple):
    """Bytes of a file that hold a picture; a length of -1 means all of them."""

    path: Path
    start: int = 0
    length: int = -1

    def read(self) -> bytes:
        """Return the bytes."""
        return read_bytes(self.path, "a picture", self.length, self.start)


@dataclasses.dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures of one size that are read when they are shown.

    What alpha hides is grey, which is 0 for a network; the first such picture is told.

    Parameters
    ----------
    names : of the samples
    pictures : where each lies
    labels : further columns
    channels : 1 or 3
    """

    names: tuple[str, ...]
    pictures: Sequence[Span]
    labels: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    channels: int = 3
    _hidden: set[str] = dataclasses.field(default_factory=set, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return {"images": (B, C, H, W) in [-1, 1]} and the labels of some samples."""
        images = []
        for index in indices.tolist():
            image = self._picture(index)
            if images and image.shape != images[0].shape:
                raise DatasetError(
                    f"{self.names[index]}: expected a picture of {images[0].shape[1]} x "
                    f"{images[0].shape[0]} pixels as others, got {image.shape[1]} x "
                    f"{image.shape[0]}. Crop them alike."
                )
            images.append(image)
        stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        columns = {"images": 2.0 * stacked.to(torch.get_default_dtype()) - 1.0}
        return columns | ArraySet(self.labels).batch(indices) if self.labels else columns

    def _picture(self, index: int) -> np.ndarray:
        """Return (H, W, C) in [0, 1], where alpha a hides it a c + (1 - a) / 2."""
        name, data = self.names[index], self.pictures[index].read()
        image = decode_image(data, name, self.channels)
        if not may_have_alpha(data):
            return image
        alpha = decode_image(data, name, channels=4)[..., 3:]
        if alpha.min() == 1.0:
            return image
        if not self._hidden:
            log.warning(
                "%s: is transparent in parts; what alpha hides is grey, here and in others.", name
            )
        self._hidden.add(name)
        return alpha * image + (1 - alpha) / 2

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each picture and its labels."""
        labels = [np.asarray(column) for column in self.labels.values()]
        return {
            name: content_hash(span.read(), *(column[row].tobytes() for column in labels))
            for row, (name, span) in enumerate(zip(self.names, self.pictures, strict=True))
        }


def picture_folder(folder: Path | str, *, channels: int = 3) -> PictureSet:
    """Return the pictures of a folder and the folders in it; those are the classes, by name.

    Parameters
    ----------
    folder : of pictures of one size; one in a folder within it gets that one's number as label
    channels : 1 or 3

    Raises
    ------
    DatasetError : no pictures there
    """
    root = Path(folder)
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    if not paths:
        raise DatasetError(f"{root}: expected a folder of pictures, got none. Check the path.")
    names = tuple(path.relative_to(root).as_posix() for path in paths)
    owners = [name.rpartition("/")[0] for name in names]
    numbers = {owner: number for number, owner in enumerate(sorted(set(owners) - {""}))}
    labels = np.array([numbers.get(owner, -1) for owner in owners], np.int64)
    return PictureSet(names, [Span(path) for path in paths], {"labels": labels}, channels)


def picture_shards(
    shards: Sequence[Path | str], *, picture: str = "", label: str = "label", channels: int = 3
) -> PictureSet:
    """Return the pictures of tar files as WebDataset writes them, KEY.png beside KEY.json.

    Parameters
    ----------
    shards : uncompressed tar files
    picture : which of several, such as "rgb" for KEY.rgb.png in geomface's own sets
    label : entry of KEY.json that holds the class, such as "identity" in geomface's own sets
    channels : 1 or 3

    Raises
    ------
    DatasetError : no pictures there
    FileFormatError : not a tar, or cut short
    """
    wanted = {f"{picture}{suffix}".removeprefix(".") for suffix in IMAGE_SUFFIXES}
    spans: dict[str, Span] = {}
    labels: dict[str, int] = {}
    for shard in map(Path, shards):
        require_file(shard, "a tar of pictures")
        stored = shard.stat().st_size
        try:
            with reading(shard, "a tar of pictures"), tarfile.open(shard, "r:") as archive:
                for member in archive:
                    if not 0 <= member.size <= stored - member.offset_data:
                        raise ValueError(f"{member.name} announces {member.size} bytes")
                    folder, slash, name = member.name.rpartition("/")
                    key, _, ending = name.partition(".")
                    if ending.lower() in wanted:
                        spans[folder + slash + key] = Span(shard, member.offset_data, member.size)
                    elif ending == "json" and (file := archive.extractfile(member)):
                        labels[folder + slash + key] = int(json.load(file).get(label, -1))
        except (tarfile.TarError, OSError, ValueError, TypeError, AttributeError) as error:
            raise FileFormatError(
                f"{shard}: expected a tar of pictures, but it cannot be read ({error}). Write it "
                "again."
            ) from error
    if not spans:
        raise DatasetError(
            f"training set: expected shards with pictures KEY.{min(wanted)}, got none in them."
        )
    names = tuple(spans)
    column = np.array([labels.get(name, -1) for name in names], np.int64)
    return PictureSet(names, list(spans.values()), {"labels": column}, channels)
