"""The end of a job that makes a set: one manifest of its items' rows, a list of its failures."""

import hashlib
from collections.abc import Iterable

from geomface.batch.job import Ended
from geomface.batch.keys import file_hash
from geomface.datasets import layout
from geomface.datasets.manifest import join_files
from geomface.files.atomic import write_bytes


def index_set(ended: Ended, failures: Iterable[bytes]) -> str:
    """Write the manifest and the list of failures; return a hash that equal sets share.

    Parameters
    ----------
    ended : the job
    failures : lines of what failed; without any there is no list
    """
    out, kind = ended.job.out, ended.job.kind
    folders = [out / kind.place / record.name for record in ended.done]
    join_files(out / layout.MANIFEST, [folder / kind.rows for folder in folders])
    lines = b"".join(failures)
    if lines:
        write_bytes(out / layout.FAILURES, lines)
    else:
        (out / layout.FAILURES).unlink(missing_ok=True)
    digest = hashlib.sha256()
    for record in ended.done:
        for output in record.outputs:
            digest.update(f"{output.path} {output.sha256}\n".encode())
        for path in kind.beside_of(out, record.name):
            digest.update(f"{file_hash(path)}\n".encode())
    return digest.hexdigest()
