"""Tracks of landmarks: a face's places over time, completed where a few frames lack them."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import FileFormatError, LandmarkError
from geomface.files.numpy_files import read_archive, read_array
from geomface.files.reading import read_bytes
from geomface.gan.landmark_reenactment.points import to_68
from geomface.mesh.io.pixel_landmarks import AllMissingError, load_pixel_landmarks
from geomface.mesh.multi_pie import SCHEME

MOST_MISSING = 5
"""Frames in a row that are interpolated."""
ARRAY_SUFFIXES = (".npy", ".npz")
LANDMARK_SUFFIXES = (".json", ".pts", ".txt", ".csv")
_SCHEMES = (SCHEME, "multi-pie-66", "points-68", "points-66", "ibug-68")
_NAMED = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Track:
    """Landmarks of one face, frame after frame.

    Parameters
    ----------
    points : (T, 68, 2) float64 pixels
    names : of the frames
    notes : what was done about frames without landmarks

    Convention
    ----------
    x right, y down, the first pixel's centre at (0.5, 0.5), as in landmark files.
    """

    points: FloatArray
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)


def complete_track(points: FloatArray, names: Sequence[str], source: str) -> Track:
    """Return a track whose missing landmarks lie between those of the frames around.

    Each landmark is interpolated linearly in time, and held at both ends.

    Parameters
    ----------
    points : (T, 68, 2) or (T, 66, 2) pixels; NaN is missing
    names : of the frames
    source : where they come from, for messages

    Raises
    ------
    LandmarkError : another number of landmarks, none at all, or more than 5 frames in a row that
        lack a landmark
    """
    marks = require_shape(points, (None, None, 2), f"{source}: track", LandmarkError)
    if marks.shape[1] not in (66, 68):
        raise LandmarkError(
            f"{source}: expected the 68 landmarks of {SCHEME}, or its 66 without the inner corners "
            f"of the mouth, got {marks.shape[1]} points. Convert the track."
        )
    if np.isinf(marks).any():
        raise LandmarkError(f"{source}: expected pixels, got infinity. Write nan where missing.")
    marks = np.array(to_68(marks), np.float64)
    known = np.asarray(np.isfinite(marks).all(axis=2))
    if not known.any():
        raise LandmarkError(f"{source}: expected landmarks, got none in {len(marks)} frames.")
    marks[~known] = np.nan
    holes = _longest(~known)
    if (holes > MOST_MISSING).any():
        long = (holes > MOST_MISSING).any(axis=1)
        which = "" if not known[long].any() else " of some points"
        raise LandmarkError(
            f"{source}: landmarks{which} are missing in {spans(np.flatnonzero(long), names)}; at "
            f"most {MOST_MISSING} frames in a row are interpolated. Add them, or cut the track "
            "there."
        )
    time = np.arange(len(marks))
    for mark in np.flatnonzero(~known.all(axis=0)):
        there = known[:, mark]
        for axis in range(2):
            marks[:, mark, axis] = np.interp(time, time[there], marks[there, mark, axis])
    notes = []
    filled = ~np.asarray(known.all(axis=1))
    if filled.any():
        notes.append(
            f"{source}: landmarks missing in {spans(np.flatnonzero(filled), names)} were "
            "interpolated."
        )
    return Track(marks, tuple(names), tuple(notes))


def track_of_array(path: Path) -> Track:
    """Return the track of an npy (T, 68, 2), or of `points` in an npz; 66 landmarks are taken too.

    Raises
    ------
    FileFormatError : no such file, damaged, or without points
    LandmarkError : see `complete_track`
    """
    if path.suffix.lower() == ".npy":
        points = read_array(read_bytes(path, "a track of landmarks"), str(path))
    else:
        arrays = read_archive(path, "a track of landmarks", ("points",))
        if "points" not in arrays:
            raise FileFormatError(f"{path}: expected an array 'points' (frames, 68, 2), got none.")
        points = arrays["points"]
    if points.dtype.kind not in "fiu" or points.ndim != 3:
        raise LandmarkError(
            f"{path}: expected numbers (frames, 68, 2), got {points.dtype} of shape {points.shape}."
        )
    names = tuple(str(frame) for frame in range(len(points)))
    return complete_track(points.astype(np.float64), names, str(path))


def track_of_files(paths: Sequence[Path], source: str) -> Track:
    """Return the track of landmark files, one a frame, in the order of their numbers.

    Numbers that are left out are frames without landmarks, as are files in which all are missing.

    Raises
    ------
    FileFormatError : a file that cannot be read, or two of one frame
    LandmarkError : another scheme; see also `complete_track`
    """
    numbers = frame_numbers(paths, source)
    found = {int(number): path for number, path in zip(numbers, paths, strict=True)}
    step = _stride(numbers)
    _refuse_holes(np.sort(numbers), step, source)
    frames = range(int(numbers.min()), int(numbers.max()) + 1, step)
    rows = [frame_landmarks(found[frame]) if frame in found else None for frame in frames]
    counts = {len(row): frame for frame, row in zip(frames, rows, strict=True) if row is not None}
    if len(counts) > 1:
        told = ", ".join(f"{count} in {found[frame].name}" for count, frame in counts.items())
        raise LandmarkError(f"{source}: expected as many landmarks in every frame, got {told}.")
    nothing = np.full((next(iter(counts), 68), 2), np.nan)
    names = [found[frame].name if frame in found else f"frame {frame}" for frame in frames]
    points = np.stack([nothing if row is None else row for row in rows])
    return complete_track(points, names, source)


def frame_numbers(paths: Sequence[Path], source: str) -> IndexArray:
    """Return (T,) int64: the numbers at the ends of names, or places in the order of names.

    Raises
    ------
    FileFormatError : two files of one frame
    """
    stems = [stem_of(path) for path in paths]
    stem, times = Counter(stems).most_common(1)[0]
    if times > 1:
        twice = [path.name for path in paths if stem_of(path) == stem]
        raise FileFormatError(
            f"{source}: expected one file a frame, got {' and '.join(twice[:2])}. Remove one."
        )
    digits = [stem[len(stem.rstrip("0123456789")) :] for stem in stems]
    if all(digits) and len({int(text) for text in digits}) == len(stems):
        return np.array([int(text) for text in digits], np.int64)
    order = np.argsort(np.array(stems))
    places = np.empty(len(stems), np.int64)
    places[order] = np.arange(len(stems))
    return places


def stem_of(path: Path) -> str:
    """Return the name of a picture or of its landmark file without their endings."""
    return path.stem.removesuffix(".landmarks")


def spans(frames: IndexArray, names: Sequence[str]) -> str:
    """Return numbers of frames as text: "frames 3 to 9 (a.pts to b.pts), 12 (c.pts)"."""
    parts = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
    told = [
        f"{part[0]} ({names[part[0]]})"
        if len(part) == 1
        else f"{part[0]} to {part[-1]} ({names[part[0]]} to {names[part[-1]]})"
        for part in parts[:_NAMED]
    ]
    more = f" and {len(parts) - _NAMED} more places" if len(parts) > _NAMED else ""
    return f"frame{'s' if len(frames) > 1 else ''} {', '.join(told)}{more}"


def frame_landmarks(path: Path) -> FloatArray | None:
    """Return the landmarks (68, 2) or (66, 2) of a file, None where all are missing.

    Raises
    ------
    FileFormatError : a file that cannot be read
    LandmarkError : another scheme
    """
    try:
        found = load_pixel_landmarks(path)
    except AllMissingError:
        return None
    if found.scheme not in _SCHEMES or len(found.points) not in (66, 68):
        raise LandmarkError(
            f"{path}: expected the 68 landmarks of {SCHEME}, or its 66 without the inner corners "
            f"of the mouth, got {len(found.points)} of {found.scheme}. Convert them."
        )
    return found.points


def _stride(numbers: IndexArray) -> int:
    """Return the step from frame to frame: some tools keep every tenth."""
    return int(np.gcd.reduce(np.diff(np.sort(numbers)))) if len(numbers) > 1 else 1


def _refuse_holes(numbers: IndexArray, step: int, source: str) -> None:
    """Refuse numbers that leave out too many frames, before anything of their size is made."""
    for hole in np.flatnonzero(np.diff(numbers) > (MOST_MISSING + 1) * step):
        first, last = int(numbers[hole]) + step, int(numbers[hole + 1]) - step
        raise LandmarkError(
            f"{source}: there are no landmarks of the frames {first} to {last}; at most "
            f"{MOST_MISSING} frames in a row are interpolated. Add them, or cut the track there."
        )


def _longest(missing: BoolArray) -> IndexArray:
    """Return (T, P) how many frames in a row the hole around each missing landmark has."""
    forward = np.zeros(missing.shape, np.int64)
    backward = np.zeros(missing.shape, np.int64)
    for frame in range(len(missing)):
        before = forward[frame - 1] if frame else 0
        forward[frame] = np.where(missing[frame], before + 1, 0)
    for frame in range(len(missing) - 1, -1, -1):
        after = backward[frame + 1] if frame + 1 < len(missing) else 0
        backward[frame] = np.where(missing[frame], after + 1, 0)
    return np.where(missing, forward + backward - 1, 0)
