"""All readers under test, and which of them each input goes to."""

import dataclasses
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_commands import command_readers  # noqa: E402
from fuzz_learned import learned_readers  # noqa: E402
from fuzz_meshes import landmark_readers, mesh_readers, picture_readers  # noqa: E402
from fuzz_models import model_readers, record_readers  # noqa: E402
from fuzz_reader import Reader  # noqa: E402
from fuzz_sets import job_readers, set_readers  # noqa: E402

SLOW = (
    *("run.factored", "factored.safetensors", "codes.json", "run.translator", "run.reenactor"),
    *("run.report", "vgg.safetensors", "detector.safetensors", "photograph_detector.safetensors"),
    *("synthetic_faces", "synthetic_shards", "job.pictures", "video", "command.status.pictures"),
    *("command.verify.pictures", "command.report", "command.synth_pairs"),
)
"""Readers whose files take a training or a rendering to make, or that take long themselves."""


@functools.cache
def all_readers() -> tuple[Reader, ...]:
    """Return every reader."""
    found = (
        *mesh_readers(),
        *landmark_readers(),
        *picture_readers(),
        *model_readers(),
        *record_readers(),
        *learned_readers(),
        *set_readers(),
        *job_readers(),
        *command_readers(),
    )
    return tuple(dataclasses.replace(one, slow=one.name in SLOW) for one in found)


def chosen_readers(names: Sequence[str]) -> tuple[Reader, ...]:
    """Return the readers whose names begin so; without names, all."""
    readers = all_readers()
    return tuple(r for r in readers if not names or r.name.startswith(tuple(names)))
