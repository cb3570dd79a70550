"""Whether a worker of a cluster fits a run: versions, threads, and what it sees of the storage."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geomface
from geomface.batch.attempts import ItemTask
from geomface.batch.shared_paths import ROOT, SharedPath, arrived, for_travel, paths_in
from geomface.errors import SettingsError
from geomface.files.lock import NAME as LOCK

if TYPE_CHECKING:
    from distributed import Worker

_PACKAGES = ("numpy", "scipy", "libigl", "torch", "numba", "pillow", "safetensors")
"""What the bytes of outputs depend on."""
_MOST_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Needed:
    """What every worker of a run must have; small, as it goes along with every chunk.

    Parameters
    ----------
    versions : name and version of what the outputs' bytes depend on
    paths : some files and folders of the run, which are there where it was started
    """

    versions: tuple[tuple[str, str], ...]
    paths: tuple[SharedPath, ...] = ()


def needed_by(tasks: Sequence[Any]) -> Needed:
    """Return what the workers of some tasks need; the first task tells which folders."""
    paths: list[Path] = []
    for task in tasks[:1]:
        paths += [path for path in paths_in(task) if path.exists()]
        if isinstance(task, ItemTask) and task.session:
            paths.append(task.out / LOCK)
    return Needed(own_versions(), tuple(for_travel(list(dict.fromkeys(paths)))))


@functools.lru_cache(maxsize=1)
def own_versions() -> tuple[tuple[str, str], ...]:
    """Return names and versions of this process, a hash of geomface's own source among them."""
    found = {"geomface": geomface.__version__, "geomface's source": _source_hash()}
    found["Python"] = ".".join(platform.python_version_tuple()[:2])
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return tuple(found.items())


def _source_hash() -> str:
    package = Path(geomface.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def complaint(needed: Needed, dask_worker: "Worker") -> str:
    """Say in a worker, in one sentence, why it cannot do tasks of a run; empty where it can.

    The name of the second argument is how `distributed.Client.run` finds out that it is wanted.
    """
    threads = dask_worker.state.nthreads
    if threads != 1:
        return (
            f"expected a worker of one thread, this one has {threads}: the order of sums, and so "
            "the bytes, would depend on it. Start it with --nthreads 1, and more of them with "
            "--nworkers."
        )
    own = dict(own_versions())
    other = [
        f"{name} {own.get(name, 'none')} where the run has {version}"
        for name, version in needed.versions
        if own.get(name) != version
    ]
    if other:
        return f"{', '.join(other)}. Install the same versions everywhere, then start again."
    try:
        lost = [str(path) for path in arrived(list(needed.paths)) if not path.exists()]
    except SettingsError as error:
        return str(error)
    if lost:
        return (
            f"does not see {', '.join(lost[:_MOST_NAMED])}, which the run needs. Mount the storage "
            f"there, or set {ROOT} here and where the run is started to where each has it."
        )
    return ""
