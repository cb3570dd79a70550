"""Does a model lie on a face? It is a face wherever it lies: only a free template tells."""

from geomface.errors import TooFewMatchesError
from geomface.fitting.scan_fitter import ScanFitter
from geomface.fitting.scan_input import ScanInput
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.registration import register


def doubts(
    fitter: ScanFitter,
    scan: Mesh,
    landmarks: Landmarks | None,
    given: ScanInput,
    pose: Similarity,
) -> tuple[str, ...]:
    """Return why a fit is no likely face: what a registration from the same start is judged by.

    Parameters
    ----------
    given, pose : the scan in the model's frame, and where the model was found there; the start
        without landmarks
    """
    start = None
    if landmarks is None:
        to_scan = Similarity(1.0 / given.prepared.unit_factor)
        start = to_scan.compose(given.similarity(pose))
    try:
        free = register(fitter.registration, scan, landmarks, start=start, verify=False)
    except TooFewMatchesError:
        return ("hardly any of a free template meets the scan there",)
    if free.verification is None:
        return ()
    return tuple(f"a free template fails there: {reason}" for reason in free.verification.reasons)
