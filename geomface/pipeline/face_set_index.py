"""The end of a run over a set of face images: manifests joined, shards indexed, all summed up."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from geomface.batch.records import ItemRecord, latest_records
from geomface.files.atomic import atomic_path
from geomface.files.records import write_json
from geomface.pipeline.face_set import PARTS, RECORDS, FaceSetPlan, FaceSetSettings, is_done
from geomface.synthesis.manifest import FAILURES, INDEX, MANIFEST
from geomface.synthesis.writing import SHARD

_MOST_REASONS = 10


@dataclasses.dataclass(frozen=True)
class FaceSetReport:
    """How a run went.

    Parameters
    ----------
    out : folder of the set
    pictures : written, in this run or before
    drawn : of these, in this run
    failed : pictures that could not be drawn or written
    reasons : the first sentences about them
    seconds : wall time
    sha256 : of the manifest and all pictures' hashes; equal for equal sets
    message : one line
    """

    out: Path
    pictures: int
    drawn: int
    failed: int
    reasons: tuple[str, ...]
    seconds: float
    sha256: str
    message: str

    @property
    def exit_code(self) -> int:
        """0 all good, 3 finished with failed pictures."""
        return 3 if self.failed else 0


def finish_set(
    settings: FaceSetSettings, plan: FaceSetPlan, drawn: int, seconds: float
) -> FaceSetReport:
    """Join the manifests of the parts, index the shards, and sum up."""
    records = latest_records(settings.out / RECORDS)
    done, failed, reasons = [], 0, []
    for part, key in zip(plan.parts, plan.keys, strict=True):
        record = records.get(part.name)
        if record is not None and is_done(settings.out, record, key):
            done.append((part, record))
            continue
        failed += part.last - part.first
        reasons.append(f"part {part.name}: {'not made' if record is None else record.message}")
    digest = hashlib.sha256()
    pictures = 0
    folders = [settings.out / PARTS / part.name for part, _ in done]
    _join(settings.out / MANIFEST, [folder / MANIFEST for folder in folders])
    failures = [folder / FAILURES for folder in folders if (folder / FAILURES).is_file()]
    if failures:
        _join(settings.out / FAILURES, failures)
    else:
        (settings.out / FAILURES).unlink(missing_ok=True)
    for _, record in done:
        pictures += int(record.figures["written"])
        failed += int(record.figures["failed"])
        for output in record.outputs:
            digest.update(f"{output.path} {output.sha256}\n".encode())
    for path in failures:
        lines = path.read_text(encoding="utf-8").splitlines()
        reasons += [_reason(line) for line in lines[: max(0, _MOST_REASONS - len(reasons))]]
    if settings.shards:
        _write_index(settings.out, [record for _, record in done])
    message = f"{pictures} pictures, {drawn} of them in this run"
    if failed:
        message += f"; {failed} failed"
    return FaceSetReport(
        out=settings.out,
        pictures=pictures,
        drawn=drawn,
        failed=failed,
        reasons=tuple(reasons[:_MOST_REASONS]),
        seconds=round(seconds, 3),
        sha256=digest.hexdigest(),
        message=message,
    )


def _reason(line: str) -> str:
    row = json.loads(line)
    return f"picture {row['key']}: {row['message']}"


def _join(path: Path, parts: Sequence[Path]) -> None:
    """Write files one after the other into one, atomically."""
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        for part in parts:
            stream.write(part.read_bytes())


def _write_index(out: Path, records: Sequence[ItemRecord]) -> None:
    """Write the list of shards in the form that WebDataset's indexed reader takes."""
    shards = [
        {
            "url": output.path,
            "nsamples": int(record.figures["written"]),
            "filesize": output.size,
            "sha256": output.sha256,
        }
        for record in records
        for output in record.outputs
        if output.path.endswith(SHARD)
    ]
    index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": shards}
    write_json(out / INDEX, index)
