"""Landmarks for a registration whose user gave none."""

from typing import TYPE_CHECKING

from geomface.errors import LandmarkError
from geomface.mesh.multi_pie import SCHEME

if TYPE_CHECKING:
    from geomface.landmarks.detect import LandmarkDetector
    from geomface.mesh import Landmarks, Mesh, Template


def landmarks_for(
    template: "Template", scan: "Mesh", detector: "LandmarkDetector | None" = None
) -> tuple["Landmarks | None", str]:
    """Find the template's landmarks on a scan.

    Parameters
    ----------
    template : what will be fitted; only the 68 points of Multi-PIE can be found
    scan : any triangle mesh of a face
    detector : one to re-use, default a new one with the weights that are shipped

    Returns
    -------
    landmarks : None when the template has others or no face is seen
    note : what was done, or why nothing was found; empty when there was nothing to look for
    """
    if template.landmarks is None or template.landmarks.scheme != SCHEME:
        return None, ""
    from geomface.landmarks.detect import LandmarkDetector

    try:
        found = (detector or LandmarkDetector()).detect(scan)
    except LandmarkError as error:
        return None, f"{error} The fit starts from several poses instead."
    return found.landmarks, "no landmarks given: they were found on the scan; check the overlay."
