"""Pictures of faces read for `geomface evaluate faces`: what cannot be measured is left out."""

from typing import TYPE_CHECKING

from geomface.cli.run import Run
from geomface.errors import GeomfaceError, LandmarkError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geomface.arrays import FloatArray, ImageArray
    from geomface.datasets.photographs import Photograph
    from geomface.landmarks.photographs.detect import PhotographLandmarks
    from geomface.metrics.face_sets import FramedFaces


def read_framed(
    what: str,
    photographs: "tuple[Photograph, ...]",
    run: Run,
    failed: dict[str, str],
    *,
    count: int,
    seed: int,
    cropped: bool = False,
) -> "FramedFaces":
    """Read pictures and bring their faces into the frame; say what was left out.

    Parameters
    ----------
    what : what messages call the set
    failed : takes names of pictures that cannot be measured, and why
    count : pictures at most; whole people are drawn
    seed : of that drawing
    cropped : pictures without landmarks show a face in the middle; else it is looked for
    """
    import numpy as np

    from geomface.metrics.face_frame import HEIGHT, LEAST_SCALE, WIDTH, frame_face
    from geomface.metrics.face_sets import FramedFaces
    from geomface.metrics.photograph_statistics import black_faces

    chosen = _choose(photographs, count, seed)
    pictures, people, scales, bare, unfit = [], [], [], 0, 0
    find = _finder()
    with run.progress(f"reading {what}", len(chosen)) as step:
        for index, photograph in enumerate(chosen):
            step(index, photograph.name)
            try:
                landmarks, pixels = photograph.given_landmarks(), photograph.read()
                if landmarks is None and not cropped:
                    landmarks = find(photograph.name, pixels)
                face = frame_face(pixels, landmarks)
                if face is not None and black_faces(face.picture[None])[0]:
                    raise SettingsError(f"{photograph.name}: expected some light on the face.")
            except GeomfaceError as error:
                failed[photograph.name] = str(error)
                run.warn(f"{what}: left out: {error}")
                continue
            bare += photograph.landmarks is None
            unfit += face is None
            if face is not None:
                pictures.append(face.picture)
                people.append(photograph.person)
                scales.append(face.scale)
        step(len(chosen))
    if bare:
        done = "are cropped by the middle" if cropped else "are measured by those that were found"
        run.note(f"{what}: {bare} of {len(chosen)} have no landmarks and {done}.")
    if failed:
        run.note(f"{what}: {len(failed)} of {len(chosen)} cannot be measured: left out.")
    if unfit:
        least = f"{LEAST_SCALE * WIDTH:.0f} x {LEAST_SCALE * HEIGHT:.0f}"
        run.note(
            f"{what}: {unfit} of {len(chosen)} are turned by more than about 30 degrees, cut off, "
            f"smaller than {least} pixels, or lack a landmark: left out."
        )
    small = sum(scale < 1.0 for scale in scales)
    if small:
        run.note(
            f"{what}: {small} faces are smaller than the {WIDTH} x {HEIGHT} pixels that they are "
            "measured at, so their finest contrast is missing. Take larger pictures."
        )
    return FramedFaces(np.array(pictures, np.float32).reshape(-1, HEIGHT, WIDTH), people)


def _finder() -> "Callable[[str, ImageArray], FloatArray]":
    """Return a function that finds the landmarks (68, 2) of the largest upright face."""
    from functools import cache

    from geomface.landmarks.photographs.result import PhotographSettings, require_face

    @cache
    def detector() -> "PhotographLandmarks":
        from geomface.landmarks.photographs.detect import PhotographLandmarks

        # The frame does not turn pictures: who lies or stands on the head would not be comparable.
        return PhotographLandmarks(PhotographSettings(turned=False))

    def find(name: str, pixels: "ImageArray") -> "FloatArray":
        try:
            return require_face(detector().detect(pixels)).faces[0].points
        except LandmarkError as error:
            raise LandmarkError(f"{name}: {error}") from error

    return find


def _choose(photographs: "tuple[Photograph, ...]", count: int, seed: int) -> "list[Photograph]":
    """Return at most `count` pictures, of as few people as they are of."""
    import numpy as np

    if len(photographs) <= count:
        return list(photographs)
    keys = [photograph.person or photograph.name for photograph in photographs]
    rank = {
        name: at
        for at, name in enumerate(np.random.default_rng(seed).permutation(sorted(set(keys))))
    }
    order = sorted(range(len(keys)), key=lambda index: (rank[keys[index]], index))
    return [photographs[index] for index in sorted(order[:count])]
