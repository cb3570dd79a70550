"""A batch job as data: a kind, its items with their content keys, and what is done to one."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomface.batch.attempts import ItemTask, Work
from geomface.batch.digests import FileDigests
from geomface.batch.records import DONE, FAILED, ItemRecord, outputs_present
from geomface.datasets import layout
from geomface.files.marker import FolderKind

if TYPE_CHECKING:
    from geomface.batch.executors import Executor


@dataclasses.dataclass(frozen=True)
class JobKind:
    """What all jobs of a kind share, and what it takes to read the folder of one.

    Parameters
    ----------
    name, schema : of the head file
    what : how messages call the folder, such as "a set of textures"
    file : name of the head file
    place : folder of the items' outputs, in the job's folder
    stage : name of the step in the records
    noun : what is counted, such as "scans"
    items : what the items are, such as "parts" of several pictures
    command : that makes such a folder
    names : from the head, the names of all items
    settings : class of what a job is asked for with, with a field `out`
    job : from such settings, the job
    rebuild : from the folder and its head, such settings, where they are not kept beside the
        records
    label : what goes before an item's name in messages
    beside : a file that every item leaves outside its folder, such as "truth/{name}.png"; or empty
    rows : of a set, the file in each item's folder whose lines the manifest joins; or empty
    grows : path in the head of the number that another run in the same folder may raise; all else
        must be the same. Empty: a run may change anything, and does again what that concerns
    grown : what that number counts
    retries : whether the same command tries failed items again; else only `retry` does
    """

    name: str
    schema: int
    what: str
    file: str
    place: str
    stage: str
    noun: str
    items: str
    command: str
    names: Callable[[Mapping[str, Any]], Iterable[str]]
    settings: type
    job: Callable[[Any], "Job"]
    rebuild: Callable[[Path, Mapping[str, Any]], Any]
    label: str = ""
    beside: str = ""
    rows: str = ""
    grows: tuple[str, ...] = ()
    grown: str = ""
    retries: bool = False

    @property
    def folder(self) -> FolderKind:
        """What marks the folder of such a job."""
        return FolderKind(self.name, self.what, f"'{self.command}'", self.file)

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders in the job's folder that items write to."""
        beside = (str(Path(self.beside).parent),) if self.beside else ()
        return (self.place, layout.RECORDS, *beside)

    def beside_of(self, out: Path, name: str) -> tuple[Path, ...]:
        """Return the files that an item leaves outside its folder."""
        return (out / self.beside.format(name=name),) if self.beside else ()


@dataclasses.dataclass(frozen=True)
class Item:
    """One thing to do, or one chunk of small ones.

    Parameters
    ----------
    name : unique in the job; names its folder and records
    key : content key: the item is done when a record of this key says so
    payload : what the work needs; small, and it can be pickled
    size : how many of what is counted the item holds
    """

    name: str
    key: str
    payload: Any
    size: int = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """A batch: one function, its items, and the folder that holds all that is known of them.

    Parameters
    ----------
    kind : see `JobKind`
    out : the folder
    head : content of the head file: all that the outputs depend on, and nothing else
    items : in the order in which they are begun
    work : done to each item, in this process or another; it can be pickled
    workers : number of processes; the bytes do not depend on it
    executor : "auto", or one of `executors.EXECUTORS`; auto takes processes for several workers
    scheduler : of executor dask, the address of its scheduler; empty for a cluster of this machine
    item_timeout : seconds after which a worker that is still at an item is ended, and the item
        failed; None waits. Wants workers: auto takes processes, serial is refused
    retry_failed : also do the items that failed before
    settings : how the job was asked for, kept for `retry` where the head does not tell; or None
    digests : hashes of the input files, kept for the next run; or None
    prepare : called in every new worker, to import what items need
    begin : called once before the first item; returns a sentence about what it did
    end : called after the items, whether there were any or not
    """

    kind: JobKind
    out: Path
    head: Mapping[str, Any]
    items: tuple[Item, ...]
    work: Work
    workers: int = 1
    executor: str = "auto"
    scheduler: str = ""
    item_timeout: float | None = None
    retry_failed: bool = False
    settings: Any = None
    digests: FileDigests | None = None
    prepare: Callable[[], Any] | None = None
    begin: Callable[[], str] | None = None
    end: Callable[["Ended"], "Ending"] | None = None

    def task(self, item: Item, attempt: int, session: str) -> ItemTask:
        """Return what a worker is told about an item in one session of the folder."""
        return ItemTask(
            name=item.name,
            stage=self.kind.stage,
            key=item.key,
            attempt=attempt,
            out=self.out,
            place=f"{self.kind.place}/{item.name}",
            records=layout.RECORDS,
            payload=item.payload,
            session=session,
            time_limit=self.item_timeout or 0.0,
        )

    def is_done(self, item: Item, record: ItemRecord | None) -> bool:
        """Say whether a record is that of an item with this key, and all its files are there."""
        return (
            record is not None
            and record.status == DONE
            and record.key == item.key
            and outputs_present(self.out, record)
            and all(path.is_file() for path in self.kind.beside_of(self.out, item.name))
        )


def failed_in(item: Item, record: ItemRecord | None) -> int:
    """Return how much of an item failed: all of it, or what its record's figures say."""
    if record is None or record.status == FAILED:
        return item.size
    return int(record.figures.get("failed", 0))


@dataclasses.dataclass(frozen=True, eq=False)
class Ended:
    """What the step after the items is given.

    Parameters
    ----------
    job : whose items are done or failed
    records : last record of every item that has one, by name
    done : records of the items that are done, in the items' order
    executor : that did the items; None when there were none to do
    say : tells an event: its kind and one line
    """

    job: Job
    records: Mapping[str, ItemRecord]
    done: tuple[ItemRecord, ...]
    executor: "Executor | None"
    say: Callable[[str, str], None]


@dataclasses.dataclass(frozen=True)
class Ending:
    """What the step after the items reports.

    Parameters
    ----------
    stages : records of what was made of all items together, such as a model
    figures : numbers of the whole job
    reasons : sentences about what failed inside of items that are done
    """

    stages: tuple[ItemRecord, ...] = ()
    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class JobReport:
    """How a run went. Counts are of what the job counts: scans, pictures, faces.

    Parameters
    ----------
    out : the job's folder
    done : done in this run or before
    failed : failed in this run or before
    did : attempted in this run
    made : of these, done
    seconds : wall time
    message : one line
    reasons : the first sentences about what failed
    records : last record of every item, in the items' order
    stages, figures : see `Ending`
    """

    out: Path
    done: int
    failed: int
    did: int
    made: int
    seconds: float
    message: str
    reasons: tuple[str, ...]
    records: tuple[ItemRecord, ...]
    stages: tuple[ItemRecord, ...] = ()
    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 all good, 3 finished with failed items."""
        return 3 if self.failed or any(item.status == FAILED for item in self.stages) else 0
