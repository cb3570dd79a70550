"""Where a template lies on a scan whose landmarks nobody measured: one rule for everybody."""

import dataclasses
from typing import TYPE_CHECKING

from geomface.errors import LandmarkError
from geomface.mesh.multi_pie import SCHEME
from geomface.threads import one_torch_thread

if TYPE_CHECKING:
    from geomface.landmarks.detect import LandmarkDetector
    from geomface.mesh import Landmarks, Mesh, Similarity, Template


@dataclasses.dataclass(frozen=True, eq=False)
class FoundStart:
    """What a fit starts from.

    Parameters
    ----------
    landmarks : found on the scan; None when the template has not the 68 of Multi-PIE
    start : template to scan, where the landmarks cannot be used by the fit itself
    note : what was done
    """

    landmarks: "Landmarks | None"
    start: "Similarity | None"
    note: str


@one_torch_thread()
def find_start(
    template: "Template", scan: "Mesh", detector: "LandmarkDetector | None" = None
) -> FoundStart:
    """Find the 68 landmarks on a scan; on the template too, if it brings none of them.

    One thread, so that what is found does not depend on the machine.

    Parameters
    ----------
    template : what will be fitted
    scan : any triangle mesh of a face
    detector : one to re-use, default a new one with the weights that are shipped

    Raises
    ------
    LandmarkError : no face was found on the scan, or on a template without the 68 landmarks.
    """
    from geomface.landmarks.detect import LandmarkDetector

    detector = detector or LandmarkDetector()
    found = detector.detect(scan).landmarks
    if template.landmarks is not None and template.landmarks.scheme == SCHEME:
        return FoundStart(
            found,
            None,
            "no landmarks given: they were found on the scan; 'geomface landmarks detect "
            "--picture' shows them.",
        )
    from geomface.registration.start import similarity_from_landmarks

    try:
        own = detector.detect(template.mesh).landmarks
    except LandmarkError as error:
        raise LandmarkError(
            f"{template.mesh.name}: this template has no landmarks of {SCHEME}, and where it lies "
            f"on a scan cannot be found without: {error}"
        ) from error
    return FoundStart(
        None,
        similarity_from_landmarks(own.points, found),
        "no landmarks given: those of the scan and of the template were found and tell the pose "
        "alone; 'geomface landmarks detect --picture' shows them.",
    )
