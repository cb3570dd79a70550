"""Frames to train with, read from what people have."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import GeomfaceError, LandmarkError
from geomface.gan.landmark_reenactment.crops import MARGIN, crop_box
from geomface.gan.landmark_reenactment.data import FaceFrames, Frame, collect_frames
from geomface.gan.landmark_reenactment.face_finder import FaceFinder, require_inside
from geomface.gan.landmark_reenactment.raw_frames import (
    OnFrame,
    RawFrame,
    RawFrames,
    find_videos,
    open_stills,
    open_video,
)
from geomface.landmarks.photographs.own_detector import PhotographDetector
from geomface.learning.errors import DatasetError


@dataclasses.dataclass(frozen=True, eq=False)
class ReadFrames:
    """Frames that could be read, and those that could not.

    Parameters
    ----------
    frames : cropped
    failed : (name, why) of each of the others
    """

    frames: FaceFrames
    failed: tuple[tuple[str, str], ...] = ()


def read_face_frames(
    sources: Sequence[Path | str],
    size: int,
    margin: float = MARGIN,
    *,
    videos: Sequence[Path | str] = (),
    every: int = 1,
    detect: bool = True,
    detector: PhotographDetector | None = None,
    on_frame: OnFrame | None = None,
) -> ReadFrames:
    """Return cropped faces of sets, folders and videos, to train with.

    Parameters
    ----------
    sources : folders of stills with landmark files, or sets of `synth faces`; the people of a set
        with `track` are videos
    size : of the crops, pixels
    margin : around the landmarks, see `crop_box`
    videos : video files, folders of frames with landmark files, or folders of either, such as
        300VW's (NNN/vid.avi, NNN/annot/*.pts); each is one person
    every : take each n-th frame of a video or track
    detect : find the landmarks where none are given; else such pictures are failed
    detector : finds them in place of the one that ships
    on_frame : see `OnFrame`

    Raises
    ------
    FileFormatError : a source that is none
    MissingBackendError : videos, and imageio-ffmpeg is not installed
    DatasetError : no frame could be read
    """
    opened = [(Path(place), open_stills(Path(place))) for place in sources]
    opened += [
        (video, open_video(video, every)) for place in videos for video in find_videos(Path(place))
    ]
    failed: list[tuple[str, str]] = []
    finder = FaceFinder(detector) if detect else None
    frames = _labelled(opened, finder, failed, margin, on_frame)
    try:
        return ReadFrames(collect_frames(frames, size, margin), tuple(failed))
    except DatasetError:
        if failed:
            raise DatasetError(
                f"frames: none of {len(failed)} could be read; {failed[0][0]}: {failed[0][1]}"
            ) from None
        raise


def _labelled(
    opened: list[tuple[Path, RawFrames]],
    finder: FaceFinder | None,
    failed: list[tuple[str, str]],
    margin: float,
    on_frame: OnFrame | None,
) -> Iterator[Frame]:
    """Yield the frames of all sources that can be used, with numbers of people and groups."""
    people: dict[tuple, int] = {}
    groups: dict[tuple, int] = {}
    seen: set[str] = set()
    total, done = sum(frames.count for _, frames in opened), 0
    for number, (place, frames) in enumerate(opened):
        for raw in frames.frames:
            done += 1
            name = raw.name if raw.name not in seen else f"{place}: {raw.name}"
            seen.add(name)
            # Nobody knows who is in a still by itself: it may be anybody.
            who = (number, raw.person) if raw.person else (number, "", raw.name)
            which = (number, raw.group) if raw.group else (number, "", raw.name)
            try:
                image = raw.read()
                points = _points(raw, image, finder)
                crop_box(points, margin)
            except GeomfaceError as error:
                failed.append((name, str(error)))
            else:
                person = people.setdefault(who, len(people))
                group = groups.setdefault(which, len(groups))
                yield Frame(name, image, points, person, group, raw.moment)
            if on_frame is not None:
                on_frame(done, max(total, done), name)


def _points(raw: RawFrame, image: np.ndarray, finder: FaceFinder | None) -> FloatArray:
    """Return the landmarks of a frame, given or found.

    Raises
    ------
    LandmarkError : there are none, or they lie outside of the picture
    """
    if raw.fault:
        raise LandmarkError(raw.fault)
    points = raw.points
    if points is None and finder is not None:
        points = finder.find(image, follow=bool(raw.group) and raw.moment > 0)
        if points is None:
            raise LandmarkError("no face was found in the picture.")
    if points is None:
        raise LandmarkError("expected a landmark file beside the picture, got none.")
    require_inside(points, image.shape, raw.name)
    return points
