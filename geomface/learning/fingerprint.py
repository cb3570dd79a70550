"""Fingerprints of data: a hash for each sample, so that a run can say which ones have changed."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from geomface.errors import FileFormatError

Fingerprint = dict[str, str]
"""{name of a sample: hash of its content}."""


def fingerprint_rows(
    columns: Mapping[str, np.ndarray | torch.Tensor], names: Sequence[str] = ()
) -> Fingerprint:
    """Return the fingerprint of arrays in memory, row by row.

    Parameters
    ----------
    columns : {name: (N, ...)}
    names : of the rows; without, their numbers

    Example
    -------
    >>> fingerprint_rows({"x": np.array([1.0, 2.0])}, ["a.png", "b.png"]).keys()
    dict_keys(['a.png', 'b.png'])
    """
    arrays = [
        item.detach().cpu().numpy() if isinstance(item, torch.Tensor) else item
        for item in columns.values()
    ]
    count = len(arrays[0]) if arrays else 0
    return {
        name: content_hash(*(np.ascontiguousarray(array[row]).tobytes() for array in arrays))
        for row, name in enumerate(names or map(str, range(count)))
    }


def fingerprint_files(paths: Sequence[Path | str], root: Path | str | None = None) -> Fingerprint:
    """Return the fingerprint of files, by their names below `root`.

    Raises
    ------
    FileFormatError : one cannot be read
    """
    found = {}
    for path in map(Path, paths):
        try:
            name = (path.relative_to(root) if root else path).as_posix()
            found[name] = content_hash(path.read_bytes())
        except OSError as error:
            raise FileFormatError(
                f"{path}: expected a file of the data, but it cannot be read ({error.strerror})."
            ) from error
    return found


def data_difference(stored: Fingerprint, present: Fingerprint, name: str) -> list[str]:
    """Return a line for each way in which data differ from what they were: none if they do not."""
    changed = [item for item in stored if present.get(item, stored[item]) != stored[item]]
    found = {
        "changed": changed,
        "gone": sorted(stored.keys() - present.keys()),
        "new": sorted(present.keys() - stored.keys()),
    }
    return [
        f"{name}: {len(items)} {how}, such as {', '.join(items[:3])}"
        for how, items in found.items()
        if items
    ]


def content_hash(*parts: bytes) -> str:
    """Return a hash of bytes."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
