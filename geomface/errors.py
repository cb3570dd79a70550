"""Typed errors: every message says what was expected, what came and the way out."""

from typing import Any


def printable(text: str, keep: str = "") -> str:
    r"""Return `text` with all that is no printable character escaped, but for those to `keep`.

    Names come from elsewhere: an escape sequence in one would reach the terminal, a line break or
    a mark that turns the direction of writing would make another message of this one.

    Example
    -------
    >>> printable("a\x1b[31m.ply")
    'a\\x1b[31m.ply'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


class GeomfaceError(Exception):
    """Base of all errors that a caller can cause and mend; the message is printable.

    Example
    -------
    >>> import geomface as gf
    >>> try:
    ...     gf.load_mesh("nobody.xyz")
    ... except gf.GeomfaceError as error:
    ...     print(error)
    nobody.xyz: expected a mesh named .obj, .ply, ...
    """

    def __init__(self, *values: object) -> None:
        super().__init__(
            *(printable(value) if isinstance(value, str) else value for value in values)
        )


class FileFormatError(GeomfaceError):
    """A file is missing, empty, truncated or not of the format that its name claims."""


class OutputError(GeomfaceError):
    """An output cannot be written where it was asked for."""


class OutOfMemoryError(GeomfaceError):
    """The memory of this machine does not suffice; nothing is said against the input."""


class MeshError(GeomfaceError):
    """A mesh breaks a rule that the operation needs (indices, finiteness, topology)."""


class TopologyMismatchError(MeshError):
    """Two things that must share one topology do not; the message names both ids."""


class LandmarkError(GeomfaceError):
    """Landmarks of the wrong scheme or count, or none that can be used."""


class RegistrationError(GeomfaceError):
    """A registration cannot start or did not succeed."""


class TooFewMatchesError(RegistrationError):
    """So little of the template found a match on the scan that the result would be a guess."""


class FailedRegistrationError(RegistrationError):
    """A registration ended, but what it gives is no likely face.

    Parameters
    ----------
    result : the `RegistrationResult`, for a picture of it and for those who want it nevertheless
    """

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class ParametrizationError(GeomfaceError):
    """A surface cannot be mapped to the unit square as asked."""


class SettingsError(GeomfaceError):
    """A setting is outside its range, or two settings contradict each other."""


class MissingBackendError(GeomfaceError):
    """An optional package was asked for by name and is not installed."""
