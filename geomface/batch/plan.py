"""What a run would do: which items are new, done, or failed before; writes nothing."""

import dataclasses
import functools
from typing import Any

from geomface.batch.job import Item, Job, failed_in
from geomface.batch.records import FAILED, ItemRecord, latest_records
from geomface.datasets import layout
from geomface.datasets.manifest import read_head
from geomface.errors import FileFormatError, OutputError
from geomface.files.marker import require_own_folder
from geomface.files.records import plain


@dataclasses.dataclass(frozen=True)
class PlannedItem:
    """One item and what is known of it.

    Parameters
    ----------
    item : see `Item`
    last : last record of the item, with any key, or None
    todo : whether a run does it
    """

    item: Item
    last: ItemRecord | None
    todo: bool

    @property
    def before(self) -> ItemRecord | None:
        """Last record of the item when it is one with the item's key."""
        return self.last if self.last is not None and self.last.key == self.item.key else None

    @property
    def attempts(self) -> int:
        """Number of attempts so far, with any key."""
        return 0 if self.last is None else self.last.attempt


@dataclasses.dataclass(frozen=True)
class JobPlan:
    """What a run finds and what it would do.

    Parameters
    ----------
    items : all of the job
    noun : what is counted
    """

    items: tuple[PlannedItem, ...]
    noun: str

    @functools.cached_property
    def todo(self) -> tuple[PlannedItem, ...]:
        """The items that a run does."""
        return tuple(planned for planned in self.items if planned.todo)

    @property
    def left(self) -> int:
        """How many of what is counted are to do."""
        return sum(planned.item.size for planned in self.items if planned.todo)

    def sentence(self) -> str:
        """Say in one line what is there and what is to do."""
        kept = [planned for planned in self.items if not planned.todo]
        failed = sum(failed_in(planned.item, planned.before) for planned in kept)
        done = sum(planned.item.size for planned in kept) - failed
        parts = []
        if done:
            parts.append(f"{done} done")
        if failed:
            parts.append(f"{failed} failed before ('geomface pipeline retry' does them again)")
        rest = ", ".join(parts)
        if not self.left:
            return f"nothing to do: {rest}"
        total = sum(planned.item.size for planned in self.items)
        return f"{self.left} of {total} {self.noun} to do" + (f"; {rest}" if rest else "")


def plan_job(job: Job) -> JobPlan:
    """Look at the folder and its records, and decide what there is to do.

    An item is left alone when its last attempt had the same content key and is done with all
    outputs in place, or failed by its own fault: the same input would fail again.

    Raises
    ------
    OutputError : the folder holds something else, or the same kind of set with other settings
    FileFormatError : records of another version
    """
    require_folder(job)
    records = latest_records(job.out / layout.RECORDS)
    items = []
    for item in job.items:
        last = records.get(item.name)
        before = last if last is not None and last.key == item.key else None
        items.append(PlannedItem(item, last, _to_do(job, item, before)))
    return JobPlan(tuple(items), job.kind.noun)


def _to_do(job: Job, item: Item, before: ItemRecord | None) -> bool:
    if before is None:
        return True
    if before.status == FAILED:
        return before.retryable or job.retry_failed or job.kind.retries
    return not job.is_done(item, before) or (job.retry_failed and failed_in(item, before) > 0)


def require_folder(job: Job) -> None:
    """Refuse a folder of something else, or one with a larger or another set of the kind.

    Raises
    ------
    OutputError : the sentence names what differs
    """
    out, kind = job.out, job.kind
    require_own_folder(out, kind.folder)
    path = out / kind.file
    if not kind.grows or not path.is_file():
        return
    try:
        before = read_head(path, kind=kind.name, schema=kind.schema, what=kind.what)
    except FileFormatError as error:
        raise OutputError(f"{error} Nothing was written; choose another --out.") from error
    now = plain(job.head)
    had, wanted = _taken(before, kind.grows), _taken(now, kind.grows)
    differing = _differences(before, now)
    if differing:
        raise OutputError(
            f"{out}: holds {kind.what} made with other settings: {', '.join(differing)}. Choose "
            "another --out, or give the settings that it was made with."
        )
    if wanted < had:
        raise OutputError(
            f"{out}: holds a set of {had} {kind.grown}, more than the {wanted} asked for. Choose "
            f"another --out, or ask for at least {had}."
        )


def _taken(head: dict[str, Any], path: tuple[str, ...]) -> int:
    """Take the number at a path out of the nested objects of a head and return it."""
    *folders, name = path
    for folder in folders:
        head = head.get(folder, {})
    return int(head.pop(name, 0))


def _differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Name every value that differs: "size was 64, now 128"."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [] if before == now else [f"{name} was {_short(before)}, now {_short(now)}"]
    found = []
    for key in dict.fromkeys([*now, *before]):
        inner = key if name in ("", "settings") else f"{name}.{key}"
        found += _differences(before.get(key), now.get(key), inner)
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
