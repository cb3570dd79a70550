"""Images a second of the growing networks against a plain loop of the same networks.

    python tests/benchmarks/gan_speed.py [--size 128] [--batch 4] [--pairs 5] [--threads 1]
                                         [--precision float32 bfloat16]

A step is the whole one: discriminator with gradient penalty and drift, generator, moving average,
with the paper's widths (min(8192 / 2^s, 512) channels at level s) and masks. The plain loop is
written here: eager float32, NCHW, repeated pixels and then a convolution, unfused Adam, one average
a weight. Both start from the same weights and are given the same batch and latents; their first
losses are printed. Steps of all are timed in turn. The ratio is the median over the turns with
its 95 % interval by bootstrap. Beside it stands what the convolutions alone would take at the
fastest matrix product measured here on as many threads.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from geomface.datasets import ImageSet
from geomface.gan.progressive_texture.networks import GrowingNetworkSettings
from geomface.gan.progressive_texture.schedule import GrowthSettings
from geomface.gan.progressive_texture.settings import TextureGanSettings
from geomface.gan.progressive_texture.task import TextureGan
from geomface.learning.device import ComputeSettings
from geomface.learning.randomness import batch_indices, stream_generator

Weights = dict[str, torch.Tensor]


def plain_convolution(weights: Weights, name: str, x: torch.Tensor, gain: float) -> torch.Tensor:
    """Scale the weights, convolve, add the bias."""
    weight = weights[f"{name}.weight"]
    scale = gain / np.sqrt(weight[0].numel())
    y = F.conv2d(x, weight * scale, padding=weight.shape[-1] // 2)
    return y + weights[f"{name}.bias"].reshape(1, -1, 1, 1)


def plain_norm(x: torch.Tensor) -> torch.Tensor:
    """Divide by the root mean square over the channels."""
    return x / torch.sqrt(torch.mean(x**2, dim=1, keepdim=True) + 1e-8)


def plain_generator(weights: Weights, latents: torch.Tensor, blocks: int) -> torch.Tensor:
    """Latents to images, layer by layer."""
    root = float(np.sqrt(2.0))
    dense = weights["dense.weight"] * (root / 4 / np.sqrt(latents.shape[1]))
    x = (plain_norm(latents) @ dense.T).reshape(len(latents), -1, 4, 4)
    x = plain_norm(F.leaky_relu(x + weights["dense.bias"].reshape(1, -1, 1, 1), 0.2))
    x = plain_norm(F.leaky_relu(plain_convolution(weights, "first", x, root), 0.2))
    for block in range(blocks):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        for layer in range(2):
            y = plain_convolution(weights, f"blocks.{block}.{layer}", x, root)
            x = plain_norm(F.leaky_relu(y, 0.2))
    return plain_convolution(weights, f"to_image.{blocks}", x, 1.0)


def plain_discriminator(
    weights: Weights, images: torch.Tensor, mask: torch.Tensor, blocks: int
) -> torch.Tensor:
    """Images under masks to scores, layer by layer."""
    root = float(np.sqrt(2.0))
    x = torch.cat([images * mask, mask], dim=1)
    x = F.leaky_relu(plain_convolution(weights, f"from_image.{blocks}", x, root), 0.2)
    for block in reversed(range(blocks)):
        for layer in range(2):
            y = plain_convolution(weights, f"blocks.{block}.{layer}", x, root)
            x = F.leaky_relu(y, 0.2)
        x = F.avg_pool2d(x, 2)
    count = len(x)
    group = next(g for g in (4, 3, 2, 1) if count % g == 0)
    split = x.reshape(group, count // group, *x.shape[1:])
    deviation = torch.sqrt(((split - split.mean(dim=0)) ** 2).mean(dim=0) + 1e-8).mean((1, 2, 3))
    layer_of = deviation.repeat(group).reshape(-1, 1, 1, 1).expand(count, 1, 4, 4)
    x = F.leaky_relu(plain_convolution(weights, "last", torch.cat([x, layer_of], dim=1), root), 0.2)
    for name, gain in (("dense", root), ("score", 1.0)):
        weight = weights[f"{name}.weight"]
        x = F.linear(x.flatten(1), weight * (gain / np.sqrt(weight.shape[1])))
        x = x + weights[f"{name}.bias"]
        x = F.leaky_relu(x, 0.2) if name == "dense" else x
    return x.squeeze(1)


class PlainLoop:
    """WGAN-GP as in a tutorial, on copies of a task's weights and with its data and latents."""

    def __init__(self, task: TextureGan) -> None:
        self.seed, self.data = task.settings.seed, task.data
        self.blocks = task.settings.networks.top - 2
        self.batch = task.growth.batch
        self.latent = task.settings.networks.latent
        self.generator = self._copy(task.networks["generator"])
        discriminator = self._copy(task.networks["discriminator"])
        self.discriminator = {
            name.removeprefix("network."): item for name, item in discriminator.items()
        }
        self.average = {name: item.detach().clone() for name, item in self.generator.items()}
        self.latents = stream_generator(self.seed, "latents")
        self.mix = stream_generator(self.seed, "penalty")
        self.images = 0
        rates = task.settings.optimizer
        self.optimizers = [
            torch.optim.Adam(
                list(weights.values()),
                lr=rates.lr,
                betas=(rates.beta1, rates.beta2),
                eps=1e-8,
                foreach=False,
                fused=False,
            )
            for weights in (self.generator, self.discriminator)
        ]

    @staticmethod
    def _copy(network: torch.nn.Module) -> Weights:
        return {
            name: item.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
            for name, item in network.named_parameters()
        }

    def fakes(self) -> torch.Tensor:
        """Draw latents and generate."""
        latents = torch.randn(self.batch, self.latent, generator=self.latents)
        return plain_generator(self.generator, latents, self.blocks)

    def step(self) -> tuple[float, float]:
        """Discriminator, generator, average; returns both losses."""
        indices = batch_indices(self.seed, len(self.data), self.images, self.batch)
        real, mask = self.data.read(indices)
        with torch.no_grad():
            fake = self.fakes()
        real_scores = plain_discriminator(self.discriminator, real, mask, self.blocks)
        fake_scores = plain_discriminator(self.discriminator, fake, mask, self.blocks)
        share = torch.rand(self.batch, generator=self.mix).reshape(-1, 1, 1, 1)
        between = (real + share * (fake - real)).requires_grad_(True)
        scores = plain_discriminator(self.discriminator, between, mask, self.blocks)
        (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norms = torch.sqrt((slope**2).sum(dim=(1, 2, 3)) + 1e-16)
        penalty = ((norms - 1) ** 2).mean()
        wasserstein = fake_scores.mean() - real_scores.mean()
        loss = wasserstein + 10 * penalty + 0.001 * (real_scores**2).mean()
        self.optimizers[1].zero_grad()
        loss.backward()
        self.optimizers[1].step()
        for item in self.discriminator.values():
            item.requires_grad_(False)
        generator = -plain_discriminator(self.discriminator, self.fakes(), mask, self.blocks).mean()
        self.optimizers[0].zero_grad()
        generator.backward()
        self.optimizers[0].step()
        for item in self.discriminator.values():
            item.requires_grad_(True)
        with torch.no_grad():
            for name, item in self.generator.items():
                self.average[name].mul_(0.999).add_(item, alpha=0.001)
        self.images += self.batch
        return float(wasserstein.detach()), float(generator.detach())


def build_task(size: int, batch: int, precision: str) -> TextureGan:
    """Return our task at its full size, on random images with square holes."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (4 * batch, 3, size, size), generator=draw).to(torch.uint8)
    masks = torch.ones(4 * batch, 1, size, size, dtype=torch.bool)
    masks[::2, :, size // 4 : size // 2, size // 4 : size // 2] = False
    growth = GrowthSettings(size, 1, 0, 1000 * batch, ((4, batch),))
    compute = ComputeSettings(device="cpu", precision=precision)  # type: ignore[arg-type]
    settings = TextureGanSettings(GrowingNetworkSettings(size=size), growth, compute=compute)
    return TextureGan(settings, ImageSet(images, masks))


def convolution_products(settings: GrowingNetworkSettings) -> tuple[float, float]:
    """Return the multiplications of one image's pass through generator and discriminator."""
    width, blocks = settings.channels, range(3, settings.top + 1)
    shared = sum(9 * 4**level * width(level) ** 2 for level in blocks)
    shared += sum(9 * 4**level * width(level) * width(level - 1) for level in blocks)
    generator = shared + 9 * 16 * width(2) ** 2 + settings.latent * width(2) * 16
    discriminator = shared + 9 * 16 * (width(2) + 1) * width(2) + 16 * width(2) ** 2
    return float(generator), float(discriminator)


def step_products(settings: GrowingNetworkSettings) -> float:
    """Return the multiplications of a whole step an image, as the plain loop does them.

    The generator runs forward twice and once backward, which costs two passes. The discriminator
    costs three passes for the reals, three for the fakes, six for the penalty (forward, its
    gradient, two for the gradient of that gradient, two back through the first), two in the
    generator's step.
    """
    generator, discriminator = convolution_products(settings)
    return 4 * generator + 14 * discriminator


def peak(dtype: torch.dtype, size: int = 1536, tries: int = 3) -> float:
    """Return multiplications a second of the fastest of some large matrix products."""
    left = torch.randn(size, size).to(dtype)
    return size**3 / min(clock(lambda: left @ left) for _ in range(tries))


def clock(function: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def interval(ratios: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the median by bootstrap over the pairs."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(ratios, (4000, len(ratios))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)


def compare(options: argparse.Namespace) -> None:
    """Time the plain loop and ours in every precision in turn, and print."""
    tasks = {name: build_task(options.size, options.batch, name) for name in options.precision}
    plain = PlainLoop(next(iter(tasks.values())))
    wasserstein, generator = plain.step()  # first steps are not timed: they allocate
    print(f"first losses: plain {wasserstein:.5f} {generator:.5f}", flush=True)
    for name, task in tasks.items():
        metrics = task.step()
        losses = [
            float(torch.as_tensor(metrics[f"loss/{k}"]).detach())
            for k in ("discriminator", "generator")
        ]
        print(f"  {name} {losses[0]:.5f} {losses[1]:.5f}", flush=True)
    steps = {"plain": plain.step, **{name: task.step for name, task in tasks.items()}}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    peaks: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(options.pairs):
        for name in list(steps)[:: 1 if turn % 2 == 0 else -1]:
            seconds[name].append(clock(steps[name]))
        for name in tasks:
            peaks[name].append(peak(getattr(torch, name)))
        print("  " + ", ".join(f"{k} {v[-1]:.2f} s" for k, v in seconds.items()), flush=True)
    products = step_products(GrowingNetworkSettings(size=options.size))
    base = np.array(seconds["plain"])
    print(f"plain float32: {options.batch / np.median(base):.4f} images/s")
    for name in tasks:
        taken = np.array(seconds[name])
        low, high = interval(base / taken)
        best, usual = max(peaks[name]), float(np.median(peaks[name]))
        print(
            f"{name}: {options.batch / np.median(taken):.4f} images/s, ratio "
            f"{np.median(base / taken):.2f} [{low:.2f}, {high:.2f}] over {options.pairs} turns; "
            f"limit of the plain loop's convolutions {best / products:.4f} images/s at the "
            f"fastest {name} product ({2e-9 * best:.0f} GFLOP/s), {usual / products:.4f} at the "
            f"median one",
            flush=True,
        )


def main() -> None:
    """Compare in each precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator, discriminator = convolution_products(GrowingNetworkSettings(size=options.size))
    print(
        f"{options.size} px, {options.batch} images a step, {options.threads} threads; one image: "
        f"generator {generator / 1e9:.1f}, discriminator {discriminator / 1e9:.1f}, step "
        f"{step_products(GrowingNetworkSettings(size=options.size)) / 1e9:.0f} GMAC",
        flush=True,
    )
    compare(options)


if __name__ == "__main__":
    main()
