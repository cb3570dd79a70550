"""Looking at a run's folder without running anything."""

import dataclasses
from pathlib import Path

from geomface.batch.records import (
    DONE,
    FAILED,
    ItemRecord,
    changed_outputs,
    latest_records,
)
from geomface.datasets import layout
from geomface.pipeline.run import load_run
from geomface.pipeline.settings import PipelineSettings


@dataclasses.dataclass(frozen=True)
class PipelineStatus:
    """What a run's folder holds.

    Parameters
    ----------
    settings : of the last run
    done, failed : last records, by state
    missing : names of scans of the last run without a record
    model : record of the model step, or None
    seconds : sum of the items' times
    """

    settings: PipelineSettings
    done: tuple[ItemRecord, ...]
    failed: tuple[ItemRecord, ...]
    missing: tuple[str, ...]
    model: ItemRecord | None
    seconds: float


def read_status(out: Path | str) -> PipelineStatus:
    """Read a run's folder.

    Raises
    ------
    FileFormatError : no run, or records of another version.
    """
    from geomface.files.records import read_json

    out = Path(out)
    settings = load_run(out)
    names = read_json(out / layout.RUN_FILE)["scans"]
    records = latest_records(out / layout.RECORDS)
    chosen = [records[name] for name in names if name in records]
    return PipelineStatus(
        settings=dataclasses.replace(settings, out=out),
        done=tuple(record for record in chosen if record.status == DONE),
        failed=tuple(record for record in chosen if record.status == FAILED),
        missing=tuple(name for name in names if name not in records),
        model=latest_records(out / layout.MODEL_RECORDS).get(layout.MODEL),
        seconds=sum(record.seconds for record in chosen),
    )


def verify_outputs(out: Path | str) -> dict[str, tuple[str, ...]]:
    """Hash all outputs again; return {item: changed or missing files}, empty when all is well.

    Raises
    ------
    FileFormatError : no run, or records of another version.
    """
    status = read_status(out)
    records = [*status.done, *([status.model] if status.model else [])]
    found = {record.name: changed_outputs(Path(out), record) for record in records}
    return {name: paths for name, paths in found.items() if paths}
