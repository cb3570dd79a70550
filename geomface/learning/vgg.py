"""Feature maps of a VGG whose weights the user has, in the layout of torchvision's files."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from geomface.errors import FileFormatError
from geomface.files.reading import require_file

_BLOCKS = {16: (2, 2, 3, 3), 19: (2, 2, 4, 4)}
_CHANNELS = (64, 128, 256, 512)
_SEEN = (2, 2, 3, 3)
"""Convolutions of a block after which a map is taken."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


class VggFeatures(nn.Module):
    """The maps relu1_2, relu2_2, relu3_3 and relu4_3 of a VGG-16 or VGG-19.

    Parameters
    ----------
    depth : 16 or 19

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1]; they are brought to ImageNet's mean and deviation. Names of
    weights are torchvision's, "features.0.weight".

    Source
    ------
    Simonyan & Zisserman 2015; Johnson et al. 2016 for the maps.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, depth: int = 19) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.taken: dict[int, str] = {}
        inputs = 3
        for block, count in enumerate(_BLOCKS[depth]):
            if block:
                layers.append(nn.MaxPool2d(2))
            last = block == len(_BLOCKS[depth]) - 1
            for number in range(1, (_SEEN[block] if last else count) + 1):
                layers += [nn.Conv2d(inputs, _CHANNELS[block], 3, 1, 1), nn.ReLU()]
                inputs = _CHANNELS[block]
                if number == _SEEN[block]:
                    self.taken[len(layers) - 1] = MAPS[block]
        self.features = nn.Sequential(*layers)
        for name, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Return the maps by name."""
        x = (0.5 * images + 0.5 - self.mean) / self.deviation
        found = {}
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.taken:
                found[self.taken[number]] = x
        return found


def load_vgg(path: Path | str) -> VggFeatures:
    """Read a VGG-16 or VGG-19 from the safetensors file of torchvision's state dict; frozen.

    Raises
    ------
    FileFormatError : no such file, not safetensors, not a VGG
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    way_out = (
        "Write it with safetensors.torch.save_file(torchvision.models.vgg19(weights='DEFAULT')"
        ".state_dict(), 'vgg19.safetensors')."
    )
    require_file(path, "a VGG's weights as safetensors")
    try:
        weights = load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise FileFormatError(
            f"{path}: expected a VGG's weights as safetensors, but it cannot be read ({error}). "
            f"{way_out}"
        ) from error
    for depth in _BLOCKS:
        with torch.device("meta"):  # nothing is made before the weights are known to fit
            wanted = VggFeatures(depth).state_dict()
        fits = all(
            name in weights and weights[name].shape == item.shape for name, item in wanted.items()
        )
        # The two are alike up to their third block, where a 19 has one more.
        own = weights.get("features.16.weight")
        if fits and (own is not None) == (depth == 19):
            network = VggFeatures(depth)
            network.load_state_dict({name: weights[name] for name in wanted})
            return network.eval().requires_grad_(False)
    raise FileFormatError(
        f"{path}: expected the weights of a VGG-16 or VGG-19 by torchvision's names, such as "
        f"features.0.weight, got {', '.join(sorted(weights)[:3]) or 'none'}. {way_out}"
    )
