"""The pictures of a folder, and those that are none to us."""

from pathlib import Path

from geomface.datasets import layout
from geomface.files.images import FOREIGN_SUFFIXES, IMAGE_SUFFIXES
from geomface.files.reading import log

_NAMED = 5


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders, sorted, but for hidden ones.

    Pictures of kinds that are not read, such as HEIC, are left out and named in a warning.
    """
    files = [path for path in layout.files_below(folder, "*") if path.is_file()]
    foreign = [
        path.relative_to(folder).as_posix()
        for path in files
        if path.suffix.lower() in FOREIGN_SUFFIXES
    ]
    if foreign:
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        log.warning(
            "%s: %d pictures of kinds that are not read are left out: %s%s. Save them as PNG or "
            "JPEG.",
            folder,
            len(foreign),
            ", ".join(foreign[:_NAMED]),
            more,
        )
    return [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
