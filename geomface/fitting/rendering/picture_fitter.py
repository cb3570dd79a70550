"""What a fit to pictures starts from: the model, the picture, and the fit to its landmarks."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, require_type
from geomface.errors import SettingsError
from geomface.faces.dressing import mouth_loop
from geomface.fitting.image_fitter import ImageFitter
from geomface.fitting.landmarks_2d import BestHypothesis, best_hypothesis
from geomface.fitting.rendering.albedo import skin_of, vertex_texture
from geomface.fitting.rendering.energy import Scene
from geomface.fitting.rendering.picture import check_face_inside, check_picture
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.skin_share import skin_prior
from geomface.fitting.rendering.unknowns import Unknowns, UnknownsPrior
from geomface.mesh.mirror import mirror_map
from geomface.rendering.visibility import choose_backend
from geomface.statistics import MorphableModel, TextureModel, require_model


class PictureFitter:
    """What one model brings to its fits to pictures: computed once, used for every picture.

    Parameters
    ----------
    model : in millimetres, looking along +z, with landmarks; without colours the procedural skin
        stands in
    settings : see `PictureFitSettings`
    """

    def __init__(self, model: MorphableModel, settings: PictureFitSettings | None = None) -> None:
        self.settings = PictureFitSettings() if settings is None else settings
        require_type(
            self.settings,
            PictureFitSettings,
            "fit to pictures: settings",
            way_out="geomface.fitting.rendering.PictureFitSettings() are the usual ones.",
            error=SettingsError,
        )
        self.model = require_model(model, "fit to pictures")
        self.landmarks = ImageFitter(model, self.settings.landmarks)
        self.texture: TextureModel
        self.texture, self.note = vertex_texture(model, self.settings.albedo_modes)
        self.backend = choose_backend()
        self.mirror = mirror_map(model.mesh)
        self.mouth = mouth_loop(model.template)
        self.skin_prior = skin_prior(model.template)
        regions, name = model.template.regions, self.settings.region
        self.used = np.ones(len(model.mesh.vertices), bool)
        if name in regions:
            self.used[:] = False
            self.used[regions[name]] = True


@dataclasses.dataclass(frozen=True, eq=False)
class PictureView:
    """One picture with its landmarks fitted.

    Parameters
    ----------
    picture : (H, W, C) float64 sRGB
    across : pixels of the face, the longer side of the landmarks' box
    start : the fit to the landmarks
    scene : what stays the same while the picture is fitted
    first : the unknowns after the landmarks
    name : what messages and results call it
    """

    picture: FloatArray
    across: float
    start: BestHypothesis
    scene: Scene
    first: Unknowns
    name: str


def open_view(
    fitter: PictureFitter,
    image: np.ndarray,
    landmarks: FloatArray,
    *,
    focal_px: float | None,
    sigma_px: float | FloatArray | None,
    confidence: FloatArray | None,
    name: str,
) -> PictureView:
    """Check a picture and its landmarks, and fit these; parameters and errors as `fit_image`."""
    chosen = fitter.settings
    picture = check_picture(image, name)
    size = (picture.shape[0], picture.shape[1])
    start = best_hypothesis(
        fitter.landmarks,
        landmarks,
        size,
        camera=chosen.camera,
        focal_px=focal_px,
        sigma_px=sigma_px,
        confidence=confidence,
        name=f"{name}: landmarks",
    )
    across = check_face_inside(start.points, size, f"{name}: landmarks")
    scene = _scene(fitter, start, picture.shape[2])
    first = Unknowns(
        start.fit.camera,
        start.fit.coefficients,
        np.zeros(scene.skin.basis.shape[-1]),
        scene.prior.light_mean(),
    )
    return PictureView(picture, across, start, scene, first, name)


def _scene(fitter: PictureFitter, start: BestHypothesis, channels: int) -> Scene:
    settings, face = fitter.settings, fitter.landmarks.face
    marks = start.fit.points
    if marks is None:
        raise SettingsError("most_steps: expected at least one step.")
    skin = skin_of(fitter.texture, channels)
    prior = UnknownsPrior(
        face,
        skin.basis.shape[-1],
        channels,
        settings.ambient_sigma,
        settings.light_sigma,
        settings.light_color_sigma,
    )
    faces = fitter.model.mesh.faces
    trusted = np.asarray(fitter.used[faces].all(axis=1))
    return Scene(
        face, skin, faces, trusted, prior, marks, fitter.backend, settings, fitter.skin_prior
    )
