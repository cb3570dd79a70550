"""Where the fit starts: a similarity from landmarks."""

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, MeshError
from geomface.mesh import Landmarks, Similarity
from geomface.mesh.similarity import robust_similarity


def similarity_from_landmarks(template_points: FloatArray, landmarks: Landmarks) -> Similarity:
    """Fit template to scan by the landmarks that are present, some of which may be wrong.

    Raises
    ------
    LandmarkError : no landmark is present, or fewer than four.
    """
    present = landmarks.present
    if not present.any():
        raise LandmarkError(
            f"{landmarks.name}: all {len(present)} landmarks are missing. Give at least 4 measured "
            "points, or leave the landmarks out to have them found."
        )
    if present.sum() < 4:
        raise LandmarkError(
            f"{landmarks.name}: expected at least 4 measured landmarks, got {present.sum()}. Add "
            "some, or leave the landmarks out to have them found."
        )
    try:
        return robust_similarity(template_points[present], landmarks.points[present])
    except MeshError as problem:
        raise LandmarkError(f"{landmarks.name}: {problem}") from problem
