"""One run at a time in one output folder."""

import contextlib
import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from geomface.errors import OutputError
from geomface.processes import birth

NAME = ".running.json"
_HELD: dict[tuple[Path, int], str] = {}
"""Sessions of this process by folder and thread."""
_MOMENT = 0.2
"""Seconds after which a lock that was just made tells its owner."""


@contextlib.contextmanager
def run_lock(out: Path) -> Iterator[str]:
    """Hold the folder for this process while the block runs; gives the name of this session.

    A lock that a killed process of this machine left behind is taken over, by one of those who try.
    The same thread may hold a folder again inside of the block.

    Raises
    ------
    OutputError : another run works in the folder, or the folder cannot be written.
    """
    path, held = out / NAME, (out.resolve(), threading.get_ident())
    if held in _HELD:
        yield _HELD[held]
        return
    session, pid = secrets.token_hex(8), os.getpid()
    mine = {"pid": pid, "host": platform.node(), "session": session, "born": birth(pid)}
    try:
        owner = _take(path, mine)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}). Choose another --out."
        ) from error
    if owner is not None:
        raise OutputError(
            f"{out}: another run (process {owner.get('pid')} on {owner.get('host')}) works in this "
            f"folder. Wait for it, or delete {path.name} there if it is gone."
        )
    _HELD[held] = session
    try:
        yield session
    finally:
        del _HELD[held]
        if _owner(path) == mine:
            with contextlib.suppress(OSError):  # a folder that became read-only keeps it: it is
                path.unlink(missing_ok=True)  # stale, and the next run takes it over


def require_session(out: Path, session: str) -> None:
    """Raise unless this session still holds the folder.

    Raises
    ------
    OutputError : another run took the folder over; what is made here must not get into it
    """
    if _owner(out / NAME).get("session") != session:
        raise OutputError(
            f"{out}: this run no longer holds the folder: another one took it over, or {NAME} "
            "there was deleted. Nothing more is written; start it again when no other works there."
        )


def _take(path: Path, mine: dict) -> dict | None:
    """Write this run into the lock, unless somebody who may be alive stands there: return that."""
    while True:
        try:
            stream, new = open(path, "x+", encoding="utf-8"), True
        except FileExistsError:
            try:
                stream, new = open(path, "r+", encoding="utf-8"), False
            except FileNotFoundError:
                continue  # its owner has just let go
        with stream:
            _alone(stream)
            try:
                if not os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
                    continue
            except FileNotFoundError:
                continue
            if not (new and stream.read() == ""):
                owner = _owner(path)
                if _alive(owner, mine["host"]):
                    return owner
            try:
                stream.truncate(0)
                stream.seek(0)
                json.dump(mine, stream)
                stream.flush()
            except OSError:  # the disk is full
                path.unlink(missing_ok=True)
                raise
            return None


def _alone(stream: IO) -> None:
    """Wait until no other process looks into a lock, where the file system knows such a thing."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl  # not on Windows

        fcntl.flock(stream, fcntl.LOCK_EX)


def _owner(path: Path) -> dict:
    for patience in (_MOMENT, 0.0):
        try:
            owner = json.loads(path.read_text(encoding="utf-8"))
            return owner if isinstance(owner, dict) else {}
        except OSError:
            return {}
        except ValueError:  # another run has made it and is about to write it
            time.sleep(patience)
    return {}


def _alive(owner: dict, host: str) -> bool:
    """Say whether the owner may still run; on another machine nobody can tell, so it does."""
    if owner.get("host") != host:
        return bool(owner)
    pid, born = owner.get("pid"), owner.get("born")
    if pid == os.getpid():  # of another thread, or of an earlier process of this number
        return owner.get("session") in _HELD.values()
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's
    now = birth(pid)
    return now is None or (now != "" and born in (None, now))
