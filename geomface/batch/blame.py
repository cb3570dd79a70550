"""Whose fault it is that an item failed: the input's for good, or the machine's for now."""

import errno

from geomface.errors import GeomfaceError, OutputError

_SHORT_OF = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "ENOMEM", "EMFILE", "ENFILE", "EIO", "EROFS", "ESTALE"),
        *("EACCES", "EPERM"),
    )
    if hasattr(errno, name)
)
"""System errors that tell of the machine, not of what is in a file: space, memory, open files, a
lost disk, permissions."""


def is_passing(error: BaseException) -> bool:
    """Say whether an error comes of the machine (no space, no memory), so that it may pass."""
    cause: BaseException | None = error
    while cause is not None:
        if _is_memory(cause) or isinstance(cause, OutputError):
            return True
        if isinstance(cause, OSError) and (cause.errno in _SHORT_OF or _is_cut(cause)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _is_cut(error: OSError) -> bool:
    # numpy does not tell why it could not write an array to its end.
    return error.errno is None and " requested and " in str(error)


def _is_memory(error: BaseException) -> bool:
    # torch has no class of its own for it on a CPU.
    torch_says = type(error) is RuntimeError and "allocate memory" in str(error)
    return isinstance(error, MemoryError) or torch_says


def sentence(error: BaseException) -> str:
    """Return what the record of an item says of the error that ended it."""
    text = " ".join(str(error).split())
    if isinstance(error, GeomfaceError):
        return text
    said = f": {text}" if text else ""
    if _is_memory(error):
        return f"there was not enough memory{said}. Try it again with fewer workers."
    if isinstance(error, OSError) and _is_cut(error):
        return f"the disk is full or cannot be written{said}. Try it again when there is space."
    if is_passing(error):
        return f"the machine could not do it{said}. Try it again when that is mended."
    return (
        f"an unexpected {type(error).__name__}{said}. This is a defect of geomface or of its "
        "installation; the traceback is beside the record."
    )
