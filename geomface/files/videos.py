"""Videos and moving pictures, frame by frame."""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np

from geomface.errors import FileFormatError, MissingBackendError, OutputError
from geomface.files.atomic import atomic_path
from geomface.files.reading import log, require_file

VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")
"""Endings of videos, in small letters."""
_CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}
_LOST = 0.95
"""Share of the announced frames below which a video seems to be cut off."""


class VideoHead(NamedTuple):
    """What a video says of itself: frames a second, and about how many there are; 0: unknown."""

    rate: float
    frames: int


def video_head(path: Path | str) -> VideoHead:
    """Return what a video says of itself.

    Raises
    ------
    FileFormatError : no such file
    MissingBackendError : imageio-ffmpeg is not installed
    """
    require_file(path, "a video")
    command = [_ffmpeg().get_ffmpeg_exe(), "-hide_banner", "-i", f"file:{path}"]
    told = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    text = told.stderr.decode(errors="replace")
    rate = re.search(r"Video:.*?([\d.]+) fps", text)
    lasts = re.search(r"Duration: (\d+):(\d+):([\d.]+)", text)
    seconds = 0.0
    if lasts is not None:
        hours, minutes, rest = (float(part) for part in lasts.groups())
        seconds = 3600.0 * hours + 60.0 * minutes + rest
    per_second = float(rate.group(1)) if rate is not None else 0.0
    return VideoHead(per_second, round(per_second * seconds))


def video_frames(path: Path | str) -> Iterator[np.ndarray]:
    """Yield the frames (H, W, 3) uint8 of a video; one that seems to be cut off is told.

    Raises
    ------
    FileFormatError : no such file, or none that can be decoded
    MissingBackendError : imageio-ffmpeg is not installed
    """
    announced = video_head(path).frames
    command = [_ffmpeg().get_ffmpeg_exe(), "-v", "error", "-i", f"file:{path}", "-map", "0:v:0"]
    # Every frame brings its size along, and none is doubled or dropped to keep the time.
    command += ["-fps_mode", "passthrough", "-f", "image2pipe", "-c:v", "ppm", "-"]
    count = 0
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            try:
                while (frame := _next_frame(cast(IO[bytes], process.stdout))) is not None:
                    count += 1
                    yield frame
            finally:
                process.kill()  # who stops in the middle waits for nobody
        errors.seek(0)
        told = errors.read(4096).decode(errors="replace")
    if not count:
        raise FileFormatError(
            f"{path}: expected a video, but it cannot be decoded ({_first_line(told)}). Save it "
            "as MP4 (H.264), or give its frames as pictures."
        )
    if count < _LOST * announced - 1:
        log.warning(
            "%s: %d frames could be read of about %d; the video may be cut off.",
            path,
            count,
            announced,
        )


def save_video(path: Path | str, frames: Iterable[np.ndarray], rate: float = 25.0) -> None:
    """Write frames as a video in H.264, whole or not at all.

    Parameters
    ----------
    path : *.mp4, *.mov, *.mkv or *.avi
    frames : (H, W, 3) uint8 of one size, at least one; an odd side loses its last pixel
    rate : frames a second

    Raises
    ------
    OutputError : another ending, no frames, frames of several sizes, or the place cannot be written
    MissingBackendError : imageio-ffmpeg is not installed
    """
    container = _CONTAINERS.get(Path(path).suffix.lower())
    if container is None:
        raise OutputError(f"{path}: expected a name ending in {', '.join(_CONTAINERS)}.")
    ffmpeg, writer, first = _ffmpeg(), None, None
    with atomic_path(Path(path)) as temporary:
        try:
            for frame in frames:
                if writer is None or first is None:
                    first = frame.shape
                    height, width = (side // 2 * 2 for side in first[:2])
                    writer = ffmpeg.write_frames(
                        str(temporary),
                        (width, height),
                        fps=rate,
                        macro_block_size=2,
                        quality=8,
                        output_params=["-f", container],
                    )
                    writer.send(None)
                if frame.shape != first:
                    raise OutputError(
                        f"{path}: expected frames of one size, got {first} and {frame.shape}."
                    )
                writer.send(np.ascontiguousarray(frame[:height, :width]))
        except OSError as error:
            raise OutputError(
                f"{path}: the video cannot be written ({_first_line(error)}). Free space, or write "
                "elsewhere."
            ) from error
        finally:
            if writer is not None:
                writer.close()
        if first is None:
            raise OutputError(f"{path}: expected frames of a video, got none.")


def save_gif(path: Path | str, frames: Iterable[np.ndarray], rate: float = 25.0) -> None:
    """Write frames as a GIF that begins again at its end, whole or not at all.

    Parameters
    ----------
    frames : (H, W, 3) uint8, at least one
    rate : frames a second; players show a GIF at 50 at most, in steps of 1/100 s

    Raises
    ------
    OutputError : no frames, or the place cannot be written
    """
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    if not pictures:
        raise OutputError(f"{path}: expected frames of a GIF, got none.")
    # One palette for all, else the colours of what stands still flicker.
    shown = np.linspace(0, len(pictures) - 1, min(len(pictures), 16)).round().astype(int)
    strip = Image.fromarray(np.hstack([np.asarray(pictures[k]) for k in shown]))
    palette = strip.quantize(255)
    indexed = [picture.quantize(palette=palette) for picture in pictures]
    lasts = 10 * max(round(100 / rate), 2)
    with atomic_path(Path(path)) as temporary:
        indexed[0].save(
            temporary, "GIF", save_all=True, append_images=indexed[1:], duration=lasts, loop=0
        )


def require_video_backend() -> None:
    """Refuse at once what could not be read or written later.

    Raises
    ------
    MissingBackendError : imageio-ffmpeg is not installed
    """
    _ffmpeg()


def _ffmpeg() -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise MissingBackendError(
            f"videos: imageio-ffmpeg could not be loaded ({error}). Install it with: pip install "
            "'geomface[video]'; or give the frames as pictures."
        ) from error
    return imageio_ffmpeg


def _next_frame(stream: IO[bytes]) -> np.ndarray | None:
    """Return the next picture of a stream of PPM files, None at its end or in the middle of one."""
    head = b"".join(stream.readline(64) for _ in range(3))
    known = re.fullmatch(rb"P6\n(\d+) (\d+)\n255\n", head)
    if known is None:
        return None
    width, height = map(int, known.groups())
    data = stream.read(width * height * 3)
    if len(data) < width * height * 3:
        return None
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _first_line(text: object) -> str:
    lines = [re.sub(r"^\[.*?\]\s*", "", line).strip() for line in str(text).splitlines()]
    lines = [line for line in lines if line]
    return lines[0][:120] if lines else "it has no frames"
