"""Descriptors of named pictures, as `geomface recognise embed` writes them."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import FileFormatError
from geomface.files.numpy_files import read_archive
from geomface.metrics.factors import unit_rows

NEEDED = ("names", "embeddings", "found")
TOLD = ("alignment", "embedder")
PEOPLE = "people"
_REMEDY = "Write it with 'geomface recognise embed'."


@dataclasses.dataclass(frozen=True, eq=False)
class Embeddings:
    """Descriptors of pictures.

    Parameters
    ----------
    names : N names of pictures, each once
    descriptors : (N, D) float64 of length 1, zeros for pictures without a face
    found : (N,) whether there is one
    alignment, embedder : ids, "" where not told
    people : who is in each picture, "" where not known; empty where nobody is told

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import Embeddings
    >>> found = np.array([True, False])
    >>> Embeddings(("a/1.png", "b/1.png"), np.eye(2, 8) * found[:, None], found).missing
    ('b/1.png',)
    """

    names: tuple[str, ...]
    descriptors: FloatArray
    found: BoolArray
    alignment: str = ""
    embedder: str = ""
    people: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the pictures without a face."""
        return tuple(name for name, found in zip(self.names, self.found, strict=True) if not found)


def load_embeddings(path: Path | str) -> Embeddings:
    """Read an npz with `names` (N,), `embeddings` (N, D), `found` (N,) and, if told, `people` (N,).

    Raises
    ------
    FileFormatError : no npz, an array missing or of another shape, a name twice, NaN in the
        descriptor of a face that was found, nobody found

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import load_embeddings
    >>> rows = np.eye(2, 8, dtype=np.float32)
    >>> np.savez("e.npz", names=["a/1.png", "b/1.png"], embeddings=rows, found=[True, True])
    >>> load_embeddings("e.npz").names
    ('a/1.png', 'b/1.png')
    """
    arrays = read_archive(path, "an npz of embeddings", (*NEEDED, *TOLD, PEOPLE))
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise FileFormatError(
            f"{path}: expected the arrays {', '.join(NEEDED)}; {', '.join(missing)} missing. "
            f"{_REMEDY}"
        )
    names, rows, found = (arrays[name] for name in NEEDED)
    fits = (
        names.shape == found.shape == rows.shape[:1] and rows.ndim == 2 and rows.dtype.kind == "f"
    )
    if not fits or names.dtype.kind != "U" or found.dtype.kind != "b" or 0 in rows.shape:
        raise FileFormatError(
            f"{path}: expected names (N,) of text, embeddings (N, D) of floats and found (N,) of "
            f"bool, got {names.dtype} {names.shape}, {rows.dtype} {rows.shape} and {found.dtype} "
            f"{found.shape}. {_REMEDY}"
        )
    known = [str(name) for name in names]
    if len(set(known)) < len(known):
        twice = next(name for name in known if known.count(name) > 1)
        raise FileFormatError(f"{path}: expected each name once, {twice} is there again.")
    rows = np.where(found[:, None], rows.astype(np.float64), 0.0)
    broken = found & ~(np.isfinite(rows).all(axis=1) & (rows != 0).any(axis=1))
    if broken.any() or not found.any():
        raise FileFormatError(
            f"{path}: expected a descriptor of every face that was found, and at least one, got "
            f"{int(broken.sum())} of {int(found.sum())} that are zero, NaN or infinite. {_REMEDY}"
        )
    told = {name: str(arrays[name]) for name in TOLD if name in arrays}
    people = arrays.get(PEOPLE, np.empty(0, "U1"))
    if people.dtype.kind != "U" or people.shape not in ((0,), names.shape):
        raise FileFormatError(
            f"{path}: expected people (N,) of text, one for each of {len(known)} pictures, got "
            f"{people.dtype} {people.shape}. {_REMEDY}"
        )
    owners = tuple(str(person) for person in people)
    return Embeddings(tuple(known), unit_rows(rows), found, people=owners, **told)


def as_stored(embeddings: Embeddings) -> Embeddings:
    """Return embeddings as their file holds them, in single precision: both measure the same."""
    rows = embeddings.descriptors.astype(np.float32).astype(np.float64)
    return dataclasses.replace(embeddings, descriptors=unit_rows(rows))


def save_embeddings(path: Path | str, embeddings: Embeddings) -> None:
    """Write embeddings as `load_embeddings` reads them, whole or not at all.

    Rows of pictures without a face are NaN in the file: zeros would pass for a descriptor.

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import Embeddings, load_embeddings, save_embeddings
    >>> rows = Embeddings(("a/1.png", "b/1.png"), np.eye(2, 8), np.array([True, True]))
    >>> save_embeddings("e.npz", rows)
    >>> load_embeddings("e.npz").descriptors.shape
    (2, 8)
    """
    import io

    from geomface.files.atomic import write_bytes

    rows = embeddings.descriptors.astype(np.float32)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        names=np.array(embeddings.names),
        embeddings=np.where(embeddings.found[:, None], rows, np.float32(np.nan)),
        found=embeddings.found,
        alignment=np.array(embeddings.alignment),
        embedder=np.array(embeddings.embedder),
        people=np.array(embeddings.people, np.str_),
    )
    write_bytes(path, buffer.getvalue())
