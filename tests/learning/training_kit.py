"""What every system must pass, given a factory "module:function" that makes its task.

check_exact_resume : lives that end by SIGKILL at random moments leave what one long life leaves
check_processes_agree : two processes end with the weights of one
check_only_its_own : a phase changes the weights of its own networks only, and nothing frozen

Trainings run in processes of their own, one for all factories that are given at once:
python training_kit.py VERB[,VERB] FACTORY[,FACTORY...] FOLDER STEPS, verbs train and lives
"""

import importlib
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from geomface.files.tensors import load_tensors
from geomface.learning import (
    ComputeSettings,
    LoopSettings,
    PhasedTask,
    System,
    current_ranks,
    join_ranks,
    open_run,
    read_metrics,
    train,
)
from geomface.learning.launcher import start_processes
from geomface.learning.loop import TIMES
from geomface.learning.phase import take_step
from geomface.learning.state import KIND, SCHEMA, weights_hash

SYSTEM = System("kit")
EVERY = 5


def check_exact_resume(factory: str, folder: Path, steps: int = 20) -> None:
    """Kill three lives at random moments, let the fourth end, and compare it with an unkilled run.

    Checkpoint, metrics, evaluations and samples must be the same to the byte.
    """
    train_and_kill([factory], folder, steps)
    check_lives(factory, folder)


def train_and_kill(factories: Sequence[str], folder: Path, steps: int = 20) -> None:
    """Train the task of each factory undisturbed, and in lives that are killed."""
    _run("train,lives", ",".join(factories), folder, steps)


def check_lives(factory: str, folder: Path) -> None:
    """Compare what `train_and_kill` has left in the folder."""
    straight, killed = (_place(folder, factory, verb) for verb in ("train", "lives"))
    for name in _products(straight):
        assert (killed / name).read_bytes() == (straight / name).read_bytes(), name
    assert _products(straight) == _products(killed)
    assert _timeless(killed) == _timeless(straight)


def check_processes_agree(
    factories: str | Sequence[str], folder: Path, steps: int = 6, *, tolerance: float = 1e-6
) -> None:
    """Train with one process and with two, in double precision, and compare all that is saved."""
    factories = [factories] if isinstance(factories, str) else factories
    _run("train", ",".join(factories), folder / "one", steps, "double")
    words = ["train", ",".join(factories), str(folder / "two"), str(steps), "double"]
    assert start_processes(words, 2, program=(sys.executable, __file__)) == 0
    for factory in factories:
        runs = [_place(folder / part, factory, "train") for part in ("one", "two")]
        name = f"checkpoints/step-{steps:09d}.safetensors"
        one, two = (load_tensors(run / name, kind=KIND, schema=SCHEMA)[0] for run in runs)
        assert one.keys() == two.keys()
        for key in one:
            near = {"rtol": tolerance, "atol": tolerance, "err_msg": f"{factory}: {key}"}
            np.testing.assert_allclose(two[key], one[key], **near)
        for single, double in zip(*map(_timeless, runs), strict=True):
            for key, value in single.items():
                np.testing.assert_allclose(double[key], value, rtol=tolerance, atol=tolerance)


def check_only_its_own(task: PhasedTask) -> None:
    """Take one step of every group of phases and see which weights it has moved."""
    for _, members in itertools.groupby(task.phases, lambda phase: phase.group or phase.name):
        group = list(members)
        own = {name for phase in group for name in phase.networks}
        before = {k: _weights(v) for k, v in task.networks.items()}
        take_step(group, task.optimizers, task.ranks)
        for name, network in task.networks.items():
            moved = any(
                not torch.equal(a, b)
                for a, b in zip(before[name], network.parameters(), strict=True)
            )
            assert moved == (name in own), f"{[phase.name for phase in group]}: {name}"
    for name, expected in task.state.frozen.items():
        assert weights_hash(task.networks[name]) == expected, name


def _weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in network.parameters()]


def _products(run: Path) -> list[str]:
    found = [*(run / "checkpoints").iterdir(), *(run / "samples").iterdir()]
    return sorted(path.relative_to(run).as_posix() for path in found)


def _timeless(run: Path) -> list[dict[str, float]]:
    records = [*read_metrics(run / "metrics.jsonl"), *read_metrics(run / "evaluations.jsonl")]
    return [{k: v for k, v in item.items() if k not in TIMES} for item in records]


def _run(*words: object) -> None:
    quiet = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        capture_output=True,
        text=True,
        env=os.environ | quiet,
    )
    assert done.returncode == 0, done.stderr


def _train(factory: str, folder: Path, steps: int, die_at: int = 0) -> None:
    """Train a new task into a folder; `die_at` a step, be killed a little later."""
    loop = LoopSettings(steps, 4, 2 * EVERY, EVERY, evaluate_every=2 * EVERY)
    task = _make(factory)
    if die_at:
        _arrange_death(task, die_at)
    with current_ranks().main_process_first():
        run = open_run(folder, {}, system=SYSTEM)
    train(task, run, loop)


def _arrange_death(task: PhasedTask, die_at: int) -> None:
    step, begun = task.step, time.perf_counter()

    def deadly() -> object:
        if task.steps == die_at:
            mean = (time.perf_counter() - begun) / (die_at + 1)
            kill = [os.getpid(), signal.SIGKILL]
            threading.Timer(random.uniform(0, 2 * mean), os.kill, kill).start()
        return step()

    task.step = deadly  # type: ignore[assignment,method-assign]


def _lives(factory: str, folder: Path, steps: int) -> None:
    """Train in forked children that are killed after 0, 1 and 2 checkpoints, and a last one."""
    _make(factory).step()  # what the first step imports, it imports here, once for all children
    for life in range(4):
        die_at = life * EVERY + random.randrange(1, EVERY) if life < 3 else 0
        child = os.fork()
        if child == 0:
            random.seed(life)
            _train(factory, folder, steps, die_at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if life == 3 and status:
            raise SystemExit(f"the last life ended with {status}")


def _place(folder: Path, factory: str, verb: str) -> Path:
    return folder / factory.partition(":")[2] / verb


def _make(factory: str) -> PhasedTask:
    module, _, function = factory.partition(":")
    return getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    torch.set_num_threads(1)
    folders = [path for path in Path(__file__).parents[1].rglob("*") if path.is_dir()]
    sys.path += [str(path) for path in folders if path.name != "__pycache__"]
    verbs, names, target, count, *double = sys.argv[1:]
    if double:
        torch.set_default_dtype(torch.float64)
    with join_ranks(ComputeSettings("cpu", devices=int(os.environ.get("WORLD_SIZE", "1")))):
        for verb, name in itertools.product(verbs.split(","), names.split(",")):
            do = {"train": _train, "lives": _lives}[verb]
            do(name, _place(Path(target), name, verb), int(count))
