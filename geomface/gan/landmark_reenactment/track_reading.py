"""Tracks to follow, read from what people have."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.datasets import layout
from geomface.errors import FileFormatError, LandmarkError
from geomface.files.images import IMAGE_SUFFIXES
from geomface.files.videos import VIDEO_SUFFIXES
from geomface.gan.landmark_reenactment.face_finder import FaceFinder
from geomface.gan.landmark_reenactment.raw_frames import (
    ANNOTATIONS,
    OnFrame,
    RawFrames,
    landmark_files,
    open_picture,
    open_video,
    require_folder,
)
from geomface.gan.landmark_reenactment.smoothing import SMOOTHED, require_odd, smooth_track
from geomface.gan.landmark_reenactment.tracks import (
    ARRAY_SUFFIXES,
    LANDMARK_SUFFIXES,
    Track,
    complete_track,
    track_of_array,
    track_of_files,
)
from geomface.landmarks.photographs.own_detector import PhotographDetector


def read_track(
    source: Path | str,
    *,
    detector: PhotographDetector | None = None,
    smooth: int = SMOOTHED,
    on_frame: OnFrame | None = None,
) -> Track:
    """Return the landmarks of a face over time.

    Parameters
    ----------
    source : a folder of landmark files (.json, .pts, .txt, .csv), one a frame; an npy or npz of
        (frames, 68, 2); a video, or a folder of pictures or one picture, whose landmarks are those
        beside it or are found; one landmark file; a set of `synth faces` of one person
    detector : finds landmarks in place of the detector that ships
    smooth : frames over which landmarks that are found are smoothed, see `smooth_track`; those that
        are given are not
    on_frame : see `OnFrame`

    Raises
    ------
    FileFormatError : no such place, files that cannot be read
    LandmarkError : another scheme, or more than 5 frames in a row without landmarks
    SettingsError : an even number of frames to smooth over
    MissingBackendError : a video, and imageio-ffmpeg is not installed
    """
    require_odd(smooth)
    place = Path(source)
    kind = place.suffix.lower()
    if place.is_file() and kind in ARRAY_SUFFIXES:
        return track_of_array(place)
    if place.is_file() and kind in LANDMARK_SUFFIXES:
        return track_of_files([place], str(place))
    if place.is_file() and kind in IMAGE_SUFFIXES:
        return _track_of_pictures(place, open_picture(place), detector, smooth, on_frame)
    if not place.is_file():
        require_folder(place, "landmark files or frames")
        if not (place / layout.SET_FILE).is_file():
            files = _track_files(place)
            if files:
                return track_of_files(files, str(place))
    elif kind not in VIDEO_SUFFIXES:
        raise FileFormatError(
            f"{place}: expected landmarks ({', '.join(LANDMARK_SUFFIXES + ARRAY_SUFFIXES)}), a "
            f"video ({', '.join(VIDEO_SUFFIXES)}) or a picture, got {kind or 'no ending'}."
        )
    return _track_of_pictures(place, open_video(place), detector, smooth, on_frame)


def _track_files(folder: Path) -> list[Path]:
    """Return the landmark files of a folder that are enough for a track: all but its pictures'."""
    inside, beside = landmark_files(folder), landmark_files(folder / ANNOTATIONS)
    pictures = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    return beside or ([] if pictures else inside)


def _track_of_pictures(
    place: Path,
    opened: RawFrames,
    detector: PhotographDetector | None,
    smooth: int,
    on_frame: OnFrame | None,
) -> Track:
    finder = FaceFinder(detector)
    people, rows, names, given = set(), [], [], []
    for done, frame in enumerate(opened.frames, 1):
        if frame.fault:
            raise LandmarkError(frame.fault)
        people.add(frame.person)
        if len(people) > 1:
            raise LandmarkError(
                f"{place}: expected the pictures of one person as a track, got several. Make a set "
                "of one person, with --track."
            )
        found = frame.points
        given.append(found is not None)
        if found is None:
            found = finder.find(frame.read(), follow=True)
        rows.append(np.full((68, 2), np.nan) if found is None else found)
        names.append(frame.name)
        if on_frame is not None:
            on_frame(done, max(opened.count, done), frame.name)
    if not rows:
        raise FileFormatError(f"{place}: expected frames, got none.")
    if all(np.isnan(row).all() for row in rows):
        raise LandmarkError(f"{place}: no face was found in any of {len(rows)} frames.")
    return _smoothed(complete_track(np.stack(rows), names, str(place)), given, smooth, place)


def _smoothed(track: Track, given: list[bool], frames: int, place: Path) -> Track:
    """Return a track whose landmarks are smoothed where they were not given."""
    points = smooth_track(track.points, frames)
    if points is track.points or all(given):
        return track
    points = np.where(np.array(given)[:, None, None], track.points, points)
    note = (
        f"{place}: landmarks that were found are smoothed over {frames} frames; smooth 1 leaves "
        "them as they are found."
    )
    return dataclasses.replace(track, points=points, notes=(*track.notes, note))
