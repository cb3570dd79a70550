"""Options that several commands share, and how they read in the help."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from geomface.errors import SettingsError
from geomface.ranges import POSITIVE, SEED, require_numbers

InputFile = Annotated[Path, tyro.conf.arg(metavar="FILE")]
OutputFile = Annotated[Path, tyro.conf.arg(metavar="FILE")]
Folder = Annotated[Path, tyro.conf.arg(metavar="DIR")]
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""An option that is there or not, without a --no- twin."""
MaybeFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(optional)")]
MaybeFolder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(optional)")]
OPTIONAL = tyro.conf.arg(help_behavior_hint="(optional)")
"""What a list that may be empty is annotated with."""
TemplateFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE|DIR", help_behavior_hint="(default: the built-in face)"),
]
ScanUnit = Annotated[
    str | None, tyro.conf.arg(metavar="UNIT", help_behavior_hint="(default: found by size)")
]
"""um, mm, cm, inch, m, or the millimetres in one unit as a number."""
BesideFile = Annotated[
    Path | None,
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: beside the mesh, if there)"),
]


def require_options(options: object, **intervals: str) -> None:
    """Check the numbers of a command's options by `require_numbers`, called as they are typed."""
    try:
        require_numbers(options, **intervals)
    except SettingsError as error:
        name, colon, rest = str(error).partition(":")
        raise SettingsError(f"--{name.replace('_', '-')}{colon}{rest}") from None


@dataclasses.dataclass(frozen=True)
class CommonOptions:
    """Every command takes these."""

    dry_run: Flag = False
    """Check the inputs, say what would be done, write nothing."""
    json: Flag = False
    """Print the result as one JSON object on standard output."""
    quiet: Flag = False
    """Print errors only (and the JSON, when asked for)."""
    seed: int = 0
    """Seed of everything random; the same seed gives the same bytes."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes the CPU for a step that has no GPU path, cuda refuses it."""

    def __post_init__(self) -> None:
        require_options(self, seed=SEED)


@dataclasses.dataclass(frozen=True)
class ExecutorOptions:
    """Where the items of a batch are worked on; the bytes do not depend on it."""

    executor: Literal["auto", "serial", "processes", "dask"] = "auto"
    """auto takes processes for two workers or more; dask needs geomface[cluster]."""
    scheduler: Annotated[
        str, tyro.conf.arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")
    ] = ""
    """Of dask: its scheduler, as tcp://HOST:8786, whose workers count instead of --workers."""
    copy_to: Annotated[
        str, tyro.conf.arg(metavar="URL", help_behavior_hint="(default: no copy)")
    ] = ""
    """Keep a copy of the folder there, as s3://BUCKET/FOLDER: a run in an empty folder goes on from
    it, and one that ends brings it up to date. Of fsspec, with the packages that it names."""
    item_timeout: Annotated[
        float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="(default: none)")
    ] = None
    """An item that takes longer fails, and its worker is ended; the others go on."""

    def __post_init__(self) -> None:
        require_options(self, item_timeout=POSITIVE)
        if self.scheduler and self.executor != "dask":
            raise SettingsError(
                f"--scheduler {self.scheduler}: expected --executor dask beside it, got "
                f"{self.executor}. Give both or none."
            )
        if self.item_timeout is not None and self.executor == "serial":
            raise SettingsError(
                "--item-timeout: expected workers, which can be ended, got --executor serial. Give "
                "another executor, or no limit."
            )


@dataclasses.dataclass(frozen=True)
class TemplateOptions:
    """The template whose topology everything shares."""

    template: TemplateFile = None
    """Template mesh (OBJ or PLY keeps quads), or a folder that 'geomface template make' wrote."""
    template_landmarks: BesideFile = None
    """Where the landmarks lie on the template: JSON with "vertices"."""
    regions: BesideFile = None
    """Named vertex lists of the template: JSON {"region": [vertex, ...]}."""
