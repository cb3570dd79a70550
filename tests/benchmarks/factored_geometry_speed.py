"""Steps of the factored geometry GAN against a plain loop of the same networks.

    python tests/benchmarks/factored_geometry_speed.py [--recipe cpu] [--size 64] [--turns 7]
        [--steps 8: a multiple of 8] [--precision float32 bfloat16] [--device cpu] [--compile]
        [--train-minutes 0 --out DIR]

A step is the whole one: discriminator with its penalty and its classes, generator with class,
feature and variation losses, moving average. The plain loop is written here: eager float32, NCHW,
Adam and the average a weight at a time, gradients switched off by a flag. Both begin with the same
weights. Steps of all are timed in turn; the ratio is the median over the turns with its 95 %
interval by bootstrap. Beside it stands what the products of a step alone would take at the fastest
matrix product measured here. With --train-minutes the paper's networks are trained on the built-in
face for so long, and a sheet of samples is written to DIR: on a GPU, with --recipe paper and
--train-minutes 4, the whole script takes less than eight minutes.
"""

import argparse
import copy
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from geomface.faces import load_builtin_face
from geomface.gan.factored_geometry import FactoredGeometryGan, FactoredSettings, recipe
from geomface.gan.factored_geometry.networks import FactoredDiscriminator, GeometryGenerator
from geomface.gan.factored_geometry.task import TrainingImages, prepare_images, train_factored
from geomface.learning import ComputeSettings, class_weights
from geomface.synthesis.labelled_faces import LabelledFacesSettings, draw_labelled_faces


