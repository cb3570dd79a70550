"""Every kind of batch folder: how far it is, what failed, what changed; and trying again."""

from pathlib import Path

from geomface.batch import folder
from geomface.batch.folder import JobStatus
from geomface.batch.job import Job
from geomface.pipeline import aligned_sets, face_pictures, pair_sets, scans, texture_sets

KINDS = (scans.KIND, face_pictures.KIND, texture_sets.KIND, aligned_sets.KIND, pair_sets.KIND)


def read_status(out: Path | str) -> JobStatus:
    """Read the folder of any batch job.

    Raises
    ------
    FileFormatError : no such job, or records of another version.
    """
    return folder.read_status(Path(out), KINDS)


def verify_outputs(out: Path | str) -> dict[str, tuple[str, ...]]:
    """Hash all outputs again; return {item: changed or missing files}, empty when all is well.

    Raises
    ------
    FileFormatError : no such job, or records of another version.
    """
    return folder.verify_outputs(Path(out), KINDS)


def open_job(out: Path | str, *, workers: int | None = None) -> Job:
    """Return the job that a folder holds, failed items included, for `batch.run.run_job`.

    Parameters
    ----------
    out : the folder
    workers : number of processes, None as before

    Raises
    ------
    GeomfaceError : no such job, or an input that it needs is gone.
    """
    return folder.open_job(Path(out), KINDS, workers=workers)
