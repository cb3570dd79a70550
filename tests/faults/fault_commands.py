"""The long commands at their smallest, their inputs, and what of their outputs must be the same."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from geomface.files.atomic import is_temporary
from geomface.files.lock import NAME as LOCK
from geomface.learning.loop import TIMES

SETS: dict[str, tuple[str, ...]] = {
    "scans": ("synth scans --out {} --count 3 --vertices 2500",),
    "renders": (
        "synth faces --out {} --identities 3 --samples 2 --size 48 --outputs rgb alpha landmarks "
        "--part-pictures 6",
    ),
    "photographs": (
        "synth faces --out {} --identities 4 --samples 2 --size 64 --outputs rgb landmarks "
        "--part-pictures 8",
    ),
    "aligned": ("recognise align --images {in}/renders --out {} --size 16x16 --masks",),
    "bare": ("recognise align --images {in}/renders --out {} --size 16x16",),
    "people": ("recognise align --images {in}/photographs --out {} --size 56x48",),
    "tracks": ("synth faces --out {} --identities 3 --samples 7 --size 48 --track 3",),
}
"""Inputs by name, each made by a command; {} is where."""


@dataclasses.dataclass(frozen=True)
class LongCommand:
    """A command that takes long in earnest.

    Parameters
    ----------
    name : as it is typed
    words : {in} is the folder of the sets, {out} what it makes
    needs : the sets
    batch : whether it is a batch of items, which any executor may do
    """

    name: str
    words: str
    needs: tuple[str, ...] = ()
    batch: bool = False

    def line(self, sets: Path, out: Path, executor: str = "serial") -> list[str]:
        """Return the words after `geomface`; executor is serial, processes, dask or an address."""
        words = self.words.replace("{in}", str(sets)).replace("{out}", str(out)).split()
        if self.batch and "://" in executor:
            words += ["--executor", "dask", "--scheduler", executor]
        elif self.batch:
            words += ["--executor", executor, "--workers", "1" if executor == "serial" else "2"]
        return words


_TRAIN = "--recipe tiny --device cpu --out {out}"
COMMANDS = (
    LongCommand(
        "pipeline run",
        "pipeline run --scans {in}/scans --out {out} --texture-size 32 --geometry-image-size 16 "
        "--samples 1 --stiffness 10 1",
        ("scans",),
        True,
    ),
    LongCommand(
        "synth faces",
        "synth faces --out {out} --identities 4 --samples 2 --size 32 --outputs rgb landmarks "
        "--part-pictures 1",
        (),
        True,
    ),
    LongCommand(
        "synth textures",
        "synth textures --out {out} --count 2 --size 16 --vertices 2500",
        (),
        True,
    ),
    LongCommand(
        "synth pairs",
        "synth pairs --out {out} --people 4 --samples 2 --folds 2 --pairs-per-fold 2 --size 32 "
        "--preset plain",
        (),
        True,
    ),
    LongCommand(
        "recognise align",
        "recognise align --images {in}/renders --out {out} --part-pictures 2",
        ("renders",),
        True,
    ),
    LongCommand(
        "sample render_to_photo",
        "sample render_to_photo --set {in}/renders --out {out} --part-pictures 2",
        ("renders",),
        True,
    ),
    LongCommand("synth scans", "synth scans --out {out} --count 3 --vertices 2500"),
    LongCommand(
        "recognise embed",
        "recognise embed --images {in}/people --out {out}/e.npz",
        ("photographs", "people"),
    ),
    LongCommand("train progressive_texture", f"train progressive_texture --data shapes {_TRAIN}"),
    LongCommand(
        "train factored_geometry",
        f"train factored_geometry {_TRAIN} --factors identity=6,expression=3",
    ),
    LongCommand(
        "train render_to_photo",
        f"train render_to_photo --renders {{in}}/aligned --photographs {{in}}/bare "
        f"--pairs {{in}}/aligned {{in}}/bare {_TRAIN}",
        ("renders", "aligned", "bare"),
    ),
    LongCommand(
        "train landmark_reenactment",
        f"train landmark_reenactment --faces {{in}}/tracks --held-out 0.3 {_TRAIN}",
        ("tracks",),
    ),
    LongCommand(
        "recognise train",
        f"recognise train --faces {{in}}/people --held-out 0.3 {_TRAIN}",
        ("photographs", "people"),
    ),
)


def make_sets(sets: Path, needs: tuple[str, ...], do: Callable[[list[str]], int]) -> None:
    """Make the sets that are not there; `do` does a command."""
    sets.mkdir(parents=True, exist_ok=True)
    for name in needs:
        if (sets / name).exists():
            continue
        for command in SETS[name]:
            line = command.replace("{}", str(sets / name)).replace("{in}", str(sets)).split()
            if code := do(line):
                raise RuntimeError(f"{' '.join(line)}: exit code {code}")


def tree(out: Path) -> dict[str, str]:
    """Return the hash of everything that must not depend on how often a command was disturbed.

    Left out are the records (times, memory, attempts), the files that hold times or places, and
    checkpoints before the last one: an interrupt saves one more, and the oldest goes.
    """
    found, earlier = {}, sorted(out.glob("checkpoints/step-*"))[:-1]
    for path in sorted(out.rglob("*")):
        if path in earlier or not path.is_file() or "records" in path.parts or path.name in _TIMED:
            continue
        data = path.read_bytes()
        if path.name == "metrics.jsonl":
            rows = [json.loads(line) for line in data.splitlines()]
            timeless = [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
            data = json.dumps(timeless).encode()
        found[str(path.relative_to(out))] = hashlib.sha256(data).hexdigest()
    return found


_TIMED = ("unwrap.json", "run.json")


def leftovers(out: Path) -> Iterator[str]:
    """Yield what no run may leave: locks, and files and folders under temporary names."""
    for path in sorted(out.rglob(".*")):
        if path.name == LOCK or is_temporary(path):
            yield str(path.relative_to(out))
