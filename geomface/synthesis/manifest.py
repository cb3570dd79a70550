"""The JSON-lines manifest of a set of pictures: written row by row, read back with its files."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import FileFormatError, SettingsError
from geomface.files.reading import read_bytes
from geomface.files.records import read_json
from geomface.synthesis.encoding import decode_output
from geomface.synthesis.sampler import FaceBatch
from geomface.synthesis.scene import CameraNumbers

SET_FILE, MANIFEST, FAILURES, INDEX = "set.json", "manifest.jsonl", "failures.jsonl", "index.json"
KIND, SCHEMA = "synthetic-faces", 1


def picture_key(identity: int, sample: int) -> str:
    """Return the stem of a picture's files."""
    return f"{identity:06d}_{sample:05d}"


def manifest_row(
    batch: FaceBatch, place: int, expression_names: tuple[str, ...], files: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the manifest says about one picture of a batch, in JSON's own types.

    Parameters
    ----------
    place : of the picture in the batch
    expression_names : those of the face model; weights of 0 are left out
    files : {output: path relative to the set's folder}, or with the place in a shard
    """
    parameters, camera = batch.parameters[place], batch.cameras[place]
    person = parameters.person
    weights = zip(expression_names, parameters.expression.tolist(), strict=True)
    return {
        "key": picture_key(parameters.identity, parameters.sample),
        "identity": parameters.identity,
        "sample": parameters.sample,
        "parents": list(person.parents),
        "parent_weights": list(person.parent_weights),
        "parameters": {
            "identity": person.coefficients.tolist(),
            "albedo": person.albedo.tolist(),
            "expression": {name: weight for name, weight in weights if weight},
            "gaze": parameters.gaze.tolist(),
            "yaw": parameters.yaw,
            "pitch": parameters.pitch,
            "roll": parameters.roll,
            "distance": parameters.distance,
            "scale": parameters.scale,
            "offset": parameters.offset.tolist(),
            "light": parameters.light.tolist(),
            "background": parameters.background,
        },
        "camera": {
            "weak": camera.weak,
            "focal": camera.focal,
            "principal": camera.principal.tolist(),
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
        },
        "landmarks": np.round(batch.landmarks[place].astype(np.float64), 4).tolist(),
        "landmarks_visible": batch.landmarks_visible[place].tolist(),
        "files": dict(files),
    }


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

    def image(self, record: FaceRecord, output: str = "rgb") -> np.ndarray:
        """Read one output of a picture: colours float32 in [0, 1], the rest as it was kept.

        Raises
        ------
        SettingsError : an output that the set does not hold.
        FileFormatError : a file that is missing or damaged.
        """
        if output not in record.files:
            raise SettingsError(
                f"{self.folder}: expected one of the outputs {', '.join(record.files)}, got "
                f"{output!r}. Make the set again with it among --outputs."
            )
        where = record.files[output]
        if isinstance(where, str):
            path = self.folder / where
            return decode_output(output, read_bytes(path, f"the {output} of a picture"), str(path))
        name, start, count = where
        path = self.folder / name
        try:
            with open(path, "rb") as stream:
                stream.seek(start)
                data = stream.read(count)
        except OSError as error:
            raise FileFormatError(f"{path}: cannot be read ({error.strerror}).") from error
        return decode_output(output, data, f"{path}: {record.key}.{output}")


def load_synthetic(folder: str | Path) -> SyntheticFaces:
    """Read the manifest of a set of pictures; pictures are read when they are asked for.

    Raises
    ------
    FileFormatError : no finished set of pictures, one of another version, or a damaged manifest.
    """
    folder = Path(folder)
    info = read_json(folder / SET_FILE, "the folder of a set of synthetic faces")
    check_set(folder / SET_FILE, info)
    path = folder / MANIFEST
    if not path.is_file():
        raise FileFormatError(
            f"{path}: no manifest. The set was not finished: run the same 'geomface synth faces' "
            "again to go on."
        )
    records = []
    for number, line in enumerate(read_bytes(path, "a manifest").splitlines(), 1):
        try:
            records.append(_record(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise FileFormatError(
                f"{path}: line {number} is not a row of a manifest ({type(error).__name__}: "
                f"{error}). Run 'geomface synth faces' again to write it anew."
            ) from error
    return SyntheticFaces(folder, info, tuple(records))


def check_set(path: Path, info: Any) -> None:
    """Raise unless a set file is one that this version reads.

    Raises
    ------
    FileFormatError : another kind or schema.
    """
    if not isinstance(info, dict) or info.get("kind") != KIND:
        raise FileFormatError(f"{path}: expected the file of a set of synthetic faces.")
    if info.get("schema") != SCHEMA:
        raise FileFormatError(
            f"{path}: schema {info.get('schema')} is unknown to this version ({SCHEMA}). Use the "
            "version that wrote it, or make the set again in a new folder."
        )


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
