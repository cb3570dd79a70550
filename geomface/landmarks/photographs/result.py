"""What is looked for in photographs, and what was found."""

import dataclasses

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError
from geomface.ranges import COUNT, SHARE, require_numbers


@dataclasses.dataclass(frozen=True)
class PhotographSettings:
    """How faces are looked for.

    Parameters
    ----------
    smallest : width of the smallest face, as a share of the picture's longer side; smaller ones
        take longer
    score : least score of a face, see `PhotographFace`
    faces : how many are returned at most
    mirrored : also look at the mirror image of each face, and take the mean
    turned : where no face stands upright, look for one that lies or is upside down
    """

    smallest: float = 0.05
    score: float = 0.65
    faces: int = 50
    mirrored: bool = True
    turned: bool = True

    def __post_init__(self) -> None:
        require_numbers(self, smallest="[0.005, 1]", score=SHARE, faces=COUNT)


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographFace:
    """A face in a picture.

    Parameters
    ----------
    points : (68, 2) float64 pixels, scheme multi-pie-68, hidden points where they would be
    confidence : (68,) probability in [0, 1] that a point is off by less than a tenth of the
        distance of the eyes, as it would be from the front
    sigma_px : (68,) scale of the error's Laplace law, pixels
    score : probability in [0, 1] that this is a face, times the mean confidence; what is no face,
        or stands on its head, may look like one, but not surely
    frame : (4,) centre, radius (pixels) and roll (radians), see `frames_of`

    Convention
    ----------
    x right, y down, origin in the top left corner, pixel centres at + 0.5.
    """

    points: FloatArray
    confidence: FloatArray
    sigma_px: FloatArray
    score: float
    frame: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographResult:
    """What was found in a picture.

    Parameters
    ----------
    faces : largest first
    image_size : (height, width)
    notes : what was noticed
    seconds : wall time
    """

    faces: tuple[PhotographFace, ...]
    image_size: tuple[int, int]
    notes: tuple[str, ...]
    seconds: float


def require_face(result: PhotographResult) -> PhotographResult:
    """Return a result that holds a face.

    Raises
    ------
    LandmarkError : it holds none
    """
    if not result.faces:
        raise LandmarkError(
            "no face was found in the picture. Faces narrower than a twentieth of its longer side, "
            "turned away by more than about 70 degrees or mostly covered are not seen: cut the "
            "picture around the face, or mark its landmarks by hand."
        )
    return result
