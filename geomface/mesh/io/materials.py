"""Pictures that a mesh file names, and the MTL files of an OBJ that name them."""

import re
from pathlib import Path

from geomface.arrays import ImageArray, require_type
from geomface.errors import FileFormatError
from geomface.files.images import decode_image
from geomface.files.places import file_inside
from geomface.files.reading import log, named, read_bytes
from geomface.mesh.io.atlas import Paint

MATERIAL_NAME = "textured"
_MOST_OPTIONS, _MOST_LIBRARIES = 40, 100
TextureChoice = bool | str | Path
"""Whether to load the texture; a path is a further folder to look for it."""


def further_folder(texture: TextureChoice) -> Path | None:
    """Return the folder that the caller names for pictures, None without one.

    Raises
    ------
    FileFormatError : there is no such folder
    """
    if isinstance(texture, bool):
        return None
    folder = "A folder's name, or True or False."
    require_type(texture, (str, Path), "texture", way_out=folder, error=FileFormatError)
    if not Path(texture).is_dir():
        raise FileFormatError(
            f"{texture}: expected a folder of pictures, there is none. Check the name (--textures, "
            "texture=FOLDER)."
        )
    return Path(texture)


Color = tuple[float, float, float]


def read_materials(path: Path) -> dict[str, tuple[str | None, Color | None]]:
    """Return {material: its map_Kd as written, or else map_Ka, or None; its Kd} of one MTL file."""
    maps: dict[str, str | None] = {}
    colors: dict[str, Color] = {}
    material = ""
    ambient: set[str] = set()
    text = read_bytes(path, "a material file (MTL)").decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        keyword, _, rest = line.strip().replace("\t", " ").partition(" ")
        keyword, rest = keyword.lower(), rest.strip()
        if keyword == "newmtl":
            material = rest
            maps.setdefault(material, None)
        elif keyword == "map_kd" and rest:
            maps[material] = rest
            ambient.discard(material)
        elif keyword == "map_ka" and rest and maps.get(material) is None:
            maps[material] = rest
            ambient.add(material)
        elif keyword == "kd" and (color := _color(rest)) is not None:
            maps.setdefault(material, None)
            colors[material] = color
    if ambient:
        log.warning("%s: has map_Ka and no map_Kd; its ambient picture is the texture.", path.name)
    return {material: (image, colors.get(material)) for material, image in maps.items()}


def _color(text: str) -> Color | None:
    """Return three numbers in [0, 1]; None of a spectrum, or of anything else."""
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        return None
    if len(values) == 1:
        values = values * 3
    if len(values) != 3 or not all(0.0 <= value <= 1.0 for value in values):
        return None
    return values[0], values[1], values[2]


def find_texture(
    reference: str, folder: Path, root: Path, further: Path | None = None
) -> Path | None:
    """Find the picture that a line names, relative to the folder of the file with the line.

    Only files inside `root`, the folder of the scan, or `further` are found. The reference may
    carry options (`-s 1 1 1 skin.png`), backslashes, or a path of the machine it was made on; then
    the bare file name is looked for.
    """
    reference = reference.strip().strip('"').replace("\\", "/")
    names = [reference]
    if reference.startswith("-"):
        options = len(reference.split(None, _MOST_OPTIONS))
        names = [reference.split(None, count)[-1] for count in range(1, options)]
    bare = [name.rsplit("/", 1)[-1] for name in names]
    places = [(folder, root)] + ([] if further is None else [(further, further)])
    for place, limit in places:
        for name in filter(None, [*names, *bare]):
            found = file_inside(limit, place, name)
            if found is not None:
                return found
    for place, limit in places:
        # Written where upper and lower case are the same.
        wanted = {name.lower() for name in bare}
        try:
            same = [item.name for item in sorted(place.iterdir()) if item.name.lower() in wanted]
        except OSError:
            continue
        for name in same:
            found = file_inside(limit, place, name)
            if found is not None:
                return found
    return None


