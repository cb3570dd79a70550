"""Tables and the picture sheet of `translation_study.py`: means and ranges over seeds.

    python tests/benchmarks/translation_study_tables.py --out DIR [--seed 0]

Prints what there is in DIR/*.json and draws DIR/sheet.png from the runs of one seed: pairs held
out, one a column; rows are renders, arms, and the photographs.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, Any]
COLUMNS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "F1: pairs held out, and what a reader of photographs reads from them": (
        ("error, face", "pairs.face", 4),
        ("error, all", "pairs.all", 4),
        ("yaw, deg", "pairs_read.yaw", 2),
        ("pitch, deg", "pairs_read.pitch", 2),
        ("light, deg", "pairs_read.light", 2),
        ("landmarks, px", "pairs_read.landmarks", 3),
    ),
    "Labels of renders of people held out, read back": (
        ("yaw, deg", "read.yaw", 2),
        ("pitch, deg", "read.pitch", 2),
        ("light, deg", "read.light", 2),
        ("landmarks, px", "read.landmarks", 3),
    ),
    "How far what is read has moved from render to translation": (
        ("yaw, deg", "moved.yaw", 2),
        ("pitch, deg", "moved.pitch", 2),
        ("light, deg", "moved.light", 2),
        ("landmarks, px", "moved.landmarks", 3),
    ),
    "F3: realism": (
        ("KID", "kid", 4),
        ("SWD", "swd", 1),
        ("called photographs", "called_photographs", 3),
    ),
    "F7: cycle, and fine detail": (
        ("cycle error", "cycle", 4),
        ("SWD, finest level", "swd_finest", 1),
        ("detail, of the photographs'", "detail", 3),
        ("detail, pairs", "pairs_detail.detail", 3),
    ),
}
GAME = (("k, least", "k_low"), ("k, most", "k_high"), ("k, last", "k_end"),
        ("measure, first tenth", "measure_begin"), ("last tenth", "measure_end"))  # fmt: skip
PAIRED = {"error of pairs": "pairs.face", **{name: f"pairs_read.{name}" for name in
          ("yaw", "pitch", "light", "landmarks")}}  # fmt: skip
SHOWN = ("full", "no-pairs", "cyclegan", "reconstruction", "no-identity", "hard", "hard-no-pairs")
"""Arms on the sheet, as far as they are trained."""


def figure(run: Figures, path: str) -> float | None:
    """Return a figure by its path, None where a run has none."""
    value: Any = run
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def cell(runs: Sequence[Figures], path: str, digits: int) -> str:
    """Return mean and range of a figure over seeds."""
    values = [value for run in runs if (value := figure(run, path)) is not None]
    if not values:
        return ""
    text = f"{np.mean(values):.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def print_table(
    title: str, rows: dict[str, list[Figures]], columns: Sequence[tuple[str, str, int]]
) -> None:
    """Print one table."""
    print(f"\n{title}\n\n| arm | seeds | {' | '.join(name for name, _, _ in columns)} |")
    print("|---" * (len(columns) + 2) + "|")
    for arm, runs in rows.items():
        cells = " | ".join(cell(runs, path, digits) for _, path, digits in columns)
        print(f"| {arm} | {len(runs)} | {cells} |")


def print_directions(arms: dict[str, list[Figures]], base: dict[str, Figures]) -> None:
    """Print which of the expected directions hold on the means, and in how many seeds."""
    judges = list(base["renders"]["people"])
    lower = [
        (f"F1 {name}, {one} below {two}", path, one, two)
        for one, two in (("full", "no-pairs"), ("hard", "hard-no-pairs"))
        for name, path in PAIRED.items()
    ]
    for judge in judges:
        path = f"people.{judge}.eer"
        lower.append((f"F2 EER ({judge}), full below no-identity", path, "full", "no-identity"))
    lower += [
        ("F7 cycle error, full below no-cycle", "cycle", "full", "no-cycle"),
        ("F7 detail, reconstruction below full", "pairs_detail.detail", "reconstruction", "full"),
    ]
    print("\n| direction | on the means | seeds |\n|---|---|---|")
    for name, path, one, two in lower:
        if one in arms and two in arms:
            print_direction(name, arms[one], arms[two], lambda a, b, p=path: _of(a, p) < _of(b, p))
    if "full" in arms:
        renders = [base["renders"]] * len(arms["full"])
        for name, path in (("KID", "kid"), ("SWD", "swd")):
            print_direction(f"F3 {name} halved", arms["full"], renders,
                            lambda a, b, p=path: _of(a, p) <= 0.5 * _of(b, p))  # fmt: skip
        print_direction("F3 half are called photographs", arms["full"], renders,
                        lambda a, b: _of(a, "called_photographs") >= 0.5)  # fmt: skip


def print_direction(
    name: str, one: list[Figures], two: list[Figures],
    holds: Callable[[list[Figures], list[Figures]], bool],
) -> None:  # fmt: skip
    """Print whether a direction holds."""
    each = [holds([a], [b]) for a, b in zip(one, two, strict=False)]
    verdict = "holds" if holds(one, two) else "**does not**"
    print(f"| {name} | {verdict} | {sum(each)} of {len(each)} |")


def _of(runs: list[Figures], path: str) -> float:
    values = [figure(run, path) for run in runs]
    return float(np.mean([value for value in values if value is not None]))


def draw_sheet(arms: dict[str, list[Figures]], out: Path, seed: int) -> None:
    """Draw renders, what each arm makes of them, and the photographs."""
    from translation_study import translated
    from translation_study_data import known_faces

    from geomface.files import save_image
    from geomface.gan.render_to_photo import load_translator

    renders, true = (known_faces(f"pair {half} test", out) for half in ("renders", "photographs"))
    chosen = np.linspace(0, len(renders.faces) - 1, 10).round().astype(int)
    rows = {"renders": renders.images()}
    for arm in SHOWN:
        run = out / "runs" / f"{arm}-{seed}"
        if arm in arms and run.is_dir():
            rows[arm] = translated(load_translator(run), renders)[0]
    rows["photographs"] = true.images()
    strips = [
        np.concatenate(list(0.5 * images[chosen].permute(0, 2, 3, 1).numpy() + 0.5), axis=1)
        for images in rows.values()
    ]
    sheet = np.concatenate(strips).repeat(3, axis=0).repeat(3, axis=1)
    save_image(out / "sheet.png", sheet.astype(np.float32))
    print(f"\n{out / 'sheet.png'}, from the top: {', '.join(rows)}")


def main() -> None:
    """Print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="whose pictures are shown")
    options = parser.parse_args()
    out: Path = options.out
    base = json.loads((out / "sets.json").read_text())
    arms: dict[str, list[Figures]] = {}
    for path in sorted(out.glob("*-[0-9]*.json")):
        run = json.loads(path.read_text())
        arms.setdefault(run["arm"], []).append(run)
    arms = {arm: sorted(runs, key=lambda run: run["seed"]) for arm, runs in arms.items()}
    rows = {name: [figures] for name, figures in base.items()} | arms
    for title, columns in COLUMNS.items():
        print_table(title, rows, columns)
    people = [
        (f"{name.upper()} ({judge})", f"people.{judge}.{name}", 4)
        for judge in base["renders"]["people"]
        for name in ("auc", "eer")
    ]
    print_table("F2: people held out, told apart by embedders of others", rows, people)
    for game in ("photographs", "renders", "pairs"):
        columns = [(name, f"games.{game}.{path}", 4) for name, path in GAME]
        print_table(f"F4: game of {game}", arms, columns)
    print_directions(arms, base)
    draw_sheet(arms, out, options.seed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
