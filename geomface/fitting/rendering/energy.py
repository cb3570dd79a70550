"""The energy of a picture under a model, with its equations for Gauss-Newton steps."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.fitting.image_terms import ImagePoints
from geomface.fitting.linear_face import LinearFace
from geomface.fitting.rendering.picture import PictureLevel, lengths
from geomface.fitting.rendering.pixels import Fragments, triangle_picture, usable_pixels
from geomface.fitting.rendering.residuals import PicturePixels, Skin
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.skin_share import skin_shares
from geomface.fitting.rendering.unknowns import Unknowns, UnknownsPrior
from geomface.mesh.robust import geman_mcclure_loss, geman_mcclure_weights
from geomface.rendering.camera import CAMERA_COUNT
from geomface.rendering.visibility import BackendChoice
from geomface.statistics.linear_model import gram_matrix

_SATURATED = 0.995


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """What stays the same while one picture is fitted.

    Parameters
    ----------
    face, skin : the model
    faces : (F, 3) int64
    trusted : (F,) bool, triangles whose pixels count
    prior : on the unknowns
    marks : the landmarks, as measured
    backend : who says which triangle a pixel sees
    settings : see there
    skin_prior : (V,) log-odds that nothing is in front of a vertex
    """

    face: LinearFace
    skin: Skin
    faces: IndexArray
    trusted: BoolArray
    prior: UnknownsPrior
    marks: ImagePoints
    backend: BackendChoice
    settings: PictureFitSettings
    skin_prior: FloatArray

    def fragments(self, level: PictureLevel, at: Unknowns) -> Fragments:
        """Return what the pixels of a level see of the face."""
        vertices = self.face.points(at.face)
        ids = triangle_picture(
            self.backend, vertices, torch.tensor(self.faces), at.camera, level.size, level.pixel
        )
        usable = usable_pixels(ids, vertices, self.faces, at.camera)
        usable[usable] = self.trusted[ids[usable]]
        # A channel at its end shows less than there was.
        usable &= (level.values < _SATURATED).all(axis=2)
        return Fragments(ids, np.flatnonzero(usable))

    def pixels(
        self, level: PictureLevel, fragments: Fragments, places: IndexArray
    ) -> PicturePixels:
        """Return some pixels of a level, by place on its flattened grid."""
        rows, columns = np.divmod(places, level.size[1])
        return PicturePixels(
            self.face,
            self.skin,
            self.faces,
            level.centres(rows, columns),
            self.faces[fragments.ids.ravel()[places]],
            level.values[rows, columns],
        )

    def shares(
        self, level: PictureLevel, at: Unknowns, pixels: PicturePixels, places: IndexArray
    ) -> FloatArray:
        """Return (S,) in [0, 1], how likely pixels show skin and nothing in front of it."""
        return skin_shares(
            pixels.residuals(at),
            self.skin_prior[pixels.corners].mean(axis=1),
            places,
            level.size,
            self.settings.skin_sigma,
            self.pixels_per_mm(level, at),
        )

    def pixels_per_mm(self, level: PictureLevel, at: Unknowns) -> float:
        """Return how many pixels of a level a millimetre takes."""
        return float(np.median(at.camera.pixels_per_mm(self.face.mean))) / level.pixel


@dataclasses.dataclass(frozen=True, eq=False)
class PictureEnergy:
    """E = w / 2 sum_s p_s rho(|r_s| / sigma) + v E_landmarks - log p, at one size.

    Parameters
    ----------
    scene, level : what is fitted to what
    places : (S,) pixels of the level that count; one that stops seeing the face costs as much as
        one that shows something else
    sigma : standard deviation of a pixel, root mean square over channels
    weight : w, independent measurements a pixel
    landmark_weight : v
    shares : (S,) in [0, 1], p, how likely each pixel shows skin; None: all do
    """

    scene: Scene
    level: PictureLevel
    places: IndexArray
    sigma: float
    weight: float
    landmark_weight: float
    shares: FloatArray | None = None

    @property
    def believed(self) -> FloatArray:
        """(S,) p."""
        return np.ones(len(self.places)) if self.shares is None else self.shares

    def energy(self, at: Unknowns) -> float:
        """Return E."""
        cutoff = self.scene.settings.robust_scale
        fragments = self.scene.fragments(self.level, at)
        seen = fragments.ids.ravel()[self.places] >= 0
        kept = self.places[seen]
        pixels = self.scene.pixels(self.level, fragments, kept)
        misfit = lengths(pixels.residuals(at)) / self.sigma
        loss = self.believed[seen] @ geman_mcclure_loss(misfit, cutoff)
        loss += self.believed[~seen].sum() * 0.5 * cutoff**2
        marks = self.scene.marks
        gaps = (marks.misfit(at.camera, at.face) ** 2).sum(axis=1)
        landmarks = 0.5 * self.landmark_weight * float(marks.weights @ gaps)
        return 0.5 * self.weight * float(loss) + landmarks + self.scene.prior.energy(at)

    def equations(self, at: Unknowns) -> tuple[FloatArray, FloatArray]:
        """Return the Gauss-Newton matrix (n, n) and the gradient (n,) of E."""
        matrix, gradient = self.scene.prior.equations(at)
        pixels = self.scene.pixels(self.level, self.scene.fragments(self.level, at), self.places)
        residuals = pixels.residuals(at)
        channels = residuals.shape[1]
        trust = self.believed * geman_mcclure_weights(
            lengths(residuals) / self.sigma, self.scene.settings.robust_scale
        )
        root = np.sqrt(self.weight * trust / channels) / self.sigma
        columns = pixels.columns(at) * np.repeat(root, channels)[:, None]
        matrix += gram_matrix(columns)
        gradient += (root[:, None] * residuals).ravel() @ columns
        marks = self.scene.marks
        count = CAMERA_COUNT + len(at.face)
        marked = marks.columns(at.camera, at.face).reshape(-1, count)
        weights = self.landmark_weight * np.repeat(marks.weights, 2)
        matrix[:count, :count] += (marked * weights[:, None]).T @ marked
        gradient[:count] += (weights * marks.misfit(at.camera, at.face).ravel()) @ marked
        return matrix, gradient