def load_texture(
    reference: str, folder: Path, root: Path, owner: str, way_out: str, further: Path | None = None
) -> ImageArray | None:
    """Load the image named in `owner`; None with a note when it is not in the folder.

    Raises
    ------
    FileFormatError : it cannot be decoded; the message names both and the way out
    """
    found = find_texture(reference, folder, root, further)
    if found is None:
        log.warning(
            "%s: its texture %r is not in %s; loaded without. Pictures are read from the scan's "
            "folder, or from one that you name (--textures, texture=FOLDER).",
            *(owner, reference, root if further is None else f"{root} or {further}"),
        )
        return None
    try:
        # uv are for the pixels as they are stored, whatever EXIF says.
        return decode_image(read_bytes(found, "an image"), str(found), upright=False)
    except FileFormatError as error:
        raise FileFormatError(
            f"{owner}: its texture cannot be used: {error} {way_out}, or load with texture=False."
        ) from error


def _separate(libraries: list[str], folder: Path) -> list[str]:
    """Split mtllib lines that list several files; a line may also be one name with blanks."""
    names: list[str] = []
    for line in libraries:
        words = line.split(None, _MOST_LIBRARIES)
        parts = [part for part in words if find_texture(part, folder, folder) is not None]
        whole = find_texture(line, folder, folder) is not None
        names += [line] if whole or not parts else parts
    return names


def load_obj_paints(
    path: Path, libraries: list[str], used: list[str], further: Path | None = None
) -> list[Paint]:
    """Return what the materials of an OBJ put on its faces; nothing when none has a picture.

    Parameters
    ----------
    path : the OBJ
    libraries : its mtllib entries
    used : the materials that faces use; "" is that of faces without one
    further : folder where pictures may lie too

    Returns
    -------
    One paint for each of `used`
    """
    maps: dict[str, tuple[tuple[str, Path] | None, Color | None]] = {}
    for library in _separate(libraries[:_MOST_LIBRARIES], path.parent)[:_MOST_LIBRARIES]:
        place = find_texture(library, path.parent, path.parent)
        if place is None:
            log.warning(
                "%s: its material file %r is not there; loaded without.", named(path), library
            )
            continue
        maps |= {
            material: (None if image is None else (image, place), color)
            for material, (image, color) in read_materials(place).items()
        }
    pictured = {material: image for material, (image, _) in maps.items() if image is not None}
    some_known = any(material in maps for material in used)
    only = next(iter(pictured)) if len(set(pictured.values())) == 1 and not some_known else None
    chosen = [
        material if material in maps or not pictured else _unknown(named(path), material, only)
        for material in used
    ]
    if not any(material in pictured for material in chosen):
        return []
    loaded: dict[tuple[str, Path], ImageArray | None] = {}
    paints = []
    for material in chosen:
        image, color = maps.get(material, (None, None))
        if image is not None and image not in loaded:
            reference, place = image
            way_out = "Correct its map_Kd line"
            loaded[image] = load_texture(
                reference, place.parent, path.parent, str(place), way_out, further
            )
        picture = None if image is None else loaded[image]
        paints.append(Paint(picture, color if image is None else None))
    return paints if any(item.picture is not None for item in paints) else []


def _unknown(name: str, material: str, only: str | None) -> str:
    """Say what faces get whose material no MTL has: that of the only picture, or none."""
    if only is None:
        log.warning(
            "%s: its faces use material %r, which its MTL does not have; they have no texture.",
            *(name, material),
        )
        return material
    if material:
        log.warning(
            "%s: its faces use material %r, which its MTL does not have; they get the only "
            "texture there, that of %r.",
            *(name, material, only),
        )
    return only


def material_text(image: str) -> str:
    """Return an MTL whose one material shows `image` unchanged."""
    if re.search(r"[\r\n]", image):
        raise FileFormatError(f"{image!r}: a texture name cannot hold a line break.")
    return f"newmtl {MATERIAL_NAME}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\nmap_Kd {image}\n"
