"""Sets of labelled pictures on disk: what is known of each picture, and its files when asked."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.datasets import layout
from geomface.datasets.manifest import read_head, read_rows
from geomface.datasets.picture_files import decode_output
from geomface.errors import FileFormatError, SettingsError
from geomface.files.places import file_inside
from geomface.files.reading import read_bytes

KIND, SCHEMA, WHAT = "synthetic-faces", 1, "a set of synthetic faces"


@dataclasses.dataclass(frozen=True, eq=False)
class CameraNumbers:
    """The camera of one picture in numbers.

    Parameters
    ----------
    weak : parallel rays
    focal : pixels; under parallel rays, pixels a millimetre
    principal : (2,) pixels
    rotation : (3, 3), world to camera
    translation : (3,) mm

    Convention
    ----------
    With (X, Y, Z) = rotation p + translation, a point p is seen at focal X / Z + principal_x and
    focal Y / Z + principal_y; without the division by Z under parallel rays. Pixels: x to the
    right, y down, the first pixel's centre at (0.5, 0.5).
    """

    weak: bool
    focal: float
    principal: FloatArray
    rotation: FloatArray
    translation: FloatArray

    def project(self, points: FloatArray) -> FloatArray:
        """Return the (n, 2) pixel places of world points (n, 3), float64."""
        view = np.einsum("ij,nj->ni", self.rotation, points) + self.translation
        away = np.ones(len(view)) if self.weak else view[:, 2]
        return self.focal * view[:, :2] / away[:, None] + self.principal


@dataclasses.dataclass(frozen=True, eq=False)
class FaceRecord:
    """One row of a manifest.

    Parameters
    ----------
    key : stem of the files
    identity, sample : numbers of the person and the picture
    parents, parent_weights : of a mixed person: the two people and their weights, else empty
    parameters : numbers the picture was drawn with, see `FaceParameters`
    camera : where it was seen from
    landmarks : (68, 2) float64 pixels
    landmarks_visible : (68,) bool
    files : {output: path relative to the folder}, or [path, first byte, bytes] in a shard
    """

    key: str
    identity: int
    sample: int
    parents: tuple[int, ...]
    parent_weights: tuple[float, ...]
    parameters: Mapping[str, Any]
    camera: CameraNumbers
    landmarks: FloatArray
    landmarks_visible: BoolArray
    files: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class SyntheticFaces:
    """A set of pictures on disk.

    Parameters
    ----------
    folder : where it lies
    info : settings, model, topology, region names and conventions of the set
    records : one a picture, in the order of identities and samples
    """

    folder: Path
    info: Mapping[str, Any]
    records: tuple[FaceRecord, ...]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[FaceRecord]:
        return iter(self.records)

    @property
    def identities(self) -> tuple[int, ...]:
        """Numbers of the people, each once, in order."""
        return tuple(dict.fromkeys(record.identity for record in self.records))

    @property
    def track(self) -> int:
        """Frames from one key to the next where a person's pictures are a track, else 0."""
        return int(self.info["settings"].get("track", 0))

    def image(self, record: FaceRecord, output: str = "rgb") -> np.ndarray:
        """Read one output of a picture: colours float32 in [0, 1], the rest as it was kept.

        Raises
        ------
        SettingsError : an output that the set does not hold.
        FileFormatError : a file that is missing or damaged.
        """
        return read_output(self.folder, record.key, record.files, output)


def read_output(
    folder: Path, key: str, files: Mapping[str, Any], output: str = "rgb"
) -> np.ndarray:
    """Read one output of a picture from its set; see `FaceRecord.files`.

    Raises
    ------
    SettingsError : an output that the set does not hold.
    FileFormatError : a file that is missing or damaged.
    """
    if output not in files:
        raise SettingsError(
            f"{folder}: expected one of the outputs {', '.join(files)}, got {output!r}. Make the "
            "set again with it among --outputs."
        )
    where = files[output]
    name, start, count = (where, 0, -1) if isinstance(where, str) else where
    path = file_inside(folder, folder, name)
    if path is None:
        raise FileFormatError(
            f"{folder}: expected the {output} of {key} in its file {name!r}, which is not in this "
            "folder. Copy the whole set, or make it again."
        )
    data = read_bytes(path, f"the {output} of a picture", count, start)
    return decode_output(output, data, f"{path}: {key}.{output}")


def load_synthetic(folder: str | Path) -> SyntheticFaces:
    """Read the manifest of a set of pictures; pictures are read when they are asked for.

    Raises
    ------
    FileFormatError : no finished set of pictures, one of another version, or a damaged manifest.
    """
    folder = Path(folder)
    info = read_head(folder / layout.SET_FILE, kind=KIND, schema=SCHEMA, what=WHAT)
    path = folder / layout.MANIFEST
    if not path.is_file():
        raise FileFormatError(
            f"{path}: no manifest. The set was not finished: run the same 'geomface synth faces' "
            "again to go on."
        )
    return read_pictures(folder, info, [path])


def read_pictures(
    folder: Path, info: Mapping[str, Any], manifests: Sequence[Path]
) -> SyntheticFaces:
    """Return the pictures of these manifests, such as those of the parts that are done.

    Parameters
    ----------
    folder, info : of the set, and the content of its set.json
    manifests : of the set, or of parts of it

    Raises
    ------
    FileFormatError : a damaged manifest.
    """
    way_out = "Run 'geomface synth faces' again to write it anew."
    rows = [row for path in manifests for row in read_rows(path, _record, way_out)]
    return SyntheticFaces(folder, info, tuple(rows))


def _record(row: dict[str, Any]) -> FaceRecord:
    camera = row["camera"]
    return FaceRecord(
        key=row["key"],
        identity=int(row["identity"]),
        sample=int(row["sample"]),
        parents=tuple(row["parents"]),
        parent_weights=tuple(row["parent_weights"]),
        parameters=row["parameters"],
        camera=CameraNumbers(
            bool(camera["weak"]),
            float(camera["focal"]),
            *(np.array(camera[name], float) for name in ("principal", "rotation", "translation")),
        ),
        landmarks=np.array(row["landmarks"], float),
        landmarks_visible=np.array(row["landmarks_visible"], bool),
        files=row["files"],
    )
