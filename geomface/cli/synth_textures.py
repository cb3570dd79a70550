"""`geomface synth textures`: a training set of textures and geometry images with holes."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.batch import execute
from geomface.cli.options import (
    CommonOptions,
    ExecutorOptions,
    Flag,
    Folder,
    TemplateOptions,
    require_options,
)
from geomface.cli.run import Run
from geomface.pipeline.texture_settings import (
    BUILTIN,
    DamageSettings,
    TextureItemSettings,
    TextureScanSettings,
    TextureSetSettings,
)
from geomface.ranges import COUNT

ModelFiles = Annotated[
    tuple[str, ...],
    tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the built-in face)"),
]


@dataclasses.dataclass(frozen=True)
class SynthTexturesOptions:
    """A training set for texture GANs: simulated scans, registered and baked, with holes and truth.

    Every face is drawn from a model, scanned with damage, registered to one template and baked.
    'geomface train progressive_texture --data DIR' reads the folder. Face i depends on the seed, i
    and the options only, not on how many there are or how many workers make them. The same command
    again makes only what is missing; a larger --count adds to a folder.
    """

    out: Folder
    """Folder of the set; it is created."""
    count: int = 100
    """Number of faces."""
    model: ModelFiles = (BUILTIN,)
    """Face models that the people are drawn from, in turn: files that 'geomface model convert'
    reads, or builtin. All are registered to one template."""
    size: int = TextureItemSettings.size
    """Pixels a side of textures and geometry images; training can halve them."""
    workers: int = 1
    """Number of worker processes; the bytes do not depend on it."""
    retry_failed: Flag = False
    """Also do the faces that failed before."""
    executor: ExecutorOptions = ExecutorOptions()
    damage: DamageSettings = DamageSettings()
    scan: TextureScanSettings = TextureScanSettings()
    template: TemplateOptions = TemplateOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count=COUNT, size=COUNT, workers=COUNT)


def run_synth_textures(options: SynthTexturesOptions, run: Run) -> int:
    """Plan, and make the faces unless it is a dry run."""
    from geomface.pipeline.texture_sets import texture_job

    run.require_cpu()
    return execute(
        texture_job(set_settings(options)), run, options.executor, {"done": "faces"}, items=False
    )


def set_settings(options: SynthTexturesOptions) -> TextureSetSettings:
    """Return the settings that the options describe.

    Raises
    ------
    SettingsError : numbers out of range.
    """
    template = options.template
    return TextureSetSettings(
        out=options.out,
        count=options.count,
        models=tuple(str(Path(name)) for name in options.model),
        template=template.template,
        template_landmarks=template.template_landmarks,
        regions=template.regions,
        workers=options.workers,
        retry_failed=options.retry_failed,
        item=TextureItemSettings(
            seed=options.common.seed, size=options.size, scan=options.scan, damage=options.damage
        ),
    )
