"""A model file of a small generator that has learned nothing yet."""

from pathlib import Path

import torch

from geomface.files.records import plain
from geomface.gan.landmark_reenactment import SYSTEM, Generator, NetworkSettings
from geomface.gan.landmark_reenactment.crops import MARGIN
from geomface.learning.trained import TrainedModel, save_trained

SMALL = NetworkSettings(size=32, width=4, blocks=1)


def save_untrained(path: Path, settings: NetworkSettings = SMALL) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = Generator(settings)
    weights = {name: value.numpy() for name, value in generator.state_dict().items()}
    config = {"networks": plain(settings), "margin": MARGIN}
    model = TrainedModel(path, 7, config, {}, {}, {"generator_ema": weights})
    save_trained(path, model, system=SYSTEM)
    return path
