"""Embedding networks on a GPU: steps against a plain eager loop, the limits, a short training.

    python tests/benchmarks/recognition_gpu.py --device cuda --recipe paper --out DIR
        [--batch 128 256 512] [--people 10000] [--turns 5] [--no-compile] [--train-seconds 90]
        [--faces SET] [--minutes 8]
    python tests/benchmarks/recognition_gpu.py --device cpu --recipe tiny --out DIR

The second line is the check of the first, in seconds. Networks of `paper` are LResNet50E-IR and
IResNet-18 at 112 x 96, of `tiny` the compact one at 28 x 24. A step is forward, margin softmax over
--people classes, backward and SGD, with its pictures at hand on the device. Ours is the step of the
library's training; the plain loop is torch as it comes: eager float32, channels first, `nn.PReLU`,
ArcFace written for one class a picture. Both begin with the same weights and are timed in turn;
the ratio is the median over the turns with its 95 % interval by bootstrap. A batch that does not
fit is told and left out.

Beside it stand what the products of a step alone would take at the fastest matrix product, and what
reading and writing every tensor of the plain loop once would take at the fastest copy, both
measured here. Then the first network is trained for --train-seconds, data and changes of pictures
included: pictures a second and the share of the time that waited for data. Without --faces (aligned
at 112 x 96) people are patterns. DIR gets speed.json, the run, and sheet.png: pictures of people
who were not learned from, each row with the five that are nearest to its first. What does not fit
into --minutes is left out and told.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from geomface.files import save_image
from geomface.files.records import write_json
from geomface.learning import ComputeSettings, LoopSettings, Schedule
from geomface.learning.device import multiplies_bfloat16, place_images
from geomface.learning.parametric_relu import ParametricReLU
from geomface.learning.samples import image_grid
from geomface.learning.training import run_training
from geomface.recognition import MarginHead, build_network, default_network
from geomface.recognition.aligned.aligned_faces import AlignedFaces, aligned_faces, load_aligned
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.training.export import trained_embedder
from geomface.recognition.training.people import split_people
from geomface.recognition.training.settings import RecognitionSettings, recognition_recipe
from geomface.recognition.training.task import SYSTEM, RecognitionTask

sys.path.insert(0, str(Path(__file__).resolve().parent))

from factored_geometry_speed import (  # noqa: E402
    CountOperations,
    fastest_product,
    median_ratio,
    timed,
)

NETWORKS = {"paper": ("lresnet50e_ir", "iresnet18"), "tiny": ("compact",)}
MARGIN, SCALE = 0.5, 30.0
SHOWN = 6


class CountWork(CountOperations):
    """Counts the bytes that operations read and write, too, each tensor once an operation."""

    moved = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = super().__torch_dispatch__(func, types, args, kwargs)
        if not getattr(func, "is_view", False):
            tensors = [*args, *(result if isinstance(result, tuple | list) else [result])]
            self.moved += sum(
                item.numel() * item.element_size()
                for item in tensors
                if isinstance(item, torch.Tensor)
            )
        return result


class PlainLoop:
    """The same network, trained as anyone would write it."""

    def __init__(self, settings: NetworkSettings, people: int, device: torch.device) -> None:
        torch.manual_seed(0)
        self.network = build_network(settings)
        for layer in self.network.modules():
            if type(layer) is ParametricReLU:
                layer.__class__ = nn.PReLU  # type: ignore[assignment]
        self.network.to(device).train()
        self.head = MarginHead(people, settings.descriptor_size).to(device)
        weights = [*self.network.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.SGD(weights, 0.01, momentum=0.9, weight_decay=5e-4)

    def loss(self, images: torch.Tensor, people: torch.Tensor) -> torch.Tensor:
        """Return ArcFace of a batch."""
        cosines = self.head(self.network(images)).clamp(-1 + 1e-6, 1 - 1e-6)
        own = people[:, None]
        angle = cosines.gather(1, own).acos()
        turned = cosines.scatter(1, own, (angle + MARGIN).cos())
        return F.cross_entropy(SCALE * turned, people)

    def step(self, images: torch.Tensor, people: torch.Tensor) -> None:
        """Take a step."""
        loss = self.loss(images, people)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def people_of_patterns(people: int, samples: int, alignment: Alignment) -> AlignedFaces:
    """Return people who are smooth patterns, their pictures under light and noise."""
    draw = torch.Generator().manual_seed(0)
    coarse = torch.rand((people, 3, 7, 6), generator=draw)
    size = (alignment.height, alignment.width)
    pictures = np.empty((people * samples, *size, 3), np.float32)
    for start in range(0, people, 256):
        own = F.interpolate(coarse[start : start + 256], size, mode="bicubic").repeat_interleave(
            samples, 0
        )
        shade = 0.7 + 0.6 * torch.rand((len(own), 1, 1, 1), generator=draw)
        noisy = shade * own + 0.1 * torch.randn(own.shape, generator=draw)
        place = slice(start * samples, start * samples + len(own))
        pictures[place] = noisy.clamp(0, 1).permute(0, 2, 3, 1).numpy()
    names = [f"{person}" for person in range(people) for _ in range(samples)]
    return aligned_faces(pictures, names, alignment)


def chosen_settings(
    network: NetworkSettings, batch: int, options: argparse.Namespace, compute: ComputeSettings
) -> RecognitionSettings:
    """Return the settings of the recipe, with a network, a batch and a way of computing."""
    use = recognition_recipe(options.recipe)
    use = dataclasses.replace(use, contrastive=dataclasses.replace(use.contrastive, weight=0.0))
    return dataclasses.replace(use, network=network, batch=batch, compute=compute)


def compare_steps(
    network: NetworkSettings,
    batch: int,
    faces: AlignedFaces,
    options: argparse.Namespace,
    ways: dict[str, ComputeSettings],
) -> dict:
    """Return the times of a step, ours in several ways beside the plain one, and the limits."""
    device = torch.device(options.device)
    rows = faces.batch(torch.arange(batch) % len(faces))
    plain = PlainLoop(network, len(faces.people.names), device)
    images, people = rows["images"].to(device), rows["labels"].to(device)
    runs: dict[str, Callable[[], object]] = {"plain float32": lambda: plain.step(images, people)}
    for name, compute in ways.items():
        task = RecognitionTask(chosen_settings(network, batch, options, compute), faces)
        held = {
            key: place_images(item, device, compute) if item.ndim == 4 else item.to(device)
            for key, item in rows.items()
        }

        def ours(task: RecognitionTask = task, held: dict = held) -> None:
            task._batches = {"faces": held}
            task.step()

        runs[name] = ours
    title = f"{network.name}, {network.height} x {network.width}, batch {batch}, {device}"
    return {"network": network.name, "batch": batch} | compare_runs(title, batch, runs, options)


def compare_runs(
    title: str, batch: int, runs: dict[str, Callable[[], object]], options: argparse.Namespace
) -> dict:
    """Time ways of a step in turn, print and return them beside "plain float32" and the limits."""
    device = torch.device(options.device)
    with CountWork() as counter:
        runs["plain float32"]()
    for step in runs.values():
        timed(step, 3, device)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.turns):
        for name, step in runs.items():
            times[name].append(timed(step, options.steps, device))
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    limits = {
        f"{name} products": counter.total / fastest_product(device, kind) * 1e3
        for name, kind in kinds.items()
    }
    limits["copies of the plain loop"] = counter.moved / fastest_copy(device) * 1e3
    found: dict = {"limits_ms": limits, "ways": {}}
    print(title)
    for name, values in times.items():
        middle = float(np.median(values))
        ratio = median_ratio(times["plain float32"], values)
        found["ways"][name] = {"ms": middle, "times_plain": ratio}
        told = (
            "" if name == "plain float32" else "{:6.2f} [{:.2f}, {:.2f}] times plain".format(*ratio)
        )
        print(f"  {name:>24} {middle:9.2f} ms, {1e3 * batch / middle:8.0f} pictures/s {told}")
    for name, value in limits.items():
        print(f"  {name:>24} {value:9.2f} ms at the least", flush=True)
    return found


def fastest_copy(device: torch.device) -> float:
    """Return the bytes a second that a large copy reads and writes."""
    side = 2**28 if device.type == "cuda" else 2**22
    source = torch.zeros(side, device=device)
    into = torch.empty_like(source)
    timed(lambda: into.copy_(source), 2, device)
    return 2 * 4 * side / (timed(lambda: into.copy_(source), 5, device) / 1e3)


def train(
    network: NetworkSettings,
    batch: int,
    faces: AlignedFaces,
    options: argparse.Namespace,
    compute: ComputeSettings,
) -> dict:
    """Train for a while, write the sheet, and return how fast it went."""
    use = chosen_settings(network, batch, options, compute)
    loop = LoopSettings(
        steps=10**6,
        log_every=1 if options.recipe == "tiny" else 20,
        sample_every=10**6,
        checkpoint_every=10**6,
        keep=1,
        budget_seconds=options.train_seconds,
    )
    rate = dataclasses.replace(use.optimizer, lr=0.02, schedule=Schedule())
    use = dataclasses.replace(use, loop=loop, optimizer=rate)
    learned, others = split_people(faces, use.held_out)
    lines: list[dict[str, float]] = []
    result = run_training(
        lambda: RecognitionTask(use, learned, None, others),
        options.out / "run",
        use,
        system=SYSTEM,
        resume="never",
        on_log=lines.append,
    )
    shown = others or learned
    descriptors = trained_embedder(result.checkpoint).embed(shown.pictures(slice(0, 512)))
    labels = shown.people.labels[: len(descriptors)]
    firsts = np.unique(labels, return_index=True)[1][:SHOWN]
    nearest = np.argsort(-descriptors[firsts] @ descriptors.T, axis=1, kind="stable")[:, :SHOWN]
    sheet = image_grid(shown.batch(torch.from_numpy(nearest.ravel()))["images"], nearest.shape[1])
    save_image(options.out / "sheet.png", sheet)
    known = [line for line in lines if "waiting" in line]
    known = known[1:] or known  # the first one compiles
    middle = {
        name: float(np.median([line[name] for line in known]))
        for name in ("steps_per_second", "waiting")
    }
    found = {
        "network": network.name,
        "batch": batch,
        "steps": result.steps,
        "seconds": result.seconds,
        **middle,
        "nearest_is_same_person": float(np.mean(labels[nearest[:, 1]] == labels[firsts])),
    }
    print(f"training: {found}", flush=True)
    return found


def main() -> None:
    """Compare steps, then train."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--recipe", choices=list(NETWORKS), default="paper")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, nargs="+")
    parser.add_argument("--people", type=int)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--train-seconds", type=float)
    parser.add_argument("--faces", type=Path, help="aligned faces of the networks' size")
    parser.add_argument("--minutes", type=float, default=8.0)
    options = parser.parse_args()
    began, tiny = time.perf_counter(), options.recipe == "tiny"
    options.train_seconds = options.train_seconds or (2.0 if tiny else 90.0)
    options.out.mkdir(parents=True, exist_ok=True)
    sizes = {"height": 28, "width": 24, "descriptor_size": 16}
    networks = [
        NetworkSettings(name, **sizes) if tiny else default_network(name)  # type: ignore[arg-type]
        for name in NETWORKS[options.recipe]
    ]
    alignment = Alignment(*(networks[0].height, networks[0].width))
    faces = (
        load_aligned(options.faces)
        if options.faces
        else people_of_patterns(options.people or (24 if tiny else 10_000), 2, alignment)
    )
    half = options.device != "cpu" or multiplies_bfloat16()
    ways = {"float32": ComputeSettings(options.device)}
    if half:
        ways["bfloat16"] = ComputeSettings(options.device, "bfloat16")
    if not options.no_compile and not tiny:
        ways["bfloat16, compiled"] = ComputeSettings(options.device, "bfloat16", compile=True)
    record: dict = {"recipe": options.recipe, "device": options.device, "steps": [], "left_out": []}
    if options.device == "cuda":
        record["device"] = torch.cuda.get_device_name()
    until = began + 60 * options.minutes - options.train_seconds - 20
    for batch in options.batch or ([8] if tiny else [256, 128, 512]):
        for network in networks:
            name = f"{network.name}, batch {batch}"
            if time.perf_counter() > until - (0 if tiny else 60):
                record["left_out"].append(f"{name}: no time")
                continue
            try:
                record["steps"].append(compare_steps(network, batch, faces, options, ways))
            except torch.OutOfMemoryError:
                record["left_out"].append(f"{name}: does not fit into memory")
            if options.device == "cuda":
                torch.cuda.empty_cache()
            write_json(options.out / "speed.json", record)
    batch = options.batch[0] if options.batch else (8 if tiny else 256)
    record["training"] = train(networks[0], batch, faces, options, list(ways.values())[-1])
    record["seconds"] = time.perf_counter() - began
    write_json(options.out / "speed.json", record)
    for line in record["left_out"]:
        print(f"left out: {line}")
    print(f"{record['seconds']:.0f} s")


if __name__ == "__main__":
    main()
