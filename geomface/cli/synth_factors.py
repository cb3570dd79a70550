"""`geomface synth factors`: what fits found in photographs, for sets that are drawn like them."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.inputs import make_folder
from geomface.cli.options import CommonOptions, Folder
from geomface.cli.run import Run


@dataclasses.dataclass(frozen=True)
class SynthFactorsOptions:
    """Factors of the faces in photographs: identity, expression, light and pose of their fits.

    Writes identity.npy, expression.npy, light.npy and pose.npy, which 'synth faces' draws from by
    empirical(FILE.npy) and 'synth vae' fits VAEs to, and population.json, which says of which
    pictures they are.
    """

    fits: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of results of 'model fit-image', in any depth of subfolders."""
    out: Folder
    """Folder of the factors; it is created."""
    common: CommonOptions = CommonOptions()


def run_synth_factors(options: SynthFactorsOptions, run: Run) -> int:
    """Gather the factors and write them."""
    from geomface.recognition.generator.populations import collect_population, save_population

    run.require_cpu()
    population = collect_population(options.fits)
    count = f"{len(population.names)} pictures of {len(population.identity)} people"
    make_folder(options.out, create=False)
    if options.common.dry_run:
        return run.plan([f"write the factors of {count} into {options.out}"])
    make_folder(options.out)
    paths = save_population(options.out, population)
    run.finish(
        {"people": len(population.identity), "names": population.names}
        | {"files": paths, "topology_id": population.topology_id}
    )
    run.say(f"factors of {count} in {options.out}")
    return 0
