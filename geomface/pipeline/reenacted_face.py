"""One picture of a face made to move: from files to files."""

import contextlib
import dataclasses
import secrets
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.photographs import landmarks_beside
from geomface.errors import LandmarkError, OutputError
from geomface.files import load_image, png16
from geomface.gan.landmark_reenactment.face_finder import FaceFinder, require_inside
from geomface.gan.landmark_reenactment.points import to_68
from geomface.gan.landmark_reenactment.posed_face import face_fitter, follow, pose_face
from geomface.gan.landmark_reenactment.raw_frames import OnFrame
from geomface.gan.landmark_reenactment.tracks import Track
from geomface.landmarks.photographs.own_detector import PhotographDetector
from geomface.mesh.io.pixel_landmarks import load_pixel_landmarks
from geomface.statistics import MorphableModel

FRAMES = "frames"
"""Folder of the frames."""
_WRITERS = 2


@dataclasses.dataclass(frozen=True, eq=False)
class MarkedFace:
    """A picture and the landmarks of the face in it.

    Parameters
    ----------
    picture : (H, W, 3) float32 in [0, 1]
    points : (68, 2) pixels, NaN where missing
    found : the landmarks were found, not given
    """

    picture: ImageArray
    points: FloatArray
    found: bool

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.picture.shape[0], self.picture.shape[1]


def read_marked_face(
    image: Path, landmarks: Path | None = None, detector: PhotographDetector | None = None
) -> MarkedFace:
    """Read a picture with the landmarks given, else those beside it, else those that are found.

    Raises
    ------
    FileFormatError : a file that cannot be read
    LandmarkError : no face in the picture, another scheme, or landmarks of another picture
    """
    picture = load_image(image)
    place = landmarks or landmarks_beside(image)
    if place is None:
        points = FaceFinder(detector).find(picture)
        if points is None:
            raise LandmarkError(
                f"{image}: no face was found in the picture. Give one that shows a face of at "
                "least a twentieth of its side, or its landmarks by --landmarks."
            )
        return MarkedFace(picture, points, True)
    given = load_pixel_landmarks(place)
    size = picture.shape[:2]
    if given.image_size not in (None, size):
        raise LandmarkError(
            f"{place}: these landmarks are of an image of {given.image_size[1]} x "
            f"{given.image_size[0]} pixels, {image} has {size[1]} x {size[0]}."
        )
    if len(given.points) not in (66, 68):
        raise LandmarkError(
            f"{place}: expected the 68 landmarks of multi-pie-68, or its 66 without the inner "
            f"corners of the mouth, got {len(given.points)} of {given.scheme}. Convert them."
        )
    points = to_68(given.points)
    require_inside(points, size, str(place))
    return MarkedFace(picture, points, False)


def follow_track(
    face: MarkedFace,
    track: Track,
    model: MorphableModel,
    name: str,
    on_frame: OnFrame | None = None,
) -> FloatArray:
    """Return the landmarks (T, 68, 2) of a face that does what another one does; see `follow`."""
    fitter = face_fitter(model)
    return follow(pose_face(face.points, face.size, fitter, name), track, fitter, on_frame)


def save_frames(
    folder: Path, frames: Iterable[np.ndarray], count: int, on_frame: OnFrame | None = None
) -> np.ndarray:
    """Write frames as folder/frames/00000.png and on, all or none, and return them.

    Files are packed and written by threads while the next frames are made.

    Parameters
    ----------
    folder : exists, and has no frames yet
    frames : (S, S, 3) uint8
    count : how many there are
    on_frame : called with (frames done, frames in all, name)

    Raises
    ------
    OutputError : they cannot be written
    """
    kept: list[np.ndarray] = []
    with _whole_folder(folder / FRAMES) as place, ThreadPoolExecutor(_WRITERS) as threads:
        written = []
        for frame in frames:
            path = place / f"{len(kept):05d}.png"
            written.append(threads.submit(_write, path, frame))
            kept.append(frame)
            if on_frame is not None:
                on_frame(len(kept), count, path.name)
        for one in written:
            one.result()
    return np.stack(kept)


@contextlib.contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder that gets its name when all is written."""
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.mkdir()
        yield temporary
        temporary.rename(folder)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}). Free space, or write elsewhere; "
            "nothing was left behind."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(path: Path, frame: np.ndarray) -> None:
    path.write_bytes(png16.encode_quickly(frame))
