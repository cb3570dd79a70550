"""MTL files: the texture of an OBJ."""

import re
from pathlib import Path

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError
from geomface.files.images import load_image
from geomface.files.reading import log, named

MATERIAL_NAME = "textured"


def read_materials(path: Path) -> dict[str, str]:
    """Return {material: its map_Kd as written} of one MTL file, only materials with a map."""
    maps: dict[str, str] = {}
    material = ""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "newmtl":
            material = rest.strip()
        elif keyword.lower() == "map_kd" and rest.strip():
            maps[material] = rest.strip()
    return maps


def find_texture(reference: str, folder: Path) -> Path | None:
    """Find the image that a map_Kd line names, relative to the folder of the MTL.

    The reference may carry options (`-s 1 1 1 skin.png`), backslashes, or a path of the machine
    it was made on; then the bare file name is looked for beside the MTL.
    """
    reference = reference.strip().strip('"').replace("\\", "/")
    names = [reference]
    if reference.startswith("-"):
        names = [reference.split(None, count)[-1] for count in range(1, len(reference.split()))]
    for name in [*names, *(name.rsplit("/", 1)[-1] for name in names)]:
        try:
            if name and (folder / name).is_file():
                return folder / name
        except (OSError, ValueError):
            continue
    # Written where upper and lower case are the same.
    bare = {name.rsplit("/", 1)[-1].lower() for name in names}
    try:
        return next(
            (place for place in sorted(folder.iterdir()) if place.name.lower() in bare), None
        )
    except OSError:
        return None


def load_texture(reference: str, folder: Path, owner: str, way_out: str) -> ImageArray:
    """Load the image named in `owner`; the message names both and the way out.

    Raises
    ------
    FileFormatError : no such image, or it cannot be decoded
    """
    found = find_texture(reference, folder)
    if found is None:
        raise FileFormatError(
            f"{owner}: its texture {reference!r} is not there (looked in {folder}). {way_out}, or "
            "load with texture=False."
        )
    try:
        return load_image(found)
    except FileFormatError as error:
        raise FileFormatError(
            f"{owner}: its texture cannot be used: {error} {way_out}, or load with texture=False."
        ) from error


def _separate(libraries: list[str], folder: Path) -> list[str]:
    """Split mtllib lines that list several files; a line may also be one name with blanks."""
    names: list[str] = []
    for line in libraries:
        parts = [part for part in line.split() if find_texture(part, folder) is not None]
        names += [line] if find_texture(line, folder) is not None or not parts else parts
    return names


def load_obj_texture(path: Path, libraries: list[str], usage: dict[str, int]) -> ImageArray | None:
    """Return the texture of an OBJ, or None when its materials have none.

    Parameters
    ----------
    path : the OBJ
    libraries : its mtllib entries
    usage : {material: number of faces}, in the order of first use
    """
    maps: dict[str, tuple[str, Path]] = {}
    for library in _separate(libraries, path.parent):
        place = find_texture(library, path.parent)
        if place is None:
            log.warning(
                "%s: its material file %r is not there; loaded without.", named(path), library
            )
            continue
        try:
            found = read_materials(place)
        except OSError as error:
            raise FileFormatError(
                f"{place}: the material file cannot be read ({error})."
            ) from error
        maps |= {material: (image, place) for material, image in found.items()}
    used = [material for material in usage if material in maps] if usage else list(maps)
    if not used:
        return None
    distinct = {maps[material] for material in used}
    used.sort(key=lambda material: -usage.get(material, 0))
    if len(distinct) > 1:
        log.warning(
            "%s: has %d textures; only that of material %r (most faces) is kept. Bake them into "
            "one image to keep all.",
            *(named(path), len(distinct), used[0]),
        )
    image, place = maps[used[0]]
    return load_texture(image, place.parent, str(place), "Correct its map_Kd line")


def material_text(image: str) -> str:
    """Return an MTL whose one material shows `image` unchanged."""
    if re.search(r"[\r\n]", image):
        raise FileFormatError(f"{image!r}: a texture name cannot hold a line break.")
    return f"newmtl {MATERIAL_NAME}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\nmap_Kd {image}\n"
