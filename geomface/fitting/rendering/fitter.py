"""What a model brings to its fits to pictures."""

import numpy as np

from geomface.fitting.image_fitter import ImageFitter
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.vertex_texture import vertex_texture
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
        self.settings = settings or PictureFitSettings()
        self.model = require_model(model, "fit to pictures")
        self.landmarks = ImageFitter(model, self.settings.landmarks)
        self.texture: TextureModel
        self.texture, self.note = vertex_texture(model, self.settings.albedo_modes)
        self.backend = choose_backend()
        self.mirror = mirror_map(model.mesh)
        regions, name = model.template.regions, self.settings.region
        self.used = np.ones(len(model.mesh.vertices), bool)
        if name in regions:
            self.used[:] = False
            self.used[regions[name]] = True
