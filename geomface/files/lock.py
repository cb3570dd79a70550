"""One run at a time in one output folder."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from geomface.errors import OutputError

NAME = ".running.json"


@contextlib.contextmanager
def run_lock(out: Path) -> Iterator[None]:
    """Hold the folder for this process while the block runs.

    A lock that a killed process of this machine left behind is taken over.

    Raises
    ------
    OutputError : another run works in the folder, or the folder cannot be written.
    """
    path = out / NAME
    mine = {"pid": os.getpid(), "host": platform.node()}
    for _ in range(2):
        try:
            with open(path, "x", encoding="utf-8") as stream:
                json.dump(mine, stream)
            break
        except FileExistsError:
            owner = _owner(path)
            if not _alive(owner, mine["host"]):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{out}: cannot be written ({error.strerror}). Choose another --out."
            ) from error
    else:
        owner = _owner(path)
        raise OutputError(
            f"{out}: another run (process {owner.get('pid')} on {owner.get('host')}) works in this "
            f"folder. Wait for it, or delete {path.name} there if it is gone."
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _owner(path: Path) -> dict:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _alive(owner: dict, host: str) -> bool:
    """Say whether the owner may still run; on another machine nobody can tell, so it does."""
    if owner.get("host") != host:
        return bool(owner)
    pid = owner.get("pid")
    if not isinstance(pid, int) or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
