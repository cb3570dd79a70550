"""Tables and charts of `recognition_study.py`: means over seeds, and which directions hold."""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ATTACKS = ("test", "test R 0.9", "test R 0.8", "test R 0.7", "test R 0.6")
VARIED = ("none", "expression", "pose", "light")
ROOMS = ("photographs", "photographs, not whitened", "test", "ict test")


def print_tables(results: dict[str, Any], out: Path) -> None:
    """Print every table that there are figures for, and draw the charts."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for entry in results["arms"].values():
        arms.setdefault(entry["arm"], []).append(entry)
    print("| arm | pictures | seeds | photographs | not whitened | people held out | of ICT |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in arms.items():
        cells = " | ".join(cell(runs, room) for room in ROOMS)
        print(f"| {name} | {runs[0]['pictures']:,} | {len(runs)} | {cells} |")
    if results["spread"]:
        print("\n| S1: share of the person | mean distance to the person's centre |\n|---|---|")
        for name, found in results["spread"].items():
            print(f"| {name} | {found['value']:.4f} [{found['low']:.4f}, {found['high']:.4f}] |")
    off, on = (arms.get(name) for name in ("300 x 20", "300 x 20, identities mixed"))
    if off and on:
        print("\n| S2: R at test | equal error | trained with identities mixed | gain |")
        print("|---|---|---|---|")
        for room in ATTACKS:
            ratio = room.removeprefix("test").removeprefix(" R ") or "1"
            a, b = (np.mean([run[room] for run in runs]) for runs in (off, on))
            print(f"| {ratio} | {a:.4f} | {b:.4f} | {a - b:+.4f} |")
    print_directions(arms)
    draw_people(arms, out)


Rates = Callable[[str, str], float]
"""Equal error of an arm in a test."""
DIRECTIONS: dict[str, Callable[[Rates], bool]] = {
    "S2 errors rise with the share of another person": lambda e: rising(
        [e("300 x 20", room) for room in ATTACKS]
    ),
    "S2 what mixing gains is more at R = 0.6 than at 1": lambda e: (
        gain(e, "300 x 20", ATTACKS[-1]) > gain(e, "300 x 20", "test")
    ),
    "S2 mixing gains at R = 0.6": lambda e: gain(e, "300 x 20", ATTACKS[-1]) > 0.0,
    "S3 each domain is best at itself": lambda e: (
        e("150 x 10", "test") < e("ICT 150 x 10", "test")
        and e("ICT 150 x 10", "ict test") < e("150 x 10", "ict test")
    ),
    "S5 300 x 5 beats 50 x 30": lambda e: e("300 x 5", "test") < e("50 x 30", "test"),
    "S5 300 x 20 gains less on 300 x 10 than that on 300 x 5": lambda e: (
        e("300 x 10", "test") - e("300 x 20", "test") < e("300 x 5", "test") - e("300 x 10", "test")
    ),
    "S6 even, ub2, ub1": lambda e: rising(
        [e(name, "test") for name in ("300 x 5", "300 x 5, ub2", "300 x 5, ub1")]
    ),
    "S7 pose and light beat none": lambda e: (
        max(e("varied pose", "test"), e("varied light", "test")) < e("varied none", "test")
    ),
    "S7 mixing gains most on none": lambda e: (
        max(VARIED, key=lambda what: gain(e, f"varied {what}", "test")) == "none"
    ),
    "S8 mixing gains on photographs": lambda e: gain(e, "300 x 20", "photographs") > 0.0,
    "S9 augmentation gains on photographs": lambda e: (
        e("300 x 20", "photographs") < e("300 x 20, not augmented", "photographs")
    ),
    "photo beats plain on photographs": lambda e: (
        e("300 x 20", "photographs") < e("300 x 20, plain", "photographs")
    ),
}


def rising(values: Sequence[float]) -> bool:
    """Say whether each is larger than the one before."""
    return all(a < b for a, b in itertools.pairwise(values))


def gain(error: Rates, arm: str, room: str) -> float:
    """Return by how much the equal error falls when identities are mixed."""
    mixed = f"{arm}, identities mixed" if arm == "300 x 20" else f"{arm} mixed"
    return error(arm, room) - error(mixed, room)


def print_directions(arms: dict[str, list[dict[str, Any]]]) -> None:
    """Print which directions hold on the means, and in how many seeds."""
    seeds = sorted({run["seed"] for runs in arms.values() for run in runs})

    def mean(arm: str, room: str) -> float:
        return float(np.mean([run[room] for run in arms[arm]]))

    def of_seed(seed: int) -> Rates:
        runs = {name: run for name, all_runs in arms.items() for run in all_runs
                if run["seed"] == seed}  # fmt: skip
        return lambda arm, room: runs[arm][room]

    print("\n| direction | on the means | seeds |\n|---|---|---|")
    for name, holds in DIRECTIONS.items():
        with contextlib.suppress(KeyError):  # arms that were not trained
            each = [holds(of_seed(seed)) for seed in seeds]
            verdict = "holds" if holds(mean) else "**does not**"
            print(f"| {name} | {verdict} | {sum(each)} of {len(each)} |")


def cell(runs: list[dict[str, Any]], room: str) -> str:
    """Return mean and range of the equal errors over seeds."""
    values = [run[room] for run in runs]
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def draw_people(arms: dict[str, list[dict[str, Any]]], out: Path) -> None:
    """Draw the equal error against the number of people at a constant number of pictures."""
    from geomface.report.model_figures import save_figure

    names = ("100 x 30", "300 x 10", "1,000 x 3", "3,000 x 1")
    if not all(name in arms for name in names):
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 3.2), layout="constrained")
    axes = figure.subplots()
    people = [100, 300, 1000, 3000]
    for room in ("photographs", "test", "ict test"):
        label = {"test": "people held out", "ict test": "people of ICT"}.get(room, room)
        values = np.array([[run[room] for run in arms[name]] for name in names])
        axes.plot(people, values.mean(axis=1), "o-", label=label)
        axes.fill_between(people, values.min(axis=1), values.max(axis=1), alpha=0.2)
    axes.set(xscale="log", xlabel="people, 3,000 pictures in all", ylabel="equal error rate")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    save_figure(out / "people.png", figure)
