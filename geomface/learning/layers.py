"""Layers that look at the whole batch, of which each process has a shard."""

from typing import Any

import torch
from torch import nn

from geomface.learning.distributed import current_ranks


def synchronize_layers(network: nn.Module) -> nn.Module:
    """Let torch's batch norms and dropouts see the whole batch of all processes; returns it.

    A batch norm takes its statistics from all shards, and a dropout takes its shard of the mask of
    the whole batch, so that the number of processes changes no result. Both compute as before where
    one process is alone, and nothing changes in checkpoints. Their gradients may be differentiated
    again, on the CPU (gloo) as on GPUs, which torch's `SyncBatchNorm` cannot.
    """
    for layer in network.modules():
        if type(layer) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            layer.__class__ = _WholeBatchNorm
        elif type(layer) in _DROPOUTS:
            layer.__class__ = _DROPOUTS[type(layer)]
    return network


class _WholeBatchNorm(nn.modules.batchnorm._BatchNorm):
    """y = (x - mean) / sqrt(var + eps) g + b over all rows and pixels of all processes."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        ranks = current_ranks()
        if ranks.count == 1 or not (self.training or self.running_mean is None):
            return super().forward(input)
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        axes, spread = [0, *range(2, input.ndim)], [1, -1] + [1] * (input.ndim - 2)
        count = input.numel() // input.shape[1] * ranks.count
        mean = ranks.sum(values.sum(axes)) / count
        centred = values - mean.reshape(spread)
        variance = ranks.sum(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * (count / max(count - 1, 1)))
        result = centred * (variance + self.eps).rsqrt().reshape(spread)
        if self.affine:
            result = result * self.weight.reshape(spread) + self.bias.reshape(spread)
        return result.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        if self.running_mean is None or self.running_var is None or not self.training:
            return
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        rate = self.momentum
        if rate is None:
            rate = 1.0 / float(self.num_batches_tracked)  # type: ignore[arg-type]
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), rate)
        self.running_var.lerp_(variance.to(self.running_var.dtype), rate)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Any number of dimensions will do."""


class _WholeDropout:
    """Draws the mask of the whole batch as one process would, and takes this process's rows."""

    training: bool

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        ranks, draw = current_ranks(), super().forward  # type: ignore[misc]
        if ranks.count == 1 or not self.training:
            return draw(input)
        count = len(input) * ranks.count
        last = input.ndim == 4 and input.is_contiguous(memory_format=torch.channels_last)
        # The order of the draws follows the layout in memory.
        layout = torch.channels_last if last else torch.contiguous_format
        whole = input.new_ones((count, *input.shape[1:])).contiguous(memory_format=layout)
        return input * draw(whole)[ranks.shard(count).to(input.device)]


_DROPOUTS: dict[type, Any] = {
    kind: type(kind.__name__, (_WholeDropout, kind), {})
    for kind in (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
}
