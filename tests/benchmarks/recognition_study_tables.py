"""Tables and charts of `recognition_study.py`: means over seeds, and which directions hold."""

from pathlib import Path
from typing import Any

import numpy as np

RATIOS = ("0.9", "0.8", "0.7", "0.6")
ROOMS = ("photographs", "test", "ict test")


def print_tables(results: dict[str, Any], out: Path) -> None:
    """Print every table that there are figures for, and draw the charts."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for entry in results["arms"].values():
        arms.setdefault(entry["arm"], []).append(entry)
    print("| arm | pictures | seeds | photographs | people held out | of ICT |")
    print("|---|---|---|---|---|---|")
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
        for ratio in ("1", *RATIOS):
            room = "test" if ratio == "1" else f"test R {ratio}"
            a, b = (np.mean([run[room] for run in runs]) for runs in (off, on))
            print(f"| {ratio} | {a:.4f} | {b:.4f} | {a - b:+.4f} |")
    draw_people(arms, out)


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
    for room, label in zip(ROOMS, ("photographs", "people held out", "people of ICT"), strict=True):
        values = np.array([[run[room] for run in arms[name]] for name in names])
        axes.plot(people, values.mean(axis=1), "o-", label=label)
        axes.fill_between(people, values.min(axis=1), values.max(axis=1), alpha=0.2)
    axes.set(xscale="log", xlabel="people, 3,000 pictures in all", ylabel="equal error rate")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    save_figure(out / "people.png", figure)
