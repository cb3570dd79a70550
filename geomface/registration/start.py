"""Where the fit starts: a similarity from landmarks, or from several poses without them."""

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, MeshError, RegistrationError
from geomface.mesh import Landmarks, Similarity, fit_similarity
from geomface.mesh.rotation import around_x, around_y, around_z
from geomface.mesh.similarity import robust_similarity
from geomface.registration.scan_target import ScanTarget

_YAW_AND_PITCH = (
    *[(yaw, 0) for yaw in (0, -30, 30, -60, 60, -90, 90, 180)],
    (0, -30),
    (0, 30),
)


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
            "points, or leave the landmarks out to start without them."
        )
    if present.sum() < 4:
        raise LandmarkError(
            f"{landmarks.name}: expected at least 4 measured landmarks, got {present.sum()}. Add "
            "some, or leave the landmarks out to start without them."
        )
    try:
        return robust_similarity(template_points[present], landmarks.points[present])
    except MeshError as problem:
        raise LandmarkError(f"{landmarks.name}: {problem}") from problem


def similarity_without_landmarks(
    template: ScanTarget,
    scan: ScanTarget,
    *,
    samples: int = 800,
    steps: int = 40,
    scale_range: tuple[float, float] = (0.7, 1.4),
) -> tuple[Similarity, float]:
    """Find the pose by trimmed closest points from ten starting orientations.

    Every start is refined by iterating nearest scan points with agreeing normals and a similarity
    fit; the one with the smallest trimmed mean distance wins.

    Parameters
    ----------
    template, scan : surfaces in the same unit

    Returns
    -------
    similarity : template to scan
    distance : mean distance of the best 70 % of the template samples, unit of the scan

    Raises
    ------
    RegistrationError : no start came to rest within a tenth of the template's size.
    """
    generator = np.random.default_rng(0)
    count = len(template.vertices)
    chosen = generator.choice(count, min(samples, count), replace=False)
    points, normals = template.vertices[chosen], template.normals[chosen]
    size = float(np.linalg.norm(np.ptp(template.vertices, axis=0)))
    weight = 0.15 * size
    tree = KDTree(np.hstack([scan.vertices, weight * scan.normals]))
    frontal = scan.normals.mean(axis=0)
    centres = [np.median(scan.vertices, axis=0)]
    best: tuple[float, Similarity] | None = None
    for base in _facing_rotations(frontal):
        for centre in centres:
            moved = Similarity(1.0, base, centre - base @ points.mean(axis=0))
            error = np.inf
            for step in range(steps):
                at = moved.apply(points)
                query = np.hstack([at, weight * moved.apply_vectors(normals)])
                gaps, index = tree.query(query, workers=-1)
                keep = gaps <= np.quantile(gaps, 0.7)
                error = float(gaps[keep].mean())
                scaled = step >= steps // 2
                try:
                    fitted = fit_similarity(
                        points[keep], scan.vertices[np.asarray(index)[keep]], scale=scaled
                    )
                except MeshError:
                    break
                if scaled and not scale_range[0] <= fitted.scale <= scale_range[1]:
                    break
                moved = fitted
            if best is None or error < best[0]:
                best = (error, moved)
    if best is None or best[0] > 0.1 * size:
        raise RegistrationError(
            "no starting pose brought the template near the scan; expected a face scan of about "
            "the template's size. Give landmarks, or check the unit."
        )
    return best[1], best[0]


def _facing_rotations(frontal: FloatArray) -> list[FloatArray]:
    """Return starting rotations: the upright ones, and turned so that z meets `frontal`."""
    rotations = [around_y(yaw) @ around_x(pitch) for yaw, pitch in _YAW_AND_PITCH]
    length = float(np.linalg.norm(frontal))
    if length > 1e-6:
        forward = frontal / length
        up = np.array([0.0, 1.0, 0.0]) if abs(forward[1]) < 0.9 else np.array([0.0, 0.0, 1.0])
        right = np.cross(up, forward)
        right /= np.linalg.norm(right)
        facing = np.stack([right, np.cross(forward, right), forward], axis=1)
        rotations += [facing @ around_z(roll) for roll in (0, 90, 180, 270)]
    return rotations
