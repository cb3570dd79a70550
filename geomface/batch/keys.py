"""Content keys: an item is done when its key is, whatever the dates of its files say."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geomface.errors import FileFormatError
from geomface.files.records import plain


def file_hash(path: Path | str) -> str:
    """Return the first 32 hex digits of the SHA-256 of a file's bytes.

    Raises
    ------
    FileFormatError : the file cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror}).") from error


def content_key(stage: str, version: int, settings: Any, *inputs: str) -> str:
    """Return 32 hex digits that change when the stage, its settings or an input change.

    Parameters
    ----------
    stage, version : name of the step and the version of what it does; raise the version when the
        same inputs give other outputs
    settings : anything `files.records.plain` takes, such as a frozen dataclass
    inputs : hashes of the input files, in a fixed order
    """
    return key_maker(stage, version, settings)(*inputs)


def key_maker(stage: str, version: int, settings: Any) -> Callable[..., str]:
    """Return `content_key` of these as a function of the inputs, for many items of one job."""
    shared = hashlib.sha256()
    head = json.dumps([stage, version, plain(settings)], sort_keys=True)
    shared.update(head.removesuffix("]").encode())

    def key(*inputs: str) -> str:
        digest = shared.copy()
        digest.update(f", {json.dumps(list(inputs))}]".encode())
        return digest.hexdigest()[:32]

    return key
