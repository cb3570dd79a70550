"""The tables of `reenactment_study.py`: mean and spread over the seeds that are there.

python tests/benchmarks/reenactment_study_tables.py --out DIR
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

ORDER = ("both", "self", "triple", "none", "printed-hinge", "no-adversary", "no-mask", "no-warp")
COLUMNS = {
    "E1": lambda r: r["first"],
    "E2": lambda r: r["second"],
    "E2/E1": lambda r: r["ratio"],
    "footprint": lambda r: r["footprint"],
    "path": lambda r: r["path"],
    "drift": lambda r: r["drift"]["slope"],
    "identity": lambda r: r["identity_first"],
    "of two": lambda r: r["identity_second"],
    "after five": lambda r: r["drift"]["identity"][-1],
    "landmarks": lambda r: r["landmarks_first"] / r["landmarks_true"],
    "SWD": lambda r: r["distances"]["swd_average"],
    "far E1": lambda r: r["far"]["all"],
    "far hidden": lambda r: r["far"]["hidden"],
}
"""Landmarks are the reader's error on what was made over that on true frames."""


def read(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return {arm: results of its seeds}."""
    found: dict[str, list[dict[str, Any]]] = {}
    for arm in ORDER:
        paths = sorted(
            path for path in out.glob(f"{arm}-*.json") if path.stem[len(arm) + 1 :].isdigit()
        )
        if paths:
            found[arm] = [json.loads(path.read_text()) for path in paths]
    return found


def told(values: list[float]) -> str:
    """Return mean and deviation."""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    arms = read(out)
    print(f"| arm | seeds | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for arm, results in arms.items():
        cells = [told([column(item) for item in results]) for column in COLUMNS.values()]
        print(f"| {arm} | {len(results)} | {' | '.join(cells)} |")
    if (out / "warp.json").exists():
        warp = json.loads((out / "warp.json").read_text())
        one = next(iter(arms.values()))[0] if arms else None
        print(f"\nwarp: E1 {warp['first']:.3f}, far {warp['far']['all']:.3f}, hidden "
              f"{warp['far']['hidden']:.3f}, over {warp['far']['pairs']} pairs")  # fmt: skip
        if one:
            print(f"handed back: {one['copied']:.3f}; identity of true frames "
                  f"{one['identity_true']:.3f}")  # fmt: skip
    print("\nthe game over the training: D(real) - D(made) and pixel loss, first and last tenth")
    for arm, results in arms.items():
        gaps, pixels = [], []
        for item in results:
            course = item["course"]
            apart = np.subtract(course["score/real"], course["score/fake"])
            tenth = max(len(apart) // 10, 1)
            gaps.append((apart[:tenth].mean(), apart[-tenth:].mean()))
            pixels.append((np.mean(course["pixel"][:tenth]), np.mean(course["pixel"][-tenth:])))
        (a, b), (c, d) = np.mean(gaps, axis=0), np.mean(pixels, axis=0)
        print(f"{arm}: {a:.3f} to {b:.3f}; {c:.3f} to {d:.3f}")


if __name__ == "__main__":
    main()
