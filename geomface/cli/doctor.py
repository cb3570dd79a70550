"""`geomface doctor`: what is installed, what the machine offers, a short self test."""

import dataclasses
import time
from typing import Any

from geomface.cli import machine
from geomface.cli.command import Command, CommandGroup
from geomface.cli.options import CommonOptions
from geomface.cli.record import package_versions
from geomface.cli.run import Run
from geomface.errors import GeomfaceError

SELF_TEST_MM = 1.0
"""A 64-pixel geometry image of the built-in face loses less than this (RMS)."""


@dataclasses.dataclass(frozen=True)
class DoctorOptions:
    """Say what is installed and what this machine offers, and run a one-second self test.

    Exit code 0 when everything needed works, 1 otherwise.
    """

    common: CommonOptions = CommonOptions()


def run_doctor(options: DoctorOptions, run: Run) -> int:
    """Collect, test, print."""
    figures: dict[str, Any] = {
        "machine": machine.system(),
        "cores": machine.usable_cores(),
        "memory_gib": machine.memory_gib(),
        "cuda": machine.cuda(),
        "extras": machine.extras(),
        "cache": machine.cache_folder(),
        "font": machine.font(),
        "self_test": {"ok": None} if options.common.dry_run else self_test(),
    }
    missing = [name for name, version in package_versions().items() if version == "missing"]
    figures["missing"] = missing
    figures["ok"] = not missing and figures["self_test"]["ok"] is not False
    record = run.finish(figures)
    for line in describe(record):
        run.say(line)
    return 0 if figures["ok"] else 1


def self_test() -> dict[str, Any]:
    """Send a person of the built-in face through a 64-pixel geometry image and back.

    The first run on a machine compiles the kernels (`first_seconds`); `seconds` is a warm run.
    """
    import numpy as np

    from geomface import GeometryImageDecoder, GeometryImageEncoder, load_builtin_face, unwrap

    started = time.perf_counter()
    try:
        model = load_builtin_face()
        mesh = unwrap(model.template).mesh
        person = model.vertices(model.sample_identity(np.random.default_rng(0)))
        laps = []
        error = float("nan")
        for _ in range(2):
            lap = time.perf_counter()
            image = GeometryImageEncoder(mesh, 64).encode(person)
            back = GeometryImageDecoder(mesh, 64).decode(image)
            error = float(np.sqrt(((back - person) ** 2).sum(axis=1).mean()))
            laps.append(time.perf_counter() - lap)
    except (GeomfaceError, ImportError, OSError) as problem:
        return {"ok": False, "reason": f"{type(problem).__name__}: {problem}"}
    return {
        "ok": error < SELF_TEST_MM,
        "round_trip_mm": round(error, 4),
        "vertices": len(mesh.vertices),
        "seconds": round(laps[-1], 3),
        "first_seconds": round(time.perf_counter() - started - laps[-1], 3),
    }


def describe(record: dict[str, Any]) -> list[str]:
    """Return the record as lines to read."""
    versions, memory, cuda = record["versions"], record["memory_gib"], record["cuda"]
    lines = [f"geomface {versions['geomface']} on {record['machine']['python']}"]
    lines.append(f"  system     {record['machine']['system']}")
    lines.append(f"  cores      {record['cores']:g} usable")
    if memory["total"] is not None:
        free = "" if memory["available"] is None else f", {memory['available']} GiB free"
        lines.append(f"  memory     {memory['total']} GiB{free}")
    lines.append(f"  disk       {record['machine']['free_disk_gib']} GiB free here")
    names = [f"{item['name']} ({item['memory_gib']} GiB)" for item in cuda["devices"]]
    lines.append(f"  GPU        {', '.join(names) or 'none: ' + cuda['reason']}")
    cache = record["cache"]
    state = "writable" if cache["writable"] else "not writable; set NUMBA_CACHE_DIR to a folder"
    lines.append(f"  cache      {cache['path']} ({state})")
    lines.append(f"  font       {record['font']['name']}")
    lines += ["", "needed packages"]
    for name, version in versions.items():
        if name not in ("geomface", "python"):
            lines.append(f"  {name:<12} {version}")
    lines += ["", "optional packages"]
    for name, extra in record["extras"].items():
        text = (
            extra["version"] or "present" if extra["present"] else "not there: " + extra["install"]
        )
        lines.append(f"  {name:<12} {text}")
    test = record["self_test"]
    lines.append("")
    if test["ok"] is None:
        lines.append("self test: left out (--dry-run)")
    elif "reason" in test:
        lines.append(f"self test: FAILED. {test['reason']}")
    else:
        lines.append(
            f"self test: {'passed' if test['ok'] else 'FAILED'}, {test['vertices']} vertices "
            f"through a 64-pixel geometry image and back: {test['round_trip_mm']} mm RMS, "
            f"{test['seconds']} s (first run {test['first_seconds']} s)"
        )
    if record["missing"]:
        lines.append(f"missing: {', '.join(record['missing'])}. Install: pip install geomface")
    lines.append("all good" if record["ok"] else "something needs mending, see above")
    return lines


GROUP = CommandGroup(
    "doctor",
    "What is installed, what this machine offers, a one-second self test.",
    {"": Command(DoctorOptions, run_doctor)},
)
