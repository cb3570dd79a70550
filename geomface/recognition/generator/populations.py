"""Factors of faces in photographs, gathered from fits, so that sets can be drawn like them."""

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError
from geomface.files.atomic import write_bytes
from geomface.files.numpy_files import read_array
from geomface.files.reading import read_bytes, taking_apart
from geomface.files.records import read_json, write_json
from geomface.synthesis.factor_vae.settings import FACTORS

FIT = "fit.json"
RECORD = "population.json"


@dataclasses.dataclass(frozen=True, eq=False)
class Population:
    """What N pictures of M people were found to show.

    Parameters
    ----------
    identity : (M, K) coefficients of the shape, sigma; one row a fit, whose pictures are of one
        person
    expression : (N, X) weights
    light : (N, 27) spherical harmonics (9, 3), row after row, in the axes of the face
    pose : (N, 3) yaw, pitch and roll, degrees
    names : of the N pictures
    expression_names : of the X weights
    topology_id : of the face model
    """

    identity: FloatArray
    expression: FloatArray
    light: FloatArray
    pose: FloatArray
    names: tuple[str, ...]
    expression_names: tuple[str, ...]
    topology_id: str


def collect_population(folder: Path | str) -> Population:
    """Gather the results of `geomface model fit-image` in a folder and its subfolders.

    Raises
    ------
    FileFormatError : no result, a damaged one, or results of different face models

    Source
    ------
    Qiu et al. 2021, SynFace, Sec. 4.1: expression, light and pose of Syn-LFW are those that a fit
    finds in the pictures of LFW.
    """
    folder = Path(folder)
    paths = sorted(folder.rglob(FIT)) if folder.is_dir() else []
    if not paths:
        raise FileFormatError(
            f"{folder}: expected results of 'geomface model fit-image' ({FIT}) in it or in its "
            "subfolders, got none."
        )
    people, pictures, kinds = [], {}, {}
    for path in paths:
        place = path.parent.relative_to(folder).as_posix()
        expected = "a result of 'geomface model fit-image'"
        record = read_json(path, expected)
        with taking_apart(path, expected, "Fit the picture again."):
            rows = record.get("pictures", {"": record})
            people.append(np.array(record["shape"], np.float64))
            for name, figures in rows.items():
                key = "/".join(part for part in (place, name) if part not in ("", "."))
                pictures[key or folder.name] = _factors(figures)
            kinds[record["topology_id"], len(people[-1]), tuple(figures["expression"])] = path
    if len(kinds) > 1:
        one, other = list(kinds.values())[:2]
        raise FileFormatError(
            f"{folder}: expected fits of one face model, {one} and {other} are of different ones. "
            "Gather them apart."
        )
    ((topology, _, expressions),) = kinds
    weights, lights, poses = (np.stack(rows) for rows in zip(*pictures.values(), strict=True))
    return Population(
        np.stack(people), weights, lights, poses, tuple(pictures), expressions, topology
    )


def load_factors(folder: Path | str) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    """Read the tables of a folder of factors, and what is known of them.

    Parameters
    ----------
    folder : with some of identity.npy, expression.npy, light.npy and pose.npy, rows of numbers;
        population.json, where there is one, says of whom

    Returns
    -------
    {factor: (N, D)} and the record, empty without population.json

    Raises
    ------
    FileFormatError : none of these files, or one that cannot be read
    """
    folder = Path(folder)
    paths = {name: folder / f"{name}.npy" for name in FACTORS}
    tables = {
        name: read_array(read_bytes(path, f"a table of the {name}"), str(path))
        for name, path in paths.items()
        if path.is_file()
    }
    if not tables:
        raise FileFormatError(
            f"{folder}: expected some of {', '.join(path.name for path in paths.values())}, as "
            "'geomface synth factors' writes them, got none."
        )
    what = "a record of factors"
    record = read_json(folder / RECORD, what) if (folder / RECORD).is_file() else {}
    if not isinstance(record, dict):
        raise FileFormatError(f"{folder / RECORD}: expected {what}. Gather the factors again.")
    return tables, record


def _factors(figures: Mapping[str, Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return expression (X,), light (27,) and pose (3,) of one picture."""
    weights = np.array(list(figures["expression"].values()), np.float64)
    light = np.array(figures["light"], np.float64)
    degrees = figures["camera"]["degrees"]
    pose = np.array([degrees[name] for name in ("yaw", "pitch", "roll")], np.float64)
    if light.shape == (9, 1):
        light = np.repeat(light, 3, axis=1)
    if light.shape != (9, 3):
        raise ValueError(f"light of shape {light.shape}")
    if not all(np.isfinite(values).all() for values in (weights, light, pose)):
        raise ValueError("numbers that are not finite")
    return weights, light.ravel(), pose


def save_population(folder: Path, population: Population) -> dict[str, Path]:
    """Write identity.npy, expression.npy, light.npy and pose.npy, and whose they are.

    `empirical(FILE.npy)` of `geomface synth faces` draws rows of them.

    Raises
    ------
    OutputError : the folder cannot be written
    """
    paths = {}
    for name in FACTORS:
        stream = io.BytesIO()
        np.save(stream, getattr(population, name), allow_pickle=False)
        paths[name] = folder / f"{name}.npy"
        write_bytes(paths[name], stream.getvalue())
    record = {
        "kind": "factors of faces in pictures",
        "schema": 1,
        "people": len(population.identity),
        "names": population.names,
        "expression_names": population.expression_names,
        "topology_id": population.topology_id,
    }
    write_json(folder / RECORD, record)
    return paths
