"""Paths that mean the same on machines which mount the shared storage at different places."""

import copy
import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Literal

import geomface
from geomface.errors import SettingsError

ROOT = "GEOMFACE_ROOT"
"""Environment variable: where this machine has the storage that client and workers share. Without
it paths are the same on all machines."""


@dataclasses.dataclass(frozen=True)
class SharedPath:
    """A path on its way to another machine.

    Parameters
    ----------
    below : what `path` is relative to: the shared storage, the installed package, or nothing
    path : with forward slashes
    """

    below: Literal["storage", "package", "nothing"]
    path: str


def for_travel(value: Any) -> Any:
    """Return a value with all paths in it made independent of this machine.

    Looks into tuples, lists, mappings, dataclasses and `functools.partial`.

    Raises
    ------
    SettingsError : a path outside of the shared storage, where one is named
    """
    return _replaced(value, PurePath, _leaving, {})


def arrived(value: Any) -> Any:
    """Return a value of `for_travel` with paths of this machine."""
    return _replaced(value, SharedPath, _arriving, {})


def paths_in(value: Any) -> Iterator[Path]:
    """Yield all paths in a value, as `for_travel` finds them."""
    found: list[Path] = []
    _replaced(value, PurePath, lambda path: found.append(Path(path)), {})
    yield from found


def storage() -> Path | None:
    """Return where this machine has the shared storage; None where it is said nowhere."""
    root = os.environ.get(ROOT, "")
    return Path(os.path.abspath(root)) if root else None


def _leaving(path: PurePath) -> SharedPath:
    absolute, root = Path(os.path.abspath(path)), storage()
    # A wheel has its assets in the package, a checkout beside it.
    package = Path(geomface.__file__).resolve().parent
    for folder in (package, package.parent / "assets"):
        if absolute.is_relative_to(folder):
            return SharedPath("package", Path(os.path.relpath(absolute, package)).as_posix())
    if root is None:
        return SharedPath("nothing", str(absolute))
    if not absolute.is_relative_to(root):
        raise SettingsError(
            f"{absolute}: lies outside of {root}, which {ROOT} names as the storage that all "
            "workers share. Move it there, or name another folder."
        )
    return SharedPath("storage", absolute.relative_to(root).as_posix())


def _arriving(path: SharedPath) -> Path:
    if path.below == "package":
        package = Path(geomface.__file__).resolve().parent
        return Path(os.path.normpath(package / path.path))
    root = storage()
    if path.below == "storage" and root is None:
        raise SettingsError(
            f"{ROOT} is not set here, though it is where the run was started. Start all workers "
            "with it, as the place where they have the shared storage."
        )
    return Path(path.path) if root is None or path.below == "nothing" else root / path.path


def _replaced(
    value: Any, kind: type, new: Callable[[Any], Any], known: dict[int, tuple[Any, Any]]
) -> Any:
    """Return a value with all of a kind in it replaced; parts without any stay the same objects.

    `known` holds what was replaced before, by identity: settings are shared by many tasks. It keeps
    the values too, as another object could get the number of one that is gone.
    """
    if isinstance(value, kind):
        return new(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if id(value) in known:
        return known[id(value)][1]

    def replace(part: Any) -> Any:
        return _replaced(part, kind, new, known)

    made = value
    if isinstance(value, functools.partial):
        function, *args = (replace(part) for part in (value.func, *value.args))
        keywords = {name: replace(part) for name, part in value.keywords.items()}
        made = functools.partial(function, *args, **keywords)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for field in dataclasses.fields(value):
            before = getattr(value, field.name)
            after = replace(before)
            if after is not before:
                changed[field.name] = after
        if changed:
            made = copy.copy(value)  # what the class checks in its beginning was checked before
            for name, part in changed.items():
                object.__setattr__(made, name, part)
    elif isinstance(value, tuple | list) and type(value) in (tuple, list):  # no named ones
        parts = [replace(part) for part in value]
        if any(after is not before for after, before in zip(parts, value, strict=True)):
            made = parts if isinstance(value, list) else tuple(parts)
    elif isinstance(value, Mapping):
        parts = {key: replace(part) for key, part in value.items()}
        if any(parts[key] is not value[key] for key in parts):
            made = parts
    known[id(value)] = (value, made)
    return made
