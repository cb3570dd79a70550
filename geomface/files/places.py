"""Which files a file may name: those inside a folder."""

from pathlib import Path, PurePath


def file_inside(root: Path, folder: Path, name: str) -> Path | None:
    """Return the regular file that `name`, relative to `folder`, means inside of `root`.

    None where there is no such file, where the name is absolute, and where it leads out of `root`,
    by `..` or by a link: a file from elsewhere must not choose what of this machine is read.
    """
    try:
        place = folder / name
        inside = not PurePath(name).is_absolute() and place.resolve().is_relative_to(root.resolve())
        return place if inside and place.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
