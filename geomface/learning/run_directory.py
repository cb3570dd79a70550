"""The run directory: settings, metrics, pictures and checkpoints of one training.

run.json                      resolved settings, seed, versions
data.json                     a hash for each sample
metrics.jsonl                 one line of metrics for each logging step
evaluations.jsonl             one line for each evaluation
samples/step-000000500.png    the same latents every time; more pictures, meshes, tables by name
checkpoints/step-000000500.safetensors
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from geomface.errors import FileFormatError, SettingsError
from geomface.files.atomic import is_temporary
from geomface.files.marker import FolderKind, claim_folder, make_folder, require_own_folder
from geomface.files.reading import taking_apart
from geomface.files.records import plain, read_json, write_json
from geomface.learning.errors import ResumeError
from geomface.learning.fingerprint import Fingerprint, data_difference
from geomface.learning.system import System, rename

Resume = Literal["never", "auto", "must"]
RUN_FILE, METRICS, SAMPLES, CHECKPOINTS = "run.json", "metrics.jsonl", "samples", "checkpoints"
EVALUATIONS, DATA = "evaluations.jsonl", "data.json"
SCHEMA = 2
FIRST_SCHEMA = 1
"""Runs that do not tell all that makes them: what they do not tell is not compared."""
RUN = FolderKind("training", "a training run", "'geomface train'", RUN_FILE)
"""What marks the folder of a training, before anything else is written into it."""
_NAME = re.compile(r"step-(\d+)\.safetensors")


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """An open run.

    Parameters
    ----------
    path : its folder
    system : what is trained
    checkpoint : where to go on from, None at the beginning
    """

    path: Path
    system: System
    checkpoint: Path | None = None

    @property
    def step(self) -> int:
        """Steps done when the checkpoint was saved."""
        match = None if self.checkpoint is None else _NAME.fullmatch(self.checkpoint.name)
        return 0 if match is None else int(match[1])

    def checkpoint_path(self, step: int) -> Path:
        """Where the checkpoint after `step` steps lies."""
        return self.path / CHECKPOINTS / f"step-{step:09d}.safetensors"

    def sample_stem(self, step: int) -> Path:
        """Where the samples after `step` steps lie, without what tells them apart."""
        return self.path / SAMPLES / f"step-{step:09d}"

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        folder = self.path / CHECKPOINTS
        found = sorted(folder.glob("step-*.safetensors")) if folder.is_dir() else []
        return [item for item in found if _NAME.fullmatch(item.name)]

    def drop_old_checkpoints(self, keep: int) -> None:
        """Delete all but the newest `keep` checkpoints."""
        for item in self.checkpoints()[:-keep]:
            item.unlink(missing_ok=True)

    def drop_remains(self) -> None:
        """Delete what a killed process left half written."""
        for item in filter(is_temporary, self.path.rglob(".*")):
            item.unlink(missing_ok=True)


def open_run(
    path: Path | str,
    settings: Any,
    *,
    system: System,
    resume: Resume = "auto",
    free: frozenset[str] = frozenset(),
    record: Mapping[str, Any] | None = None,
    data: Mapping[str, Fingerprint] | None = None,
) -> RunDirectory:
    """Make a run directory, or find where an older one stopped.

    Parameters
    ----------
    path : the folder
    settings, system, resume, free, data : see `find_run`
    record : what else run.json should tell, such as versions

    Raises
    ------
    ResumeError, FileFormatError : see `find_run`
    OutputError : the folder is not that of a training, or cannot be made
    """
    folder = Path(path)
    run = find_run(folder, settings, system=system, resume=resume, free=free, data=data)
    claim_folder(folder, RUN)
    for name in (SAMPLES, CHECKPOINTS):
        make_folder(folder / name)
    if run is None or (data is not None and not (folder / DATA).is_file()):
        write_json(folder / DATA, data or {}, indent=None)
    if run is not None:
        return run
    head = {"schema": SCHEMA, "system": system.name, "settings": settings}
    write_json(folder / RUN_FILE, head | dict(record or {}))
    return RunDirectory(folder, system)


def find_run(
    path: Path | str,
    settings: Any,
    *,
    system: System,
    resume: Resume = "auto",
    free: frozenset[str] = frozenset(),
    data: Mapping[str, Fingerprint] | None = None,
) -> RunDirectory | None:
    """Return the run that a folder holds if it may go on as asked; None where there is none yet.

    Nothing is written.

    Parameters
    ----------
    path : the folder
    settings : a settings dataclass, or anything `records.plain` takes
    system : what is trained
    resume : "never" wants a new folder, "must" a run with a checkpoint, "auto" takes what is there
    free : dotted names of settings that may differ when resuming, such as "loop.steps"
    data : fingerprints of the data by stream, compared like settings; None compares none

    Raises
    ------
    ResumeError : the folder's state and `resume` disagree, or settings or data differ; all that
        differ are named
    FileFormatError : run.json is damaged, or of another system
    OutputError : the folder is not that of a training
    """
    if resume not in ("never", "auto", "must"):
        raise SettingsError(f"resume: expected never, auto or must, got {resume!r}.")
    folder = Path(path)
    require_own_folder(folder, RUN)
    if (folder / RUN_FILE).is_file():
        if resume == "never":
            raise ResumeError(
                f"{folder}: expected no run, got one. Use resume auto to go on with it, or another "
                "folder."
            )
        stored = read_run(folder, system=system)
        wanted, first = plain(settings), stored["schema"] == FIRST_SCHEMA
        lines = settings_difference(stored["settings"], wanted, free, partial=first)
        _refuse_differences(folder, "settings", lines)
        _compare_data(folder, data)
        run = RunDirectory(folder, system)
        newest = run.checkpoints()[-1:]
        if resume == "must" and not newest:
            raise ResumeError(
                f"{folder}: expected a checkpoint to resume from, got none: the run stopped before "
                "its first. Use resume auto to start it again."
            )
        return dataclasses.replace(run, checkpoint=newest[0] if newest else None)
    if resume == "must":
        raise ResumeError(
            f"{folder}: expected a run to resume, got none. Check the folder, or use resume auto."
        )
    return None


def read_run(path: Path | str, *, system: System) -> dict[str, Any]:
    """Return run.json of a run of `system`.

    Raises
    ------
    FileFormatError : missing, damaged, another system, an unknown schema
    """
    file = Path(path) / RUN_FILE
    record = read_json(file, "the record of a training run")
    if not isinstance(record, dict) or not {"schema", "system", "settings"} <= set(record):
        raise FileFormatError(f"{file}: expected the record of a training run, got another JSON.")
    if record["schema"] not in (FIRST_SCHEMA, SCHEMA):
        raise FileFormatError(
            f"{file}: this run has schema {record['schema']}, this version of geomface reads "
            f"schemas {FIRST_SCHEMA} to {SCHEMA}. Use the version that wrote it."
        )
    if record["system"] != system.name:
        raise FileFormatError(
            f"{file}: expected a run of {system.name!r}, got one of {record['system']!r}."
        )
    return record | {"settings": rename(record["settings"], system.settings)}


def newest_checkpoint(path: Path | str, *, system: System) -> Path:
    """Return the newest checkpoint of a run.

    Raises
    ------
    FileFormatError : no run of this system, or none was saved yet
    """
    read_run(path, system=system)
    found = RunDirectory(Path(path), system).checkpoints()
    if not found:
        raise FileFormatError(
            f"{path}: expected a run with a checkpoint, got one that stopped before its first. "
            "Resume it."
        )
    return found[-1]


def settings_difference(
    stored: Any,
    wanted: Any,
    free: frozenset[str] = frozenset(),
    prefix: str = "",
    *,
    partial: bool = False,
) -> list[str]:
    """Return one line "name: stored -> wanted" for each setting that differs.

    Parameters
    ----------
    stored, wanted : nested mappings of plain values
    free : dotted names that may differ; a name frees all below it
    partial : compare only what both have
    """
    if prefix.rstrip(".") in free:
        return []
    if isinstance(stored, dict) and isinstance(wanted, dict):
        lines = []
        for key in sorted({*stored, *wanted} if not partial else {*stored} & {*wanted}):
            pair = stored.get(key), wanted.get(key)
            lines += settings_difference(*pair, free, f"{prefix}{key}.", partial=partial)
        return lines
    return [] if stored == wanted else [f"{prefix.rstrip('.')}: {stored!r} -> {wanted!r}"]


def _compare_data(folder: Path, data: Mapping[str, Fingerprint] | None) -> None:
    """Refuse data that differ from those in data.json, if both are known."""
    if data is None or not (folder / DATA).is_file():
        return
    expected, lines = "the fingerprint of a run's data", []
    stored = read_json(folder / DATA, expected)
    with taking_apart(folder / DATA, expected):
        for name in sorted({*stored, *data}):
            lines += data_difference(stored.get(name, {}), data.get(name, {}), name)
    _refuse_differences(folder, "data", lines)


def _refuse_differences(folder: Path, what: str, lines: list[str]) -> None:
    if lines:
        raise ResumeError(
            f"{folder}: expected the {what} that the run began with, got others ("
            + "; ".join(lines)
            + "). Use the old ones, or another folder for a new run."
        )