class PlainLoop:
    """The same networks, written down as anyone would."""

    def __init__(self, task: FactoredGeometryGan, data: TrainingImages) -> None:
        self.use, self.spec, self.gain = task.settings, task.spec, task._gain
        device = self.device = task.device
        make = copy.deepcopy
        plain = torch.contiguous_format
        self.generator = make(task.networks["generator"]).to(memory_format=plain)
        self.discriminator = make(task.networks["discriminator"]).to(memory_format=plain)
        assert isinstance(self.generator, GeometryGenerator)
        assert isinstance(self.discriminator, FactoredDiscriminator)
        self.average = make(self.generator)
        betas = (0.5, 0.999)
        self.g_adam = torch.optim.Adam(
            self.generator.parameters(), self.use.generator_lr, betas, foreach=False
        )
        self.d_adam = torch.optim.Adam(
            self.discriminator.parameters(), self.use.discriminator_lr, betas, foreach=False
        )
        self.images = torch.from_numpy(np.asarray(data.images, np.float32))
        self.labels = {k: torch.from_numpy(np.array(v)) for k, v in data.labels.items()}
        self.fixed = {k: v.clone() for k, v in task.networks["codes"].named_buffers()}
        self.rare = {
            name: torch.nonzero(self.labels[name] >= 0).flatten()
            for name in task._own_batch - {""}
            if name in self.labels
        }
        self.weights = {
            f.name: class_weights(self.labels[f.name], len(f.classes)).to(device)
            for f in self.spec.factors
        }
        self.steps = 0

    def codes(self) -> tuple[torch.Tensor, str, torch.Tensor]:
        """Draw a batch: codes, the labelled factor, its labels."""
        n, parts = self.use.batch, []
        own = self.spec.factors[self.steps // self.use.discriminator_steps % 2]
        labels = torch.randint(len(own.classes), (n,), device=self.device)
        for factor in self.spec.factors:
            if factor is own:
                parts.append(self.fixed[factor.name][labels])
            else:
                half = torch.randn(n // 2, factor.dims, device=self.device)
                parts.append(half.repeat_interleave(2, dim=0))
        parts.append(torch.randn(n, self.spec.noise, device=self.device))
        return torch.cat(parts, dim=1), own.name, labels

    def step(self) -> None:
        """Take a step."""
        use, network, n = self.use, self.discriminator, self.use.batch
        rows = torch.randint(len(self.images), (n,))
        real = self.gain * self.images[rows].to(self.device)
        names = [f.name for f in self.spec.factors]
        with torch.no_grad():
            fake = self.gain * self.generator(self.codes()[0])
        seen = network(real, [k for k in names if k not in self.rare])
        judged = network(fake).score
        wasserstein = use.adversarial.loss == "wgan-gp"
        if wasserstein:
            loss = judged.mean() - seen.score.mean() + 1e-3 * seen.score.square().mean()
            share = torch.rand(n, 1, 1, 1, device=self.device)
            between = (real + share * (fake - real)).requires_grad_(True)
            (slope,) = torch.autograd.grad(network(between).score.sum(), between, create_graph=True)
            loss = loss + 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
        else:
            loss = F.softplus(-seen.score).mean() + F.softplus(judged).mean()
            if self.steps % use.adversarial.r1_every == 0:
                images = real.clone().requires_grad_(True)
                (slope,) = torch.autograd.grad(
                    network(images).score.sum(), images, create_graph=True
                )
                weight = use.adversarial.r1_weight * use.adversarial.r1_every
                loss = loss + 0.5 * weight * slope.square().flatten(1).sum(dim=1).mean()
        for name in names:
            labels = self.labels[name][rows].to(self.device)
            logits = seen.logits.get(name)
            weights: torch.Tensor | None = self.weights[name]
            if name in self.rare:
                count = len(self.spec.factor(name).classes) * use.class_samples
                some = self.rare[name][torch.randint(len(self.rare[name]), (count,))]
                images = self.gain * self.images[some].to(self.device)
                logits = network(images, [name], score=False).logits[name]
                labels, weights = self.labels[name][some].to(self.device), None
            known = labels >= 0
            if known.any():
                entropy = F.cross_entropy(logits[known], labels[known], weight=weights)
                loss = loss + use.weights.real_classes * entropy
        self.d_adam.zero_grad()
        loss.backward()
        self.d_adam.step()
        if self.steps % use.discriminator_steps == use.discriminator_steps - 1:
            self._train_generator()
        decay = use.ema.at(self.steps, n)
        with torch.no_grad():
            for mean, value in zip(
                self.average.state_dict().values(),
                self.generator.state_dict().values(),
                strict=True,
            ):
                if mean.is_floating_point():
                    mean.mul_(decay).add_(value, alpha=1 - decay)
        self.steps += 1

    def _train_generator(self) -> None:
        network, use = self.discriminator, self.use
        codes, own, labels = self.codes()
        for weight in network.parameters():
            weight.requires_grad_(False)
        images = self.generator(codes)
        seen = network(self.gain * images, [f.name for f in self.spec.factors])
        wasserstein = use.adversarial.loss == "wgan-gp"
        loss = -seen.score.mean() if wasserstein else F.softplus(-seen.score).mean()
        loss = loss + use.weights.classes * F.cross_entropy(seen.logits[own], labels)
        for name, features in seen.features.items():
            if name != own:
                gaps = 1 - F.cosine_similarity(features[0::2], features[1::2])
                loss = loss + use.weights.features * gaps.mean()
        change = (images[:, :, 1:] - images[:, :, :-1]).abs().sum()
        change = change + (images[..., 1:] - images[..., :-1]).abs().sum()
        loss = loss + use.weights.variation * change / len(images)
        self.g_adam.zero_grad()
        loss.backward()
        self.g_adam.step()
        for weight in network.parameters():
            weight.requires_grad_(True)


class CountOperations(TorchDispatchMode):
    """Counts the operations of matrix products and convolutions."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def timed(step: Callable[[], object], steps: int, device: torch.device) -> float:
    """Return milliseconds a step."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps * 1e3


def fastest_product(device: torch.device, dtype: torch.dtype) -> float:
    """Return the operations a second of a large matrix product."""
    side = 8192 if device.type == "cuda" else 1024
    a = torch.randn(side, side, device=device, dtype=dtype)
    timed(lambda: a @ a, 2, device)
    return 2 * side**3 / (timed(lambda: a @ a, 5, device) / 1e3)


def median_ratio(first: list[float], second: list[float]) -> tuple[float, float, float]:
    """Return the median of first / second and its 95 % interval."""
    ratios = np.array(first) / np.array(second)
    rng = np.random.default_rng(0)
    draws = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.median(ratios)), *(float(q) for q in np.quantile(draws, [0.025, 0.975]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--train-minutes", type=float, default=0.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    faces = draw_labelled_faces(
        load_builtin_face(), LabelledFacesSettings(people=options.people, faces=10)
    )
    settings = recipe(options.recipe)
    settings = dataclasses.replace(
        settings, networks=dataclasses.replace(settings.networks, size=options.size)
    )
    data = prepare_images(settings, faces)
    tasks = {}
    for precision in options.precision:
        compute = ComputeSettings(options.device, precision, compile=options.compile)
        tasks[precision] = FactoredGeometryGan(dataclasses.replace(settings, compute=compute), data)
    first = next(iter(tasks.values()))
    plain = PlainLoop(first, data)
    device = first.device
    runs: dict[str, Callable[[], object]] = {"plain float32": plain.step}
    runs |= {name: task.step for name, task in tasks.items()}
    with CountOperations() as counter:
        for _ in range(24):
            plain.step()
    work = counter.total / 24
    for step in runs.values():
        timed(step, 6, device)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.turns):
        for name, step in runs.items():
            times[name].append(timed(step, options.steps, device))
    batch = settings.batch
    print(
        f"{options.recipe} networks, {options.size} px, batch {batch}, {device}, "
        f"{options.threads} threads, {work / 1e9:.1f} G operations a step"
    )
    for name, found in times.items():
        middle = float(np.median(found))
        line = f"{name:>14}: {middle:8.2f} ms a step, {batch / middle * 1e3:.0f} images/s"
        if name != "plain float32":
            ratio, low, high = median_ratio(times["plain float32"], found)
            line += f", {ratio:.2f} [{low:.2f}, {high:.2f}] times the plain loop"
        print(line)
    for dtype in (torch.float32, torch.bfloat16):
        limit = work / fastest_product(device, dtype) * 1e3
        print(f"limit at the fastest {dtype} product: {limit:.2f} ms a step")
    if options.train_minutes and options.out:
        train(settings, faces, options)


def train(settings: FactoredSettings, faces, options: argparse.Namespace) -> None:
    """Train for some minutes and write a sheet."""
    precision = options.precision[-1]
    compute = ComputeSettings(options.device, precision, compile=options.compile)
    loop = dataclasses.replace(
        settings.loop,
        steps=10**6,
        budget_seconds=60 * options.train_minutes,
        log_every=1000,
        sample_every=5000,
        checkpoint_every=5000,
    )
    result = train_factored(
        dataclasses.replace(settings, compute=compute, loop=loop), faces, options.out / "run"
    )
    print(f"trained {result.steps} steps in {result.seconds:.0f} s")


if __name__ == "__main__":
    main()
