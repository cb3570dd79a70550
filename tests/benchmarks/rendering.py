"""Visibility, parity and the differentiable renderer on the ICT face.

    python tests/benchmarks/rendering.py DATA

DATA holds ict/. Prints the time of every installed visibility backend (one thread; Open3D and
PyTorch3D where they are importable, in the same run), how far they agree over 50 random poses, the
crack test, and the time of one optimisation step. Times are wall clock, with the processor time
of the process beside them: on a busy machine only the latter can be compared.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geomface.faces.ict import load_ict
from geomface.rendering.differentiable import (
    OUTPUTS,
    Renderer,
    RenderSettings,
    SphericalHarmonicsLight,
    look_at_face,
)
from geomface.rendering.visibility import BACKENDS, torch_backend
from geomface.statistics import MorphableModel

INSTALLED = [name for name, backend in BACKENDS.items() if backend.missing() is None]
POSES = 50


def timed(call: Callable[[], object], repeats: int) -> str:
    """Median and shortest wall time, and shortest processor time, in milliseconds."""
    call()
    wall, busy = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        call()
        wall.append(1e3 * (time.perf_counter() - start))
        busy.append(1e3 * (time.process_time() - used))
    return f"{np.median(wall):8.2f}  {min(wall):8.2f}  {min(busy):8.2f}"


def projected(
    model: MorphableModel, size: int, yaw: float = 0.0, pitch: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean face in a portrait frame: xyz_pixels (1, V, 3) and faces."""
    vertices = torch.tensor(model.mesh.vertices[None])
    camera = look_at_face(
        size,
        size,
        yaw=yaw,
        pitch=pitch,
        field_of_view=20.0,
        centre=vertices[0].mean(dim=0),
        dtype=torch.float64,
    )
    return camera.project(vertices), torch.tensor(np.array(model.mesh.faces))


def visibility_times(model: MorphableModel) -> None:
    print("\nvisibility of one image, one thread, ms        median       min  processor  covered")
    for size in (256, 512):
        xyz, faces = projected(model, size)
        for name in INSTALLED:
            backend = BACKENDS[name]
            repeats = 2 if name == "pytorch3d" else 15
            row = timed(lambda b=backend, x=xyz, f=faces, s=size: b.face_ids(x, f, s, s), repeats)
            covered = float((backend.face_ids(xyz, faces, size, size) >= 0).float().mean())
            print(f"{size} px  {name:10s}                           {row}    {covered:.3f}")
    print("(Open3D builds its tree and casts rays with as many threads as it likes.)")


def parity(model: MorphableModel) -> None:
    reference = "open3d" if "open3d" in INSTALLED else "numba"
    others = [name for name in INSTALLED if name not in (reference, "pytorch3d")]
    print(f"\n{POSES} random poses at 256 px against {reference}: pixels covered on one side only,")
    print("other face id, share of equal ids")
    rng = np.random.default_rng(0)
    counts = {name: np.zeros(3, int) for name in others}
    for _ in range(POSES):
        xyz, faces = projected(model, 256, *rng.uniform([-80, -40], [80, 40]))
        expected = BACKENDS[reference].face_ids(xyz, faces, 256, 256)
        for name in others:
            ids = BACKENDS[name].face_ids(xyz, faces, 256, 256)
            one_side = int(((ids >= 0) != (expected >= 0)).sum())
            counts[name] += [one_side, int((ids != expected).sum()), int((expected >= 0).sum())]
    for name, (lost, differing, covered) in counts.items():
        share = 1 - differing / covered
        print(f"{name:10s}  {lost:5d}  {differing:5d} of {covered}  {100 * share:.4f} %")


def cracks() -> None:
    print("\n33 x 33 grid with its vertices on pixel centres: inner pixels lost, hit twice")
    axis = 0.5 + np.arange(33.0)
    xy = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    index = np.arange(33 * 33).reshape(33, 33)
    corners = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    a, b, c, d = (part.ravel() for part in corners)
    faces = torch.tensor(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]))
    xyz = torch.tensor(np.concatenate([xy, np.ones((len(xy), 1))], 1))[None]
    for name in INSTALLED:
        together = BACKENDS[name].face_ids(xyz, faces, 34, 34)[0] >= 0
        alone, triangle = xyz[0][faces], torch.tensor([[0, 1, 2]])
        if name == "torch":
            ids = torch_backend._draw(alone, triangle, 34, 34, True)
        else:
            ids = BACKENDS[name].face_ids(alone, triangle, 34, 34)
        owners = (ids >= 0).sum(dim=0)[1:32, 1:32]
        lost = int((~together[1:32, 1:32]).sum())
        print(f"{name:10s}  {lost:4d}  {int((owners > 1).sum()):4d}  of {owners.numel()}")


def optimisation_step(model: MorphableModel, batch: int, size: int) -> None:
    """Forward and backward to shape, texture and light of a lit, textured batch."""
    rng = np.random.default_rng(1)
    shapes = [model.vertices(0.7 * rng.standard_normal(len(model.shape))) for _ in range(batch)]
    vertices = torch.tensor(np.array(shapes), dtype=torch.float32).requires_grad_()
    texture = torch.rand(1, 512, 512, 3, requires_grad=True)
    light = torch.zeros(batch, 9, 3)
    light[:, 0], light[:, 1], light[:, 2] = 2.5, 0.5, 1.0
    light.requires_grad_()
    camera = look_at_face(
        size,
        size,
        yaw=torch.linspace(-40, 40, batch),
        field_of_view=20.0,
        centre=vertices.detach()[0].mean(dim=0),
    )
    target = torch.rand(batch, size, size, 3)
    print(f"\n{size} px, batch {batch}, ms an image          median       min  processor")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for name, changes in (
            ("compiled stages", {}),
            ("compiled, no antialiasing", {"antialias": "none"}),
            ("plain torch stages", {"compiled": False}),
        ):
            renderer = Renderer(model.template, RenderSettings(height=size, width=size, **changes))

            def step(renderer: Renderer = renderer) -> None:
                for leaf in (vertices, texture, light):
                    leaf.grad = None
                result = renderer.render(
                    vertices, camera, texture=texture, light=SphericalHarmonicsLight(light)
                )
                ((result.rgb - target) ** 2).mean().backward()

            print(f"{threads} threads, {name:26s} {per_image(step, batch)}")
        renderer = Renderer(model.template, RenderSettings(height=size, width=size))

        def everything(renderer: Renderer = renderer) -> None:
            with torch.no_grad():
                renderer.render(
                    vertices,
                    camera,
                    texture=texture,
                    light=SphericalHarmonicsLight(light),
                    outputs=OUTPUTS,
                )

        row = per_image(everything, batch)
        print(f"{threads} threads, all {len(OUTPUTS)} outputs, forward    {row}")


def per_image(call: Callable[[], object], batch: int) -> str:
    return "  ".join(f"{float(number) / batch:8.2f}" for number in timed(call, 7).split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    model = load_ict(parser.parse_args().data / "ict" / "ict_face.npz")
    print(f"{model.mesh}; backends: {', '.join(INSTALLED)}")
    for name, backend in BACKENDS.items():
        if backend.missing():
            print(f"{name} is not installed: {backend.missing()}")
    torch.set_num_threads(1)
    visibility_times(model)
    parity(model)
    cracks()
    optimisation_step(model, 16, 256)


if __name__ == "__main__":
    main()
