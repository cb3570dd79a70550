"""Pictures of faces read for `geomface evaluate faces`: what cannot be measured is left out."""

from typing import TYPE_CHECKING

from geomface.cli.run import Run
from geomface.errors import GeomfaceError, SettingsError

if TYPE_CHECKING:
    from geomface.datasets.photographs import Photograph
    from geomface.metrics.face_sets import FramedFaces


def read_framed(
    what: str,
    photographs: "tuple[Photograph, ...]",
    run: Run,
    failed: dict[str, str],
    *,
    count: int,
    seed: int,
) -> "FramedFaces":
    """Read pictures and bring their faces into the frame; say what was left out.

    Parameters
    ----------
    what : what messages call the set
    failed : takes names of pictures that cannot be measured, and why
    count : pictures at most; whole people are drawn
    seed : of that drawing
    """
    import numpy as np

    from geomface.metrics.face_frame import HEIGHT, LEAST_SCALE, WIDTH, frame_face
    from geomface.metrics.face_sets import FramedFaces
    from geomface.metrics.photograph_statistics import black_faces

    chosen = _choose(photographs, count, seed)
    pictures, people, scales, bare, unfit = [], [], [], 0, 0
    with run.progress(f"reading {what}", len(chosen)) as step:
        for index, photograph in enumerate(chosen):
            step(index, photograph.name)
            try:
                face = frame_face(photograph.read(), photograph.landmarks)
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
        run.note(
            f"{what}: {bare} of {len(chosen)} have no landmarks and are cropped by the middle."
        )
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
