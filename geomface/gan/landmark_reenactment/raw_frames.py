"""Pictures of faces before they are cropped: stills, frame folders, videos, sets of renders."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from geomface.arrays import FloatArray
from geomface.datasets import layout
from geomface.datasets.labelled_pictures import load_synthetic, read_output
from geomface.datasets.photographs import landmarks_beside
from geomface.datasets.picture_folder import pictures_below
from geomface.errors import FileFormatError, GeomfaceError
from geomface.files.images import IMAGE_SUFFIXES, load_image
from geomface.files.videos import VIDEO_SUFFIXES, video_frames, video_head
from geomface.gan.landmark_reenactment.points import to_68
from geomface.gan.landmark_reenactment.tracks import (
    LANDMARK_SUFFIXES,
    frame_landmarks,
    frame_numbers,
    stem_of,
)

ANNOTATIONS = "annot"
"""Folder of the landmark files beside a video, as 300VW has it."""

OnFrame = Callable[[int, int, str], None]
"""Called with (frames done, frames in all, name); the second may be a guess."""


class RawFrame(NamedTuple):
    """A picture and what is known of it.

    Parameters
    ----------
    name : unlike that of any other of its source
    person : who is in it, "" where not known
    group : name of the video or track that it is a frame of, "" for a still
    moment : number of the frame in its group
    read : returns the picture, floats in [0, 1] or uint8
    points : (68, 2) pixels, None where there are none
    fault : why the landmarks beside it cannot be used, "" where they can or there are none
    """

    name: str
    person: str
    group: str
    moment: int
    read: Callable[[], np.ndarray]
    points: FloatArray | None
    fault: str = ""


class RawFrames(NamedTuple):
    """Frames of one source, read one after the other; `count` may be a guess."""

    count: int
    frames: Iterator[RawFrame]


def open_stills(folder: Path) -> RawFrames:
    """Return the pictures of a folder, each by itself, or those of a set of `synth faces`.

    Landmarks lie beside a picture X.png as X.landmarks.json, X.pts or X.txt. People are the
    subfolders; a set knows them, and whether its pictures are tracks.

    Raises
    ------
    FileFormatError : no folder, no picture in it, a damaged set
    """
    if (folder / layout.SET_FILE).is_file():
        return _open_set(folder)
    require_folder(folder, "pictures of faces")
    paths = pictures_below(folder)
    if not paths:
        raise FileFormatError(
            f"{folder}: expected pictures ({', '.join(IMAGE_SUFFIXES)}) in it or below, got none."
        )
    return RawFrames(len(paths), (_still(folder, path) for path in paths))


def open_picture(path: Path) -> RawFrames:
    """Return one picture as frames, with the landmarks beside it."""
    return RawFrames(1, iter([_still(path.parent, path)]))


def find_videos(place: Path) -> list[Path]:
    """Return the videos of a place: a file, a folder of frames, or a folder of either.

    A folder with `annot/` and one video file is one video, as 300VW has it.

    Raises
    ------
    FileFormatError : none there
    """
    if place.is_file() or _is_video(place) or (place / layout.SET_FILE).is_file():
        return [place]
    require_folder(place, "videos, or frames with landmark files")
    found = []
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and (_is_video(path) or (path / layout.SET_FILE).is_file()):
            found.append(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            found.append(path)
    if not found:
        raise FileFormatError(
            f"{place}: expected videos ({', '.join(VIDEO_SUFFIXES)}), or folders of frames, in it; "
            "got none."
        )
    return found


def open_video(place: Path, every: int = 1) -> RawFrames:
    """Return the frames of a video file or folder: one person, one group.

    Landmarks lie in `annot/` beside the video file, numbered from 1, or beside the frames.

    Parameters
    ----------
    place : one of `find_videos`
    every : take each n-th frame

    Raises
    ------
    FileFormatError : no video
    MissingBackendError : a video file, and imageio-ffmpeg is not installed
    """
    if (place / layout.SET_FILE).is_file():
        return _open_set(place, every)
    if place.is_dir():
        pictures = _inside(place, IMAGE_SUFFIXES)
        if pictures:
            return _open_frames(place, pictures, every)
        files = _inside(place, VIDEO_SUFFIXES)
        if len(files) != 1:
            raise FileFormatError(
                f"{place}: expected one video, got {len(files)}. Keep each in a folder of its own."
            )
        return _open_file(files[0], place.name, place / ANNOTATIONS, every)
    if place.suffix.lower() not in VIDEO_SUFFIXES:
        raise FileFormatError(
            f"{place}: expected a video ({', '.join(VIDEO_SUFFIXES)}), got {place.suffix or 'none'}"
            "."
        )
    annotations = place.with_name(ANNOTATIONS)
    name = place.parent.name if annotations.is_dir() else place.stem
    return _open_file(place, name, annotations, every)


def require_folder(folder: Path, what: str) -> None:
    """Raise unless it is one."""
    if not folder.is_dir():
        got = "got a file" if folder.exists() else "there is none"
        raise FileFormatError(f"{folder}: expected a folder of {what}, {got}.")


def landmark_files(folder: Path) -> list[Path]:
    """Return the landmark files of a folder, sorted, none from further below."""
    return _inside(folder, LANDMARK_SUFFIXES)


def _is_video(folder: Path) -> bool:
    return folder.is_dir() and bool(
        _inside(folder, IMAGE_SUFFIXES) or len(_inside(folder, VIDEO_SUFFIXES)) == 1
    )


def _inside(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    ]


def _still(folder: Path, path: Path) -> RawFrame:
    name = path.relative_to(folder).as_posix()
    person = name.split("/")[0] if "/" in name else ""
    return RawFrame(
        name, person, "", 0, functools.partial(load_image, path), *_known(landmarks_beside(path))
    )


def _known(path: Path | None) -> tuple[FloatArray | None, str]:
    """Return landmarks (68, 2) of a file, if any, and why they cannot be used."""
    if path is None:
        return None, ""
    try:
        points = frame_landmarks(path)
    except GeomfaceError as error:
        return None, str(error)
    return (None if points is None else to_68(points)), ""


def _open_set(folder: Path, every: int = 1) -> RawFrames:
    faces = load_synthetic(folder)
    records = [record for record in faces if record.sample % every == 0]
    frames = (
        RawFrame(
            record.key,
            str(record.identity),
            str(record.identity) if faces.track else "",
            record.sample if faces.track else 0,
            functools.partial(read_output, folder, record.key, record.files),
            record.landmarks,
        )
        for record in records
    )
    return RawFrames(len(records), frames)


def _open_frames(folder: Path, pictures: list[Path], every: int) -> RawFrames:
    numbers = frame_numbers(pictures, str(folder))
    order = np.argsort(numbers)
    numbers = numbers - numbers.min()
    beside = {stem_of(path): path for path in landmark_files(folder / ANNOTATIONS)}
    chosen = [int(k) for k in order if numbers[k] % every == 0]

    def frames() -> Iterator[RawFrame]:
        for k in chosen:
            path = pictures[k]
            known = _known(beside.get(path.stem) or landmarks_beside(path))
            read = functools.partial(load_image, path)
            name = f"{folder.name}/{path.name}"
            yield RawFrame(name, folder.name, folder.name, int(numbers[k]), read, *known)

    return RawFrames(len(chosen), frames())


def _open_file(path: Path, name: str, annotations: Path, every: int) -> RawFrames:
    files = landmark_files(annotations)
    numbers = frame_numbers(files, str(annotations)) if files else np.zeros(0, np.int64)
    # 300VW counts from 1; who counts from 0 has a file of it.
    numbers = numbers - (0 if (numbers == 0).any() else 1)
    beside = {int(number): file for number, file in zip(numbers, files, strict=True)}

    def frames() -> Iterator[RawFrame]:
        for moment, picture in enumerate(video_frames(path)):
            if moment % every == 0:
                known = _known(beside.get(moment))
                read = functools.partial(np.asarray, picture)
                yield RawFrame(f"{name}/{moment:06d}", name, name, moment, read, *known)

    return RawFrames(-(-video_head(path).frames // every), frames())
