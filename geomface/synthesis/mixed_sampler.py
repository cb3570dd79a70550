"""Pictures of people of several face models in one set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from geomface.errors import SettingsError
from geomface.statistics import MorphableModel
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.sampler import FaceBatch, FaceSampler
from geomface.synthesis.settings import FaceImageSettings

OF_ONE_MESH = ("region", "face_id", "uv")
"""Outputs whose numbers mean something on one mesh only."""


class MixedSampler:
    """Draws and renders the pictures of a set whose person i is of model i modulo their number.

    Each picture is what `FaceSampler` of that model shows.

    Parameters
    ----------
    settings : see `FaceImageSettings`
    models : two or more face models with the 68 landmarks

    Raises
    ------
    LandmarkError : a template without multi-pie-68 landmarks.
    SettingsError : fewer models, a factor that one of them lacks, an output of one mesh only,
        mixed people.
    """

    def __init__(self, settings: FaceImageSettings, models: Sequence[MorphableModel]) -> None:
        if len(models) < 2:
            raise SettingsError(f"models: expected two or more for a mixture, got {len(models)}.")
        wrong = [name for name in settings.outputs if name in OF_ONE_MESH]
        if wrong:
            raise SettingsError(
                f"outputs: {', '.join(wrong)} number the parts of one mesh; people of several "
                "models have several. Leave them out, or draw one set a model."
            )
        if settings.identity.mixup is not None or settings.identity.mix_share > 0:
            raise SettingsError(
                "models: people of different models cannot be mixed. Leave out the mixing, or draw "
                "one set a model."
            )
        self.settings = settings
        self.samplers = tuple(FaceSampler(settings, model) for model in models)

    @property
    def model(self) -> MorphableModel:
        """The first model."""
        return self.samplers[0].model

    @property
    def region_names(self) -> tuple[str, ...]:
        """No names: regions differ between the models."""
        return ()

    def of(self, identity: int) -> FaceSampler:
        """Return the sampler of the model that a person is of."""
        return self.samplers[identity % len(self.samplers)]

    def parameters(self, identity: int, sample: int) -> FaceParameters:
        """Return the parameters of one picture, without rendering it."""
        return self.of(identity).parameters(identity, sample)

    def expression_names(self, identity: int) -> tuple[str, ...]:
        """Return what the expression weights of a person are called."""
        return self.of(identity).expression_names(identity)

    def light_labels(self, parameters: FaceParameters) -> dict[str, Any] | None:
        """Return lamps and sky of a photograph as labels, None in the plain preset."""
        return self.of(parameters.identity).light_labels(parameters)

    def batch(self, pictures: Sequence[tuple[int, int]]) -> FaceBatch:
        """Draw and render pictures given as (identity, sample), in their order."""
        which = np.array([identity % len(self.samplers) for identity, _ in pictures], np.int64)
        parts, places = [], []
        for index, sampler in enumerate(self.samplers):
            rows = np.flatnonzero(which == index)
            if not len(rows):
                continue
            parts.append(sampler.batch([pictures[row] for row in rows.tolist()]))
            places.append(rows)
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate(places))
        parameters = [item for part in parts for item in part.parameters]
        cameras = [item for part in parts for item in part.cameras]
        return FaceBatch(
            tuple(parameters[row] for row in order),
            tuple(cameras[row] for row in order),
            {
                name: np.concatenate([part.images[name] for part in parts])[order]
                for name in parts[0].images
            },
            np.concatenate([part.landmarks for part in parts])[order],
            np.concatenate([part.landmarks_visible for part in parts])[order],
        )


def people_sampler(
    settings: FaceImageSettings, models: Sequence[MorphableModel]
) -> FaceSampler | MixedSampler:
    """Return the sampler of people of one model, or of several in turn."""
    if len(models) == 1:
        return FaceSampler(settings, models[0])
    return MixedSampler(settings, models)
