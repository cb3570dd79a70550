"""A job's folder, looked at without running anything: what it is, how far it is, what changed."""

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geomface.batch.job import Job, JobKind
from geomface.batch.keys import file_hash
from geomface.batch.records import (
    DAMAGED,
    DONE,
    FAILED,
    ItemRecord,
    changed_outputs,
    latest_records,
)
from geomface.datasets import layout
from geomface.datasets.manifest import read_head, read_rows
from geomface.errors import FileFormatError
from geomface.files.reading import taking_apart
from geomface.files.records import read_json
from geomface.files.settings import settings_from_json

MOST_ITEMS = 10_000_000
"""Items of a job; a head that announces more is damaged."""


@dataclasses.dataclass(frozen=True)
class JobStatus:
    """What a job's folder holds.

    Parameters
    ----------
    kind : of the job
    head : content of its head file
    done, failed : last records of its items, by state
    missing : names of items without a record
    stages : records of what was made of all items together, such as a model
    seconds : sum of the items' times
    inside : sentences about what failed inside of items that are done, by name
    """

    kind: JobKind
    head: Mapping[str, Any]
    done: tuple[ItemRecord, ...]
    failed: tuple[ItemRecord, ...]
    missing: tuple[str, ...]
    stages: tuple[ItemRecord, ...]
    seconds: float
    inside: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def failed_inside(self) -> int:
        """How much failed of what is counted, inside of items that are done."""
        return sum(int(record.figures.get("failed", 0)) for record in self.done)

    @property
    def failed_stages(self) -> tuple[ItemRecord, ...]:
        """Records of stages that failed."""
        return tuple(record for record in self.stages if record.status == FAILED)

    @property
    def exit_code(self) -> int:
        """0 all done, 3 with something failed or missing."""
        lacking = self.failed or self.missing or self.failed_stages or self.failed_inside
        return 3 if lacking else 0


def find_kind(out: Path, kinds: Sequence[JobKind]) -> JobKind:
    """Return the kind of job that a folder holds.

    Raises
    ------
    FileFormatError : none of them
    """
    heads = [out / file for file in dict.fromkeys(kind.file for kind in kinds)]
    present = [path for path in heads if path.is_file()]
    for path in present:
        data = read_json(path)
        name = data.get("kind") if isinstance(data, dict) else None
        for kind in kinds:
            if name == kind.name and path.name == kind.file:
                return kind
    found = f"{present[0].name} of something else" if present else "none"
    raise FileFormatError(
        f"{out}: expected the folder of {' or '.join(kind.what for kind in kinds)}, with "
        f"{' or '.join(path.name for path in heads)} in it, found {found}. Check the path."
    )


def read_status(out: Path, kinds: Sequence[JobKind]) -> JobStatus:
    """Read the head and the records of a job's folder.

    Raises
    ------
    FileFormatError : no job of these kinds, or records of another version
    """
    kind = find_kind(out, kinds)
    head = _head(out, kind)
    names = _names(out, kind, head)
    records = latest_records(out / layout.RECORDS)
    records = {name: one for name, one in records.items() if one.status != DAMAGED}
    chosen = [records[name] for name in names if name in records]
    steps = [path for path in sorted((out / layout.RECORDS).glob("*")) if path.is_dir()]
    return JobStatus(
        kind=kind,
        head=head,
        done=tuple(record for record in chosen if record.status == DONE),
        failed=tuple(record for record in chosen if record.status == FAILED),
        missing=tuple(name for name in names if name not in records),
        stages=tuple(record for step in steps for record in latest_records(step).values()),
        seconds=sum(record.seconds for record in chosen),
        inside=_failed_inside(out),
    )


def _head(out: Path, kind: JobKind) -> dict[str, Any]:
    return read_head(out / kind.file, kind=kind.name, schema=kind.schema, what=kind.what)


def _names(out: Path, kind: JobKind, head: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of all items that a head announces, if it announces a number in reason.

    Raises
    ------
    FileFormatError : it tells none, or more than any job has
    """
    with taking_apart(out / kind.file, f"the file of {kind.what}"):
        names = tuple(itertools.islice(kind.names(head), MOST_ITEMS + 1))
        if len(names) > MOST_ITEMS or not all(isinstance(name, str) for name in names):
            raise ValueError(f"expected up to {MOST_ITEMS} items by name")
    return names


def _failed_inside(out: Path) -> dict[str, str]:
    """Read the list of failures; rows with a key are of members of an item that is done."""
    path = out / layout.FAILURES
    if not path.is_file():
        return {}
    rows = read_rows(path, _failure, "Run the same command again to write it anew.")
    return {key: message for key, message in rows if key}


def _failure(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("key", "")), str(row["message"])


def verify_outputs(out: Path, kinds: Sequence[JobKind]) -> dict[str, tuple[str, ...]]:
    """Hash all outputs again; return {item: changed or missing files}, empty when all is well.

    Of a set that is complete, the manifest must also be that of its items.

    Raises
    ------
    FileFormatError : no job of these kinds, or records of another version
    """
    status = read_status(out, kinds)
    found = {}
    for record in (*status.done, *status.stages):
        lost = [path for path in status.kind.beside_of(out, record.name) if not path.is_file()]
        found[record.name] = (
            *changed_outputs(out, record),
            *(str(path.relative_to(out)) for path in lost),
        )
    # A set that is still made, or was interrupted, gets its manifest from the run that ends it.
    if status.kind.rows and not status.missing and not _manifest_fits(out, status):
        found[layout.MANIFEST] = (layout.MANIFEST,)
    return {name: paths for name, paths in found.items() if paths}


def _manifest_fits(out: Path, status: JobStatus) -> bool:
    """Say whether the manifest is the rows of all items that are done, in their order."""
    manifest = out / layout.MANIFEST
    rows = [out / status.kind.place / item.name / status.kind.rows for item in status.done]
    if not manifest.is_file() or not all(path.is_file() for path in rows):
        return False
    digest = hashlib.sha256()
    for path in rows:
        digest.update(path.read_bytes())
    return file_hash(manifest) == digest.hexdigest()[:32]


def open_job(out: Path, kinds: Sequence[JobKind], *, workers: int | None = None) -> Job:
    """Return the job that a folder holds, asked for as it was, failed items included.

    Raises
    ------
    GeomfaceError : no job of these kinds, or an input that it needs is gone
    """
    kind = find_kind(out, kinds)
    asked = out / layout.RUN_SETTINGS
    if asked.is_file():
        settings = settings_from_json(kind.settings, read_json(asked), f"{asked}: settings")
    else:
        with taking_apart(out / kind.file, f"the file of {kind.what}"):
            settings = kind.rebuild(out, _head(out, kind))
    job = kind.job(dataclasses.replace(settings, out=out))
    changes = {} if workers is None else {"workers": workers}
    return dataclasses.replace(job, retry_failed=True, **changes)
