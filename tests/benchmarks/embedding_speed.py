"""CPU time of a training step of the embedding networks, ours beside a plain loop, in one run.

    python tests/benchmarks/embedding_speed.py [--networks compact ...] [--batch 16] [--steps 3]

The plain loop is torch as it comes: float32, channels first, `nn.PReLU`, memory given back and
cleared anew. Ours adds, one by one, what a training does here. A step is forward, margin loss over
`--classes` people, backward and SGD; the least of `--steps` counts, in milliseconds of processor
time, so that other programs count little. Threads: OMP_NUM_THREADS.
"""

import argparse
import contextlib
import time

import torch
from torch import nn

from geomface.learning.device import multiplies_bfloat16
from geomface.learning.memory import keep_freed_memory
from geomface.learning.parametric_relu import ParametricReLU
from geomface.recognition import (
    MarginHead,
    arcface,
    build_network,
    default_network,
    margin_loss,
    one_hot,
)


def step_ms(network: nn.Module, options: argparse.Namespace, *, last: bool, half: bool) -> float:
    """Return the least time of a step, milliseconds."""
    layout = torch.channels_last if last else torch.contiguous_format
    network.train().to(memory_format=layout)  # type: ignore[call-overload]
    settings = network.settings
    pictures = torch.randn(options.batch, 3, settings.height, settings.width)  # type: ignore
    pictures = pictures.contiguous(memory_format=layout)
    head = MarginHead(options.classes, settings.descriptor_size)  # type: ignore
    targets = one_hot(torch.arange(options.batch) % options.classes)
    optimizer = torch.optim.SGD([*network.parameters(), *head.parameters()], 0.01, momentum=0.9)
    times = []
    for _ in range(options.steps):
        began = time.process_time()
        with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
            features = network.features(pictures)  # type: ignore[operator]
        margin_loss(head(features), targets, arcface()).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.process_time() - began)
    return 1000 * min(times)


def plain_prelu(network: nn.Module) -> nn.Module:
    """Put torch's own activation into a network."""
    for layer in network.modules():
        if type(layer) is ParametricReLU:
            layer.__class__ = nn.PReLU  # type: ignore[assignment]
    return network


def main() -> None:
    """Print a row for each network and way of computing."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["compact", "iresnet18"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    ways = [
        ("plain", True, False, False),
        ("channels last", True, True, False),
        ("quick PReLU", False, True, False),
        ("memory kept", False, True, False),
    ] + [("bfloat16", False, True, True)] * multiplies_bfloat16()
    found: dict[str, list[float]] = {name: [] for name in options.networks}
    for way, theirs, last, half in ways:
        if way == "memory kept":
            keep_freed_memory()
        for name in options.networks:
            torch.manual_seed(0)
            network = build_network(default_network(name))
            network = plain_prelu(network) if theirs else network
            found[name].append(step_ms(network, options, last=last, half=half))
            rate = 1000 * options.batch / found[name][-1]
            print(
                f"{name:14} {way:14} {found[name][-1]:7.0f} ms, {rate:6.1f} pictures a second, "
                f"{found[name][0] / found[name][-1]:.2f} times plain",
                flush=True,
            )


if __name__ == "__main__":
    main()
