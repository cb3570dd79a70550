"""Where the files that ship with the package lie."""

from pathlib import Path

from geomface.errors import FileFormatError

_PACKAGE = Path(__file__).resolve().parents[1]


def asset_path(name: str) -> Path:
    """Return the path of a shipped asset, such as "templates/face/face.obj".

    Looks in `geomface/assets` (an installed wheel), then in `assets` beside the package (an
    editable install or a checkout).

    Parameters
    ----------
    name : path relative to the assets folder, with forward slashes

    Raises
    ------
    FileFormatError : neither place has the file.
    """
    for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets"):
        path = folder / name
        if path.exists():
            return path
    raise FileFormatError(
        f"{name}: expected among the assets that ship with geomface, found neither in the package "
        "nor beside it. Reinstall geomface, or make them again with the scripts in tools/."
    )
