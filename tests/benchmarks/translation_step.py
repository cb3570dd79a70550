"""A step of the translation of renders against a plain eager loop of the same networks.

python tests/benchmarks/translation_step.py [--recipe cpu|paper] [--device cpu|cuda] [--steps N]
                                            [--precision float32|bfloat16] [--compile]
                                            [--batch N] [--rounds 3] [--sampling]

Both do what Gecer et al. 2018 ask for, without the loss of identity: the plain loop as it is
usually written, with a second pass of each judge over what is made, the task with one. Times on a
CPU are the processor's, so that others who use it do not count. The limit is what the
multiplications of one step of the task would take at the speed of a middle layer of an autoencoder.
With --sampling: pictures a second and core that G makes and judges, as `sample render_to_photo`
does but for reading and writing.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from geomface.gan.render_to_photo import (
    Autoencoder,
    NetworkSettings,
    RenderToPhoto,
    RenderTranslator,
    TranslationData,
    TranslationSettings,
    Translator,
    recipe,
)
from geomface.learning import ArraySet, ComputeSettings
from geomface.recognition import Alignment, load_embedder


def random_data(size: int, count: int = 64) -> TranslationData:
    """Noise of the right shapes."""
    drawn = torch.Generator().manual_seed(0)

    def pictures() -> torch.Tensor:
        return torch.randint(256, (count, 3, size, size), generator=drawn).byte()

    masks = torch.rand(count, 1, size, size, generator=drawn) > 0.3
    return TranslationData(
        Alignment(size, size),
        ArraySet({"images": pictures(), "labels": torch.arange(count), "masks": masks}),
        count,
        ArraySet({"images": pictures()}),
        ArraySet({"renders": pictures(), "photographs": pictures()}),
    )


def plain_loop(
    use: TranslationSettings, data: TranslationData, device: torch.device
) -> Callable[[], None]:
    """Return a step as it is usually written."""
    sizes = use.networks
    generate, invert = Translator(sizes), Translator(sizes, inverse=True)
    judges = [Autoencoder(sizes), Autoencoder(sizes)]
    for network in (generate, invert, *judges):
        network.to(device)
    adam = [
        torch.optim.Adam(list(weights), use.lr)
        for weights in (
            generate.parameters(),
            invert.parameters(),
            [*judges[0].parameters(), *judges[1].parameters()],
        )
    ]
    k, order = [0.0, 0.0, 0.0], torch.arange(use.batch)

    def error(judge: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        return (judge(images) - images).abs().mean()

    def shown(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: column.to(device) for name, column in batch.items()}

    def step() -> None:
        x = shown(data.renders.batch(order))
        r = shown(data.photographs.batch(order))["images"]
        pair = shown(data.pairs.batch(order))  # type: ignore[union-attr]
        made = generate(x["images"])
        back = invert(made)
        cycle = (back - x["images"]).abs().mean()
        near = (x["masks"] * (made - x["images"]).abs()).mean()
        of_pair = (invert(pair["photographs"]) - pair["renders"]).abs().mean()
        losses = [
            error(judges[0], made) + 0.5 * cycle + 0.1 * near,
            error(judges[1], back) + 0.5 * cycle + 0.5 * (of_pair - k[2] * cycle),
        ]
        real = [error(judges[0], r), error(judges[1], x["images"])]
        fake = [error(judges[0], made.detach()), error(judges[1], back.detach())]
        losses.append(real[0] - k[0] * fake[0] + real[1] - k[1] * fake[1])
        for number, loss in enumerate(losses):
            weights = [item for group in adam[number].param_groups for item in group["params"]]
            slopes = torch.autograd.grad(loss, weights, retain_graph=number == 0)
            for weight, slope in zip(weights, slopes, strict=True):
                weight.grad = slope
        for optimizer in adam:
            optimizer.step()
        for game, (one, other) in enumerate(zip([*real, of_pair], [*fake, cycle], strict=True)):
            change = use.balance_rate * float((use.gamma * one - other).detach())
            k[game] = min(max(k[game] + change, 0.0), 1.0)

    return step


def seconds(step: Callable[[], object], steps: int, device: torch.device) -> float:
    """Return the time of one step."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    begin = clock()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (clock() - begin) / steps


def sampling(sizes: NetworkSettings, count: int = 16) -> float:
    """Return how many pictures a second one core translates and judges."""
    generate, invert, judge = Translator(sizes), Translator(sizes, inverse=True), Autoencoder(sizes)
    for network in (generate, invert, judge):
        network.eval().requires_grad_(False)
    alignment = Alignment(sizes.size, sizes.size)
    translator = RenderTranslator(generate, invert, judge, alignment, 0, {})
    pictures = np.random.default_rng(0).random((count, sizes.size, sizes.size, 3), np.float32)
    names = [str(number) for number in range(count)]
    translator.translate(pictures[:2], names[:2])
    begin = time.process_time()
    translator.translate(pictures, names, embedder=load_embedder())
    return count / (time.process_time() - begin)


def layer_speed(use: TranslationSettings, device: torch.device) -> float:
    """Return the operations a second of a middle layer of an autoencoder, forward and back."""
    width, side = use.networks.discriminator_width, use.networks.sides[1]
    layer = torch.nn.Conv2d(2 * width, 2 * width, 3, 1, 1).to(device)
    images = torch.rand(use.batch, 2 * width, side, side, device=device, requires_grad=True)

    def both() -> None:
        with torch.autocast(
            device.type, torch.bfloat16, enabled=use.compute.precision != "float32"
        ):
            layer(images).sum().backward()

    with FlopCounterMode(display=False) as counted:
        both()
    return counted.get_total_flops() / min(seconds(both, 3, device) for _ in range(3))


def main() -> None:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipe", default="cpu", choices=("cpu", "paper"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, help="pictures a step; default the recipe's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sampling", action="store_true")
    given = parser.parse_args()
    if given.device == "cpu":
        torch.set_num_threads(1)
    compute = ComputeSettings(given.device, given.precision, compile=given.compile)
    use = dataclasses.replace(recipe(given.recipe, arm="no-identity"), compute=compute)
    if given.batch:
        use = dataclasses.replace(use, batch=given.batch)
    if given.sampling:
        print(f"{sampling(use.networks):.1f} pictures a second and core at {use.networks.size} px")
        return
    data = random_data(use.networks.size)
    task = RenderToPhoto(use, data)
    plain = plain_loop(use, data, task.device)
    times = [
        (seconds(plain, given.steps, task.device), seconds(task.step, given.steps, task.device))
        for _ in range(given.rounds)
    ]
    one, other = (min(column) for column in zip(*times, strict=True))
    with FlopCounterMode(display=False) as counted:
        task.step()
    limit = counted.get_total_flops() / layer_speed(use, task.device)
    print(f"plain {1e3 * one:.1f} ms, task {1e3 * other:.1f} ms a step: {one / other:.2f} x; "
          f"{1e-9 * counted.get_total_flops():.1f} GFLOP, which a middle layer does in "
          f"{1e3 * limit:.1f} ms: {limit / other:.0%} of its speed")  # fmt: skip


if __name__ == "__main__":
    main()
