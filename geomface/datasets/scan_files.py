"""What there is to do: the scans of a folder, their landmark files and companions."""

import dataclasses
from collections import Counter
from pathlib import Path

from geomface.datasets import layout
from geomface.errors import FileFormatError

SCAN_SUFFIXES = (".ply", ".obj", ".stl", ".off", ".glb")
LANDMARK_SUFFIXES = (layout.SCAN_LANDMARKS, ".ljson", ".pp", ".pts", ".landmarks.txt", ".txt")
_COMPANION_SUFFIXES = (".mtl", ".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff")


@dataclasses.dataclass(frozen=True)
class ScanFile:
    """One scan of a folder.

    Parameters
    ----------
    name : unique in the folder; names the outputs
    scan : the mesh file
    landmarks : its landmark file, or None
    companions : material and image files that belong to it by their name
    """

    name: str
    scan: Path
    landmarks: Path | None = None
    companions: tuple[Path, ...] = ()


def find_scans(folder: Path | str) -> tuple[ScanFile, ...]:
    """List the scans of a folder, by name; the landmark file of X.ply is X.landmarks.json.

    Other landmark formats are found as X.ljson, X.pp, X.pts, X.landmarks.txt or X.txt. Hidden
    files and sub-folders are left out.

    Raises
    ------
    FileFormatError : the folder does not exist, cannot be read, or holds no scan.
    """
    folder = Path(folder)
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise FileFormatError(
            f"{folder}: expected a folder of scans ({error.strerror}). Check --scans."
        ) from error
    files = [path for path in files if not path.name.startswith(".")]
    scans = [path for path in files if path.suffix.lower() in SCAN_SUFFIXES]
    if not scans:
        raise FileFormatError(
            f"{folder}: expected scans named {', '.join('*' + end for end in SCAN_SUFFIXES)}, "
            f"found none among {len(files)} files. Check --scans."
        )
    by_name = {path.name: path for path in files}
    stems = Counter(path.stem for path in scans)
    items = []
    for path in scans:
        landmarks = [
            by_name[path.stem + end] for end in LANDMARK_SUFFIXES if path.stem + end in by_name
        ]
        items.append(
            ScanFile(
                name=path.stem if stems[path.stem] == 1 else path.name.replace(".", "-"),
                scan=path,
                landmarks=landmarks[0] if landmarks else None,
                companions=tuple(
                    other
                    for other in files
                    if other.name.startswith(f"{path.stem}.")
                    and other.suffix.lower() in _COMPANION_SUFFIXES
                ),
            )
        )
    return tuple(items)
