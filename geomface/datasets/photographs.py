"""Folders of photographs of faces, with what is known of them: who it is, and landmarks."""

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets import layout
from geomface.datasets.label_table import load_label_table
from geomface.datasets.labelled_pictures import FaceRecord, load_synthetic, read_output
from geomface.datasets.picture_folder import pictures_below
from geomface.errors import FileFormatError, GeomfaceError, LandmarkError
from geomface.files.images import IMAGE_SUFFIXES, load_image
from geomface.files.reading import read_bytes
from geomface.files.records import plain
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import content_hash

LANDMARK_SUFFIXES = (layout.SCAN_LANDMARKS, ".pts", ".landmarks.txt", ".txt")
"""What follows the stem of a photograph in the name of its landmark file."""


@dataclasses.dataclass(frozen=True, eq=False)
class Photograph:
    """One photograph of a set; it can be pickled.

    Parameters
    ----------
    name : its path below the folder
    person : who is in it, "" where not known
    landmarks : (68, 2) pixels, NaN where missing; None: there are none
    read : returns the pixels (H, W, 3) float32
    digest : returns a hash that changes when the pixels do
    parents, parent_weights : of a synthetic person who is a mix of others, else empty
    fault : why the landmarks beside it cannot be used, "" where they can or there are none
    alpha : returns how much of each pixel (H, W) the face covers, where that is known
    drawn : of a synthetic face, the `parameters` and the `camera` it was drawn with, else empty
    """

    name: str
    person: str
    landmarks: FloatArray | None
    read: Callable[[], ImageArray]
    digest: Callable[[], str]
    parents: tuple[str, ...] = ()
    parent_weights: tuple[float, ...] = ()
    fault: str = ""
    alpha: Callable[[], ImageArray] | None = None
    drawn: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def given_landmarks(self) -> FloatArray | None:
        """Return the landmarks (68, 2) that are known, None where there are none.

        Raises
        ------
        LandmarkError : there is a file of them that cannot be used
        """
        if self.fault:
            raise LandmarkError(self.fault)
        return self.landmarks


def load_photographs(folder: Path | str) -> tuple[Photograph, ...]:
    """List the photographs of a folder; pixels are read when they are asked for.

    Parameters
    ----------
    folder : of pictures in any depth of subfolders, or the output of `geomface synth faces`.
        Landmarks lie beside a picture X.jpg as X.landmarks.json, X.pts, X.landmarks.txt or X.txt;
        files of them that cannot be used are told when their picture's turn comes.
        People are the column `identity` of `labels.csv` or `labels.jsonl`, or else the subfolders

    Raises
    ------
    FileFormatError : no folder, no picture in it, a table that cannot be read
    DatasetError : the table names none of the pictures
    """
    folder = Path(folder)
    if (folder / layout.SET_FILE).is_file():
        return _synthetic(folder)
    if not folder.is_dir():
        got = "got a file" if folder.exists() else "there is none"
        raise FileFormatError(f"{folder}: expected a folder of photographs, {got}.")
    paths = {path.relative_to(folder).as_posix(): path for path in pictures_below(folder)}
    if not paths:
        raise FileFormatError(
            f"{folder}: expected photographs ({', '.join(IMAGE_SUFFIXES)}) in it or in its "
            "subfolders, got none."
        )
    people = _people(folder, tuple(paths))
    return tuple(_listed(path, name, people[name]) for name, path in paths.items())


def load_photograph(path: Path | str, name: str | None = None, person: str = "") -> Photograph:
    """Return one photograph with the landmarks beside it; its pixels are read when asked for.

    Parameters
    ----------
    path : the picture
    name : what it is called, default its path
    person : who is in it, "" where not known

    Raises
    ------
    LandmarkError : a landmark file that cannot be read, or other than 68 landmarks
    """
    photograph = _listed(Path(path), str(path) if name is None else name, person)
    photograph.given_landmarks()
    return photograph


def _listed(path: Path, name: str, person: str) -> Photograph:
    """Return one photograph; landmarks that cannot be used are its fault."""
    landmarks, fault = None, ""
    try:
        landmarks = _landmarks(path)
    except GeomfaceError as error:
        fault = str(error)
    read, digest = functools.partial(load_image, path), functools.partial(_file_digest, path)
    return Photograph(name, person, landmarks, read, digest, fault=fault)


def landmarks_beside(photograph: Path) -> Path | None:
    """Return the landmark file of a photograph X.jpg, None when there is none.

    It is X.landmarks.json, X.pts, X.landmarks.txt or X.txt.
    """
    places = (photograph.with_name(photograph.stem + end) for end in LANDMARK_SUFFIXES)
    # Not Path.is_file, which raises where the name is too long for the file system.
    return next((place for place in places if os.path.isfile(place)), None)


def _synthetic(folder: Path) -> tuple[Photograph, ...]:
    return tuple(
        Photograph(
            record.key,
            str(record.identity),
            record.landmarks,
            functools.partial(read_output, folder, record.key, record.files),
            functools.partial(_record_digest, record),
            tuple(map(str, record.parents)),
            record.parent_weights,
            alpha=functools.partial(read_output, folder, record.key, record.files, "alpha")
            if "alpha" in record.files
            else None,
            drawn={"parameters": record.parameters, "camera": record.camera},
        )
        for record in load_synthetic(folder)
    )


def _file_digest(path: Path) -> str:
    return content_hash(read_bytes(path, "a photograph"))


def _record_digest(record: FaceRecord) -> str:
    """Return a hash of what a picture was drawn with, which is quicker than to read all of them."""
    text = json.dumps(plain([record.key, record.parameters, record.files]), sort_keys=True)
    return content_hash(text.encode(), record.landmarks.tobytes())


def _people(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    tables = [folder / name for name in layout.LABEL_TABLES if (folder / name).is_file()]
    if not tables:
        return {name: name.split("/")[0] if "/" in name else "" for name in names}
    table = load_label_table(tables[0], ("identity",))
    people = {name: table[name]["identity"] for name in names if name in table}
    if not people:
        raise DatasetError(
            f"{tables[0]}: expected names of pictures below {folder}, with their endings; none of "
            f"{len(table)} is there, such as {next(iter(table), 'none')}."
        )
    return {name: people.get(name, "") for name in names}


def _landmarks(path: Path) -> FloatArray | None:
    from geomface.mesh.io.pixel_landmarks import load_pixel_landmarks

    place = landmarks_beside(path)
    if place is None:
        return None
    points = load_pixel_landmarks(place).points
    if points.shape != (68, 2):
        raise LandmarkError(
            f"{place}: expected the 68 landmarks of a face, got {len(points)}. Remove the file, or "
            "mend it."
        )
    return np.asarray(points, np.float64)
