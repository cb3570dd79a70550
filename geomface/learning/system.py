"""What a learned system is called, and what it and its parts were called in older files."""

import copy
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class System:
    """A learned system; the tables map names in older runs to today's, in this one place.

    Parameters
    ----------
    name : in run.json and checkpoints
    modules : of networks and their optimisers in checkpoints
    settings : dotted names in run.json's settings and in a checkpoint's config
    scalars : dotted names of a checkpoint's counters
    buffers : counters that today are arrays, such as "module/balance/k"

    Example
    -------
    >>> system = System("toy", settings={"optimizer.settle": "optimizer.lr_decay"})
    >>> rename({"optimizer": {"settle": 0.5}}, system.settings)
    {'optimizer': {'lr_decay': 0.5}}
    """

    name: str
    modules: Mapping[str, str] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    scalars: Mapping[str, str] = dataclasses.field(default_factory=dict)
    buffers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def rename(record: Any, names: Mapping[str, str]) -> Any:
    """Return a record of nested mappings with entries moved from old dotted names to new ones."""
    record = copy.deepcopy(record)
    for old, new in names.items():
        *parents, last = old.split(".")
        place = functools.reduce(_inner, parents, record)
        if not isinstance(place, dict) or last not in place:
            continue
        value = place.pop(last)
        *parents, last = new.split(".")
        place = record
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return record


def _inner(place: Any, name: str) -> Any:
    return place.get(name) if isinstance(place, dict) else None
