"""Photographs for `geomface model fit-image`: their pixels, landmarks and names."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geomface.cli.run import Run
from geomface.errors import LandmarkError, SettingsError

if TYPE_CHECKING:
    from geomface.arrays import FloatArray, ImageArray
    from geomface.mesh.io.pixel_landmarks import PixelLandmarks
    from geomface.statistics import MorphableModel


def read_pixel_landmarks(path: Path, model: "MorphableModel") -> "PixelLandmarks":
    """Return the landmarks of a picture in the scheme and number of a model's own.

    Raises
    ------
    LandmarkError : a model without landmarks, or of another scheme or number.
    """
    from geomface.mesh.io.pixel_landmarks import load_pixel_landmarks

    found, own = load_pixel_landmarks(path), model.template.landmarks
    if own is None:
        raise LandmarkError(f"{model.name}: this model has no landmarks. Give its template some.")
    if (found.scheme, len(found.points)) != (own.scheme, len(own)):
        raise LandmarkError(
            f"{path}: expected {len(own)} landmarks of the scheme {own.scheme}, as {model.name} "
            f"has them, got {len(found.points)} of {found.scheme}."
        )
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class Photograph:
    """A picture with its landmarks, as the fit takes them."""

    path: Path
    image: "ImageArray"
    points: "FloatArray"
    confidence: "FloatArray | None" = None
    notes: tuple[str, ...] = ()


def photograph_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each photograph, another one for every one: folders are told apart, too.

    Raises
    ------
    SettingsError : a photograph that is named twice, which would count twice.
    """
    from geomface.datasets.scan_files import item_names

    places = [Path(os.path.abspath(path)) for path in paths]
    common = os.path.commonpath([place.parent for place in places])
    names = item_names([Path("-".join(place.relative_to(common).parts)) for place in places])
    for index, name in enumerate(names):
        if name in names[:index]:
            raise SettingsError(
                f"model fit-image: expected different photographs, got {paths[index]} and "
                f"{paths[names.index(name)]}. Leave one out, or rename it."
            )
    return names


def read_photographs(
    paths: Sequence[Path], landmarks: Sequence[Path | None], model: "MorphableModel", run: Run
) -> list[Photograph]:
    """Return pictures with their landmarks; finding them is told, since it takes a while."""
    found = []
    with run.progress("landmarks", len(paths)) as step:
        for done, (path, place) in enumerate(zip(paths, landmarks, strict=True)):
            step(done, path.name)
            found.append(read_photograph(path, place, model))
        step(len(paths))
    for one in found:
        run.add_notes(f"{one.path}: {note}" for note in one.notes)
    return found


def read_photograph(path: Path, landmarks: Path | None, model: "MorphableModel") -> Photograph:
    """Return a picture with its landmarks: those given, those in a file beside it, or found.

    Raises
    ------
    LandmarkError : no face is found, or the landmarks are of a picture of another size.
    """
    from geomface.datasets.photographs import landmarks_beside
    from geomface.files import load_image

    image = load_image(path)
    place = landmarks or landmarks_beside(path)
    if place is None:
        from geomface.landmarks.unaided_pictures import find_landmarks

        try:
            return Photograph(path, image, *find_landmarks(image))
        except LandmarkError as error:
            raise LandmarkError(f"{path}: {error}") from None
    found = read_pixel_landmarks(place, model)
    size = (image.shape[0], image.shape[1])
    if found.image_size not in (None, size):
        raise LandmarkError(
            f"{place}: these landmarks are of an image of "
            f"{found.image_size[1]} x {found.image_size[0]} pixels, {path} has "
            f"{size[1]} x {size[0]}."
        )
    return Photograph(path, image, found.points, found.confidence)
